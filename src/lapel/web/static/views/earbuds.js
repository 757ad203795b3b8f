// Earbuds: what is said, as sound, as moving bars and as a caption.

import { calm, el, svg } from "../dom.js";
import { listenForPresses } from "../device/press.js";
import { tile } from "./tile.js";

const BARS = 13;
const REST = 0.06;

function bud(side) {
  const mirrored = side === "right" ? { transform: "translate(60 0) scale(-1 1)" } : {};
  return svg("svg", { viewBox: "0 0 60 110", class: `bud bud-${side}`, "aria-hidden": "true" },
    svg("g", mirrored,
      svg("path", { class: "bud-shell", d: "M10 30C8 14 20 4 34 6c14 2 22 14 20 28-1 9-6 15-13 18-3 1-5 4-5 8v36c0 6-4 9-9 9s-9-3-9-9V62c0-12-7-20-8-32Z" }),
      svg("ellipse", { class: "bud-tip", cx: 45, cy: 27, rx: 11, ry: 15 }),
      svg("path", { class: "bud-mesh", d: "M41 20v14M45 18v18M49 20v14" }),
      svg("circle", { class: "bud-light", cx: 27, cy: 95, r: 2.4 })));
}

export function earbuds(device, options = {}) {
  const bars = Array.from({ length: BARS }, (_, bar) => svg("rect", { x: bar * 8 + 1, y: 0, width: 4, height: 60, rx: 2, class: "wave-bar" }));
  const waves = svg("svg", { viewBox: "0 0 104 60", class: "waves", "aria-hidden": "true" }, ...bars);
  const caption = el("p", { class: "caption", "aria-live": "polite", "aria-label": "What the earbuds say" });
  const stem = el("button", { class: "stem", type: "button", "aria-label": "Earbud stem: press to accept, hold to refuse" },
    bud("left"), waves, bud("right"));
  const element = tile(device, { title: "Earbuds", hint: "Press to accept. Hold to refuse.", ...options }, stem, caption);

  let moving = false;
  const rest = () => bars.forEach((bar) => bar.style.setProperty("transform", `scaleY(${REST})`));
  const move = () => {
    if (!moving) return rest();
    const levels = device.speaker.spectrum(Math.ceil(BARS / 2));
    bars.forEach((bar, at) => {
      const level = levels[Math.abs(at - Math.floor(BARS / 2))] ?? 0;
      bar.style.setProperty("transform", `scaleY(${Math.max(REST, level)})`);
    });
    return requestAnimationFrame(move);
  };
  rest();

  listenForPresses(stem, {
    doubles: false,
    onGesture: (gesture) => {
      if (device.gesture("stem", gesture)) element.dataset.gesture = gesture;
    },
    onHold: (held) => stem.classList.toggle("held", held),
  });
  device.addEventListener("speaking", ({ detail }) => {
    element.dataset.speaking = String(detail !== null);
    if (detail) caption.textContent = detail.text;
    const wasMoving = moving;
    moving = detail !== null && !calm();
    if (moving && !wasMoving) move();
  });
  device.addEventListener("cue", ({ detail: { cue, fresh } }) => {
    if (cue.speech && fresh) caption.textContent = cue.speech;
  });
  device.addEventListener("locked", ({ detail }) => {
    caption.textContent = detail.text;
    device.dispatchEvent(new CustomEvent("notice", { detail: "Sound is off until you click or press a key on this page." }));
  });
  return element;
}
