// How a card becomes the few lines of a head-up display.

import { el } from "../dom.js";

/**
 * The rows that show `card` on a display of `lines` lines, from item `offset` on: {kind, text, value, span}.
 * Title, total, progress and footer always keep their line, and so does the word on an order under way; items share what
 * is left, and the rest is counted.
 */
export function hudRows(card, { lines = 7, offset = 0 } = {}) {
  const items = card.lines ?? [];
  const fixed = [card.title, card.total, card.progress, card.footer].filter(Boolean).length;
  const room = Math.max(1, lines - fixed);
  const span = bodySpan(card, items.length, room);
  const places = room - span;
  const rows = [];
  if (card.title) rows.push({ kind: "title", text: card.title });
  if (span) rows.push({ kind: "body", text: card.body, span });
  const start = Math.min(offset, Math.max(0, items.length - 1));
  const rest = items.slice(start);
  const shown = rest.length > places ? rest.slice(0, Math.max(0, places - 1)) : rest;
  for (const item of shown) rows.push({ kind: "line", text: item.text, value: item.value ?? "" });
  if (shown.length < rest.length && places > 0) rows.push({ kind: "more", text: `${rest.length - shown.length} more`, value: "›" });
  if (card.total) rows.push({ kind: "total", text: "Total", value: card.total });
  if (card.progress) rows.push({ kind: "progress", text: stepText(card.progress), value: "" });
  if (card.footer) rows.push({ kind: "footer", text: card.footer });
  return rows;
}

function bodySpan(card, items, room) {
  if (!card.body) return 0;
  if (items === 0) return room;
  return card.progress || items < room ? 1 : 0;
}

/** The step that is under way, as a word: the last one when all are done. */
export function stepText({ steps, at }) {
  return steps[Math.min(at, steps.length - 1)] ?? "";
}

/** Draws a card into `place`. */
export function drawHud(place, card, options) {
  place.replaceChildren(...hudRows(card, options).map((row) => drawRow(row, card)));
}

function drawRow(row, card) {
  if (row.kind === "progress") return drawProgress(card.progress, row.text);
  const text = el("span", { class: "hud-text", text: row.text });
  const line = el("div", { class: `hud-row hud-${row.kind}` }, text,
    row.value ? el("span", { class: "hud-value", text: row.value }) : null);
  if (row.span) text.style.setProperty("--span", row.span);
  return line;
}

function drawProgress({ steps, at }, word) {
  const ticks = steps.map((_, step) => el("i", { class: step < at ? "done" : step === at ? "now" : "" }));
  return el("div", { class: "hud-row hud-progress" },
    el("span", { class: "hud-text", text: word }),
    el("span", { class: "hud-ticks", "aria-hidden": "true" }, ...ticks));
}
