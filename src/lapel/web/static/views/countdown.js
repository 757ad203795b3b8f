// How long a card still stands, as a shrinking line and a number.

import { el } from "../dom.js";

/** "45 s"; minutes where there are several, for then nobody counts seconds. */
function left(ms) {
  return ms > 180_000 ? `${Math.ceil(ms / 60_000)} min` : `${Math.ceil(ms / 1000)} s`;
}

/** An element that counts down to `cue.expires_at`, or null when the cue does not expire. */
export function countdown(cue) {
  if (!cue.expires_at) return null;
  const total_ms = cue.expires_s * 1000;
  const bar = el("i", { class: "countdown-bar" });
  const number = el("span", { class: "countdown-number" });
  const element = el("div", { class: "countdown", "aria-hidden": "true" }, bar, number);
  const draw = () => {
    const left_ms = Math.max(0, cue.expires_at - Date.now());
    number.textContent = left(left_ms);
    bar.style.setProperty("--left", Math.min(1, left_ms / total_ms));
    if (left_ms > 0) setTimeout(() => element.isConnected && draw(), 1000);
  };
  queueMicrotask(draw);
  return element;
}
