// Consent: the keys that the user's yes is signed with.

import { api } from "../api.js";
import { ago, el } from "../dom.js";
import { addPasskey } from "../passkey.js";
import { sure } from "../sure.js";

function keyRow(key) {
  return el("li", { class: "device-row", "data-connected": String(key.retired_at === null) },
    el("span", { class: "device-dot", "aria-hidden": "true" }),
    el("span", { class: "device-name" },
      el("strong", { class: "key-id", text: key.id }),
      el("span", { text: key.retired_at === null ? `signs since ${ago(key.created_at)}` : `retired ${ago(key.retired_at)}; what it signed stays provable` })));
}

function passkeyRow(passkey, { fail, refresh }) {
  const remove = sure("Remove", `Remove the passkey ${passkey.name}`, () => api.dropPasskey(passkey.id).then(refresh, fail));
  return el("li", { class: "device-row", "data-id": passkey.id },
    el("span", { class: "device-name" },
      el("strong", { text: passkey.name }),
      el("span", { text: passkey.used_at ? `used ${ago(passkey.used_at)}` : `added ${ago(passkey.created_at)}` })),
    remove);
}

function passkeyForm({ fail, refresh }) {
  const name = el("input", { class: "field", type: "text", required: true, maxlength: "60", placeholder: "My phone", "aria-label": "Name of the passkey" });
  const button = el("button", { class: "action main", type: "submit", text: "Add a passkey" });
  const form = el("form", { class: "pair-form add-form" }, name, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await addPasskey(name.value.trim());
      name.value = "";
      refresh();
    } catch (error) {
      fail(error);
    }
    button.disabled = false;
  });
  return form;
}

export function consentSection(content, { fail, refresh }) {
  const keys = el("ul", { class: "device-list" });
  const passkeys = el("ul", { class: "device-list" });
  const rotate = sure("New key", "Retire the key and make a new one", async () => {
    try {
      await api.rotateKey();
      refresh();
    } catch (error) {
      fail(error);
    }
  });
  content.append(
    el("h2", { class: "panel-title", text: "Your keys" }),
    el("p", { class: "section-word", text: "What you approve is signed with a key of your own. Receipts carry the signature, and anybody can check it without Lapel." }),
    keys, rotate,
    el("h2", { class: "panel-title", text: "Passkeys" }),
    el("p", { class: "section-word", text: "With a passkey, a large purchase, a new account and a limit are confirmed by your finger, face or PIN on a device that has it, and by nothing less." }),
    passkeys, passkeyForm({ fail, refresh }),
    el("h2", { class: "panel-title", text: "Receipts" }),
    el("p", { class: "section-word" }, "All receipts in one file that shows whether one is missing: ",
      el("a", { class: "word-link", href: "/api/receipts", download: "", text: "receipts.jsonl" }), ". ",
      el("code", { text: "lapel receipts verify receipts.jsonl" }), " checks it offline."));
  return async () => {
    const [found, mine] = await Promise.all([api.keys(), api.passkeys()]);
    passkeys.replaceChildren(...(mine.length ? mine.map((each) => passkeyRow(each, { fail, refresh })) : [el("li", { class: "pair-word", text: "No passkeys." })]));
    keys.replaceChildren(...(found.length ? found.map(keyRow) : [el("li", { class: "pair-word", text: "No key yet: it is made with the first order." })]));
  };
}
