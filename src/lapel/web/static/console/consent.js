// Consent: the keys that the user's yes is signed with.

import { api } from "../api.js";
import { ago, el } from "../dom.js";
import { sure } from "../sure.js";

function keyRow(key) {
  return el("li", { class: "device-row", "data-connected": String(key.retired_at === null) },
    el("span", { class: "device-dot", "aria-hidden": "true" }),
    el("span", { class: "device-name" },
      el("strong", { class: "key-id", text: key.id }),
      el("span", { text: key.retired_at === null ? `signs since ${ago(key.created_at)}` : `retired ${ago(key.retired_at)}; what it signed stays provable` })));
}

export function consentSection(content, { fail, refresh }) {
  const keys = el("ul", { class: "device-list" });
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
    el("h2", { class: "panel-title", text: "Receipts" }),
    el("p", { class: "section-word" }, "All receipts in one file that shows whether one is missing: ",
      el("a", { class: "word-link", href: "/api/receipts", download: "", text: "receipts.jsonl" }), ". ",
      el("code", { text: "lapel receipts verify receipts.jsonl" }), " checks it offline."));
  return async () => {
    const found = await api.keys();
    keys.replaceChildren(...(found.length ? found.map(keyRow) : [el("li", { class: "pair-word", text: "No key yet: it is made with the first order." })]));
  };
}
