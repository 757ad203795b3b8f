// The device lab: five devices of the signed-in user side by side, each with its own link, and the panel.

import { api } from "./api.js";
import { Device } from "./device/device.js";
import { el } from "./dom.js";
import { oneMicrophone, unlockOnGesture } from "./page.js";
import { mountPanel } from "./panel.js";
import { VIEWS } from "./views/index.js";

const MERCHANTS_AGAIN_MS = 2000;
const EXAMPLES = [
  "Two iced lattes and a blueberry muffin to my office",
  "Make it three",
  "No muffin",
  "Where is my order?",
  "Get me a ride home",
  "Flights to Berlin on Friday morning",
  "Dinner for two tomorrow at half past seven near the station",
  "Find me a phone charger",
];

function listenKey(device) {
  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "m" || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    device.toggleListening();
  });
}

function summary(devices, session) {
  const place = document.getElementById("summary");
  // Just after a start Lapel still looks for its merchants.
  const count = async () => {
    if (session.merchants) return;
    session = await api.session().catch(() => session);
    draw();
    setTimeout(count, MERCHANTS_AGAIN_MS);
  };
  const draw = () => {
    const linked = devices.filter((device) => device.online).length;
    const open = devices.find((device) => device.listening);
    const parts = [
      session.user?.name,
      session.merchants === undefined ? null : `${session.merchants} ${session.merchants === 1 ? "merchant" : "merchants"}`,
      session.speech ? null : "text only",
      `${linked} of ${devices.length} linked`,
      open ? `microphone open: ${open.profile.name}` : null,
    ];
    place.textContent = parts.filter(Boolean).join("  ·  ");
    document.body.dataset.listening = String(Boolean(open));
  };
  for (const device of devices) {
    device.addEventListener("link", draw);
    device.addEventListener("listening", draw);
  }
  draw();
  setTimeout(count, MERCHANTS_AGAIN_MS);
}

function chips(device) {
  document.getElementById("chips").append(...EXAMPLES.map((words) => el("button", {
    class: "chip", type: "button", text: words, onclick: () => device.say(words),
  })));
}

async function open() {
  const bench = document.getElementById("bench");
  let session;
  try {
    session = await api.session();
  } catch (error) {
    bench.append(el("p", { class: "sorry", role: "alert", text: error.message }));
    return;
  }
  // The token is asked for anew at each hello: it may have changed while the lab was open.
  const auth = async () => ({ token: (await api.session()).token, remember: false });
  const devices = await Promise.all(Object.keys(VIEWS).map((family) => Device.make({ family, slot: `lab:${family}`, auth })));
  const byFamily = Object.fromEntries(devices.map((device) => [device.family, device]));
  for (const device of devices) bench.append(VIEWS[device.family](device));
  unlockOnGesture(devices);
  oneMicrophone(devices);
  listenKey(byFamily.glasses);
  chips(byFamily.phone);
  summary(devices, session);
  const panel = mountPanel(document.getElementById("panel"));
  for (const device of devices) {
    device.addEventListener("link", () => panel.changed("devices"));
    device.addEventListener("cue", ({ detail: { cue } }) => {
      if (cue.kind === "order" || cue.kind === "receipt" || cue.kind === "approval") panel.changed("orders");
    });
    device.addEventListener("clear", () => panel.changed("orders"));
    device.connect();
  }
}

open();
