// The small drawings of the lab, as SVG elements.

import { svg } from "../dom.js";

const PATHS = {
  microphone: "M12 3a3 3 0 0 1 3 3v6a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3Zm-6.5 8.5a6.5 6.5 0 0 0 13 0M12 18v3",
  send: "M5 12h13M12.5 6l6 6-6 6",
  open: "M14 5h5v5M19 5l-8 8M17 14v4a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  download: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  pin: "M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11Zm0-8.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
};

/** A line drawing of 24 by 24. It is decoration: the element around it carries the name. */
export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}

export const STATE_WORDS = {
  idle: "Ready",
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
  interrupted: "Interrupted",
};

/** Four bars that move with the turn's state; `data-state` on an ancestor picks the movement. */
export function stateIcon() {
  const bars = [0, 1, 2, 3].map((bar) => svg("rect", { class: `bar bar-${bar}`, x: 2 + bar * 6, y: 3, width: 3, height: 18, rx: 1.5 }));
  return svg("svg", { viewBox: "0 0 24 24", class: "state-icon", "aria-hidden": "true" }, ...bars);
}
