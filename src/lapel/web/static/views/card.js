// A cue's card on a large display: lines, total, progress, map, buttons.

import { el } from "../dom.js";
import { countdown } from "./countdown.js";
import { icon } from "./icons.js";

function lines(card) {
  if (!card.lines?.length) return null;
  return el("dl", { class: "card-lines" }, ...card.lines.map((line) => el("div", {},
    el("dt", { text: line.text }), el("dd", { text: line.value ?? "" }))));
}

/** A receipt repeats what the order's card shows, so its lines are folded away. */
function folded(card) {
  return card.lines?.length ? el("details", {}, el("summary", { text: "What was bought" }), lines(card)) : null;
}

function progress({ steps, at }) {
  return el("ol", { class: "steps", "aria-label": "Progress" }, ...steps.map((step, index) => {
    const state = index < at ? "done" : index === at ? "now" : "ahead";
    return el("li", { class: `step ${state}`, "aria-current": state === "now" ? "step" : null },
      el("span", { class: "step-mark", "aria-hidden": "true" }, state === "done" ? icon("check") : null),
      el("span", { text: step }));
  }));
}

/** Only https, or a program on this machine; a page of a shop's is opened by the user's press and by nothing else. */
export function followable(url) {
  try {
    const { protocol, hostname } = new URL(url);
    return protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(hostname));
  } catch {
    return false;
  }
}

function pageLink({ url, label }) {
  return el("a", { class: "action main page-link", href: url, target: "_blank", rel: "noopener noreferrer", referrerpolicy: "no-referrer", text: label });
}

/** `onAction(action)` gets a pressed button; `picture` is the drawn map, `receipt` a path to download from. */
export function drawCard(cue, { onAction, picture = null, receipt = null }) {
  const { card } = cue;
  const buttons = (card.actions ?? []).map((each, index) => el("button", {
    class: index === 0 ? "action main" : "action", type: "button", "data-action": each.action, text: each.label,
    onclick: () => onAction(each.action),
  }));
  return el("section", { class: "card", "data-kind": cue.kind, "data-topic": cue.topic, "aria-label": card.title },
    el("h3", { text: card.title }),
    card.body ? el("p", { class: "card-body", text: card.body }) : null,
    cue.kind === "receipt" ? folded(card) : lines(card),
    card.total ? el("p", { class: "card-total" }, el("span", { text: "Total" }), el("strong", { text: card.total })) : null,
    card.progress ? progress(card.progress) : null,
    picture,
    card.link && followable(card.link.url) ? el("div", { class: "actions" }, pageLink(card.link)) : null,
    buttons.length ? el("div", { class: "actions" }, ...buttons) : null,
    countdown(cue),
    card.footer && !buttons.length ? el("p", { class: "card-footer", text: card.footer }) : null,
    receipt ? el("a", { class: "receipt", href: receipt, download: "" }, icon("download"), "Receipt") : null);
}
