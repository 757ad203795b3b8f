// Limits: what may be bought without asking. A new one is agreed to on a device's screen, never here.

import { api } from "../api.js";
import { el } from "../dom.js";

const FIELDS = [
  { name: "shop", label: "Shop (empty: any paid before)" },
  { name: "goods", label: "Only these goods, with commas (empty: anything)" },
  { name: "most", label: "Most for one purchase", inputmode: "decimal", pattern: "\\d+([.,]\\d\\d)?", required: true },
  { name: "budget", label: "Budget, a whole amount", inputmode: "numeric", pattern: "\\d+", required: true },
];
const PERIODS = ["day", "week", "month"];

/** Minor units of an amount as it is typed, without a floating-point number in between. */
function minor(text, digits = 2) {
  const [whole, part = ""] = text.trim().replace(",", ".").split(".");
  return Number(whole + part.padEnd(digits, "0"));
}

function shops(limit) {
  const named = limit.shops.map((shop) => shop.name).join(", ") || "Any shop paid before";
  const goods = [...new Set(limit.goods.map((item) => item.title))].join(", ");
  return goods ? `${named}: only ${goods}` : named;
}

function state(limit) {
  if (limit.state === "asked") return "waits for you on a screen";
  return limit.stands ? `${limit.left} left` : "ended";
}

function row(limit, { fail, onChanged }) {
  const revoke = el("button", { class: "small danger", type: "button", text: limit.state === "asked" ? "Withdraw" : "Revoke" });
  revoke.addEventListener("click", () => api.revokeLimit(limit.id).then(onChanged, fail));
  return el("details", { class: "place", "data-id": limit.id, "data-state": limit.state, open: limit.state === "asked" },
    el("summary", {},
      el("span", { class: "menu-name", text: shops(limit) }),
      el("span", { class: "place-where", text: state(limit) })),
    el("dl", { class: "card-lines" }, ...[
      ["Most for one purchase", limit.most],
      [`Most in a ${limit.period}`, limit.budget],
      ["Purchases", limit.purchases ? `${limit.purchases} in a ${limit.period}` : "any number"],
      ["Until", new Date(limit.valid_until * 1000).toLocaleDateString()],
    ].map(([term, value]) => el("div", {}, el("dt", { text: term }), el("dd", { text: value })))),
    el("div", { class: "place-buttons" }, revoke));
}

function form({ fail, onChanged }) {
  const inputs = new Map(FIELDS.map(({ name, label, ...rest }) => [name, el("input", { class: "field", name, type: "text", ...rest })]));
  const period = el("select", { class: "field", name: "period" }, ...PERIODS.map((each) => el("option", { value: each, text: `a ${each}` })));
  period.value = "week";
  const element = el("form", { class: "place-form" },
    ...FIELDS.map((field) => el("label", {}, el("span", { text: field.label }), inputs.get(field.name))),
    el("label", {}, el("span", { text: "Period" }), period),
    el("div", { class: "place-buttons" }, el("button", { class: "action", type: "submit", text: "Ask me on a screen" })));
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const shop = inputs.get("shop").value.trim();
    try {
      await api.askLimit({
        shops: shop ? [shop] : [],
        goods: inputs.get("goods").value.split(",").map((each) => each.trim()).filter(Boolean),
        most_minor: minor(inputs.get("most").value),
        budget_minor: minor(inputs.get("budget").value),
        period: period.value,
      });
      onChanged();
    } catch (error) {
      fail(error);
    }
  });
  return element;
}

const CEILINGS = { orders: "Most that one order may cost", travel: "Most that one flight, train or room may cost" };

/** The most that one purchase may cost; whatever it costs, it is asked about first. */
function ceiling(each, { fail, onChanged }) {
  const amount = each.text.replace(/[^\d.]/g, "");
  const digits = amount.split(".")[1]?.length ?? 0;
  const field = el("input", {
    class: "field", name: each.kind, type: "text", inputmode: "decimal", pattern: digits ? `\\d+([.,]\\d{${digits}})?` : "\\d+", required: true,
    value: amount, "aria-label": `${CEILINGS[each.kind]}, in ${each.currency}`,
  });
  const element = el("form", { class: "place-form ceiling", "data-kind": each.kind },
    el("label", {}, el("span", { text: `${CEILINGS[each.kind]} (${each.currency})` }), field),
    el("div", { class: "place-buttons" }, el("button", { class: "action", type: "submit", text: "Set" })));
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    api.setCeiling(each.kind, { minor: minor(field.value, digits), currency: each.currency }).then(onChanged, fail);
  });
  return element;
}

export function limitsSection(content, { fail, refresh }) {
  const list = el("div", {});
  const most = el("div", {});
  content.append(
    el("p", { class: "section-word", text: "What may be bought without asking. You are told each time and can undo it; what is larger, or paid into another account, is always asked." }),
    list,
    el("details", { class: "place new" },
      el("summary", {}, el("span", { class: "menu-name", text: "Allow something" })),
      form({ fail, onChanged: refresh })),
    el("p", { class: "section-word", text: "What one purchase may cost at most. You are asked before each one anyway, and large ones take a screen." }),
    most);
  let drawn = "";
  let highest = "";
  return async () => {
    const [limits, ceilings] = await Promise.all([api.limits(), api.ceilings()]);
    if (JSON.stringify(ceilings) !== highest) {
      highest = JSON.stringify(ceilings);
      most.replaceChildren(...ceilings.map((each) => ceiling(each, { fail, onChanged: refresh })));
    }
    const written = JSON.stringify(limits);
    if (written === drawn) return;
    drawn = written;
    list.replaceChildren(...(limits.length
      ? limits.map((limit) => row(limit, { fail, onChanged: refresh }))
      : [el("p", { class: "panel-empty", text: "No limits: you are asked before anything is bought." })]));
  };
}
