// Pendant: a microphone to tap, and a light that says that it is open.

import { el, svg } from "../dom.js";
import { STATE_WORDS, icon } from "./icons.js";
import { tile } from "./tile.js";

function cord() {
  return svg("svg", { viewBox: "0 0 200 90", class: "cord", "aria-hidden": "true" },
    svg("path", { d: "M34 0C48 40 78 66 100 82 122 66 152 40 166 0" }));
}

export function pendant(device, options = {}) {
  const state = el("p", { class: "pendant-state", role: "status", "aria-live": "polite" });
  const heard = el("p", { class: "pendant-heard", "aria-live": "polite", "aria-label": "What Lapel heard" });
  const button = el("button", { class: "pendant-disc", type: "button", "aria-pressed": "false", "aria-label": "Pendant: tap to talk" },
    el("span", { class: "pendant-level", "aria-hidden": "true" }),
    el("span", { class: "pendant-led", "aria-hidden": "true" }),
    icon("microphone"));
  const element = tile(device, { title: "Pendant", hint: "Tap to talk. Tap again to close.", ...options },
    el("div", { class: "pendant-hang" }, cord(), button), state, heard);

  const draw = () => {
    const shown = device.listening && device.state === "idle" ? "listening" : device.state;
    element.dataset.state = shown;
    element.dataset.listening = String(device.listening);
    button.setAttribute("aria-pressed", String(device.listening));
    state.textContent = device.listening || device.state !== "idle" ? STATE_WORDS[shown] ?? shown : "";
  };
  button.addEventListener("click", () => device.toggleListening());
  device.addEventListener("listening", draw);
  device.addEventListener("state", draw);
  device.addEventListener("level", ({ detail }) => button.style.setProperty("--level", detail.toFixed(2)));
  device.addEventListener("transcript", ({ detail }) => {
    heard.textContent = detail.text;
    heard.dataset.final = String(detail.final);
  });
  draw();
  return element;
}
