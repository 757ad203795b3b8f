// Ring: a touch pad that presses, a light, and a motor.

import { el, replay, svg } from "../dom.js";
import { listenForPresses } from "../device/press.js";
import { tile } from "./tile.js";

const HAPTIC_WORDS = { pulse: "One pulse", double: "Two pulses", long: "A long buzz" };
const HAPTIC_MS = { pulse: [120], double: [90, 110, 90], long: [600] };
const GESTURE_WORDS = { press: "Press", double_press: "Double press", long_press: "Long press" };

function drawing() {
  const stop = (offset, name) => svg("stop", { offset, class: name });
  return svg("svg", { viewBox: "0 0 200 200", class: "ring-drawing", "aria-hidden": "true" },
    svg("defs", {},
      svg("linearGradient", { id: "ring-metal", x1: 0, y1: 0, x2: 1, y2: 1 },
        stop("0", "metal-light"), stop("0.45", "metal-mid"), stop("0.55", "metal-dark"), stop("1", "metal-mid")),
      svg("linearGradient", { id: "ring-inner", x1: 0, y1: 0, x2: 0, y2: 1 }, stop("0", "metal-deep"), stop("1", "metal-mid"))),
    svg("circle", { class: "wave wave-1", cx: 100, cy: 100, r: 74 }),
    svg("circle", { class: "wave wave-2", cx: 100, cy: 100, r: 74 }),
    svg("g", { class: "ring-body" },
      svg("circle", { cx: 100, cy: 100, r: 64, fill: "none", stroke: "url(#ring-metal)", "stroke-width": 26 }),
      svg("circle", { cx: 100, cy: 100, r: 52, fill: "none", stroke: "url(#ring-inner)", "stroke-width": 3 }),
      svg("circle", { class: "ring-shine", cx: 100, cy: 100, r: 75 }),
      svg("path", { class: "ring-light", d: "M68 44.6 A64 64 0 0 1 132 44.6" })));
}

export function ring(device, options = {}) {
  const felt = el("p", { class: "ring-felt", role: "status", "aria-live": "polite" });
  const pad = el("button", {
    class: "ring-pad", type: "button",
    "aria-label": "Ring pad: press to accept, hold to refuse, press twice for the second action",
  }, drawing());
  const element = tile(device, { title: "Ring", hint: "Press to accept. Hold to refuse.", ...options }, pad, felt);

  const waiting = () => [...device.cards.values()].some((cue) => cue.kind === "approval");
  const draw = () => {
    element.dataset.waiting = String(waiting());
  };
  listenForPresses(pad, {
    onGesture: (gesture) => {
      if (!device.gesture("pad", gesture)) return;
      felt.textContent = GESTURE_WORDS[gesture];
      element.dataset.gesture = gesture;
    },
    onHold: (held) => pad.classList.toggle("held", held),
  });
  device.addEventListener("haptic", ({ detail: pattern }) => {
    for (const other of Object.keys(HAPTIC_WORDS)) pad.classList.remove(`haptic-${other}`);
    replay(pad, `haptic-${pattern}`);
    felt.textContent = HAPTIC_WORDS[pattern] ?? pattern;
    element.dataset.haptic = pattern;
    navigator.vibrate?.(HAPTIC_MS[pattern] ?? 100);
  });
  device.addEventListener("cue", draw);
  device.addEventListener("clear", () => {
    draw();
    if (!waiting()) felt.textContent = "";
  });
  draw();
  return element;
}
