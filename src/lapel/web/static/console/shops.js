// Shops: which there are, what each can do, whether Lapel can buy there, adding and removing one.

import { api } from "../api.js";
import { ago, el } from "../dom.js";
import { sure } from "../sure.js";

const short = (capability) => capability.split(".").at(-1).replaceAll("_", " ");

function findings(found) {
  return [
    el("p", { class: "check-word", "data-sound": String(found.can_buy), text: found.can_buy ? "Lapel can buy here." : "Lapel cannot buy here." }),
    el("ul", { class: "differences" },
      ...found.lacks.map((text) => el("li", { text: `Lacks: ${text}` })),
      ...found.warns.map((text) => el("li", { text: `Note: ${text}` })),
      el("li", { text: `UCP ${found.version ?? "?"}, ${found.products ?? 0} products, signatures: ${found.signatures}` })),
  ];
}

function shop(merchant, { fail, refresh }) {
  const result = el("div", { class: "findings" });
  const check = el("button", { class: "small", type: "button", text: "Check" });
  check.addEventListener("click", async () => {
    check.disabled = true;
    result.replaceChildren(el("p", { class: "check-word", text: "Asking the shop ..." }));
    try {
      result.replaceChildren(...findings(await api.checkMerchant(merchant.url)));
    } catch (error) {
      result.replaceChildren();
      fail(error);
    }
    check.disabled = false;
  });
  const remove = merchant.configured ? null : sure("Remove", `Remove ${merchant.name}`, async () => {
    try {
      await api.removeMerchant(merchant.id);
      refresh();
    } catch (error) {
      fail(error);
    }
  });
  return el("li", { class: "shop", "data-id": merchant.id },
    el("div", { class: "shop-head" },
      el("span", { class: "device-name" }, el("strong", { text: merchant.name }), el("span", { text: merchant.url })),
      check, remove),
    el("ul", { class: "marks" }, ...merchant.capabilities.map((name) => el("li", { text: short(name), title: name }))),
    merchant.trouble ? el("p", { class: "shop-trouble", text: merchant.trouble }) : null,
    el("p", { class: "pair-word", text: `Seen ${ago(merchant.seen_at)}${merchant.configured ? " · from the settings" : ""}` }),
    result);
}

function addForm({ fail, refresh }) {
  const url = el("input", { class: "field", type: "url", required: true, placeholder: "https://shop.example", "aria-label": "The shop's address" });
  const button = el("button", { class: "action main", type: "submit", text: "Add" });
  const form = el("form", { class: "pair-form add-form" }, url, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await api.addMerchant(url.value.trim());
      url.value = "";
      refresh();
    } catch (error) {
      fail(error);
    }
    button.disabled = false;
  });
  return form;
}

export function shopsSection(content, ways) {
  const list = el("ul", { class: "shops" });
  content.append(addForm(ways), list);
  let drawn = "";
  return async () => {
    const merchants = await api.merchants();
    const written = JSON.stringify(merchants.map((each) => [each.id, each.trouble, each.capabilities, each.configured]));
    if (written === drawn) return;
    drawn = written;
    list.replaceChildren(...(merchants.length
      ? merchants.map((merchant) => shop(merchant, ways))
      : [el("li", { class: "panel-empty", text: "No shops yet. Any shop that speaks UCP is added by its address." })]));
  };
}
