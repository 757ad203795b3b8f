// Orders: state, lines, what happened when, and the signed receipt.

import { api } from "../api.js";
import { ago, el } from "../dom.js";
import { icon } from "../views/icons.js";

const WORDS = { quoting: "asking the price", awaiting_approval: "waits for you", escalated: "waits for you at the shop", lapsed: "lapsed, nothing ordered", trouble: "needs attention" };

const CLOCK = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

/** A ride for later says when, by the clock of its place: the digits as they stand before the offset. */
function stateWord({ state, pickup_at: at }) {
  if (state === "placed" && at) return `booked for ${CLOCK.format(new Date(`${at.slice(0, 19)}Z`))}`;
  return WORDS[state] ?? state.replaceAll("_", " ");
}

function order(entry, open) {
  const element = el("details", { class: "order", "data-id": entry.id, "data-state": entry.state, open },
    el("summary", {},
      el("span", { class: "order-name", text: entry.merchant_name }),
      el("span", { class: "order-total", text: entry.total }),
      el("span", { class: "order-state", text: stateWord(entry) }),
      el("span", { class: "order-when", text: ago(entry.created_at) })),
    el("dl", { class: "card-lines" }, ...(entry.lines ?? []).map((line) => el("div", {},
      el("dt", { text: line.text }), el("dd", { text: line.value ?? "" })))),
    el("ol", { class: "events" }, ...(entry.events ?? []).map((event) => el("li", { "data-kind": event.kind },
      el("span", { text: event.text }), el("time", { text: ago(event.at) })))),
    entry.receipt ? el("a", { class: "receipt", href: api.receiptPath(entry.id), download: "" }, icon("download"), "Receipt") : null);
  return element;
}

export function ordersTab(content) {
  const known = new Set();
  let drawn = "";
  return async () => {
    const orders = await api.orders();
    const written = JSON.stringify([orders, orders.map((entry) => ago(entry.created_at))]);
    if (written === drawn) return;
    drawn = written;
    const open = new Set([...content.querySelectorAll("details[open]")].map((details) => details.dataset.id));
    if (orders.length && !known.has(orders[0].id)) open.add(orders[0].id);
    for (const entry of orders) known.add(entry.id);
    content.replaceChildren(...(orders.length
      ? orders.map((entry) => order(entry, open.has(entry.id)))
      : [el("p", { class: "panel-empty", text: "No orders yet. Ask for something." })]));
  };
}
