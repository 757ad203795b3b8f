// One device alone in its own page: paired with this browser by a key, on this machine or another.

import { api } from "./api.js";
import { Device } from "./device/device.js";
import { FAMILIES } from "./device/profiles.js";
import { el } from "./dom.js";
import { unlockOnGesture } from "./page.js";
import { VIEWS } from "./views/index.js";

const place = document.getElementById("alone");

function familyOfPage() {
  const [, family] = location.pathname.match(/\/d\/([a-z]+)/) ?? [];
  return FAMILIES.includes(family) ? family : null;
}

const ENDED = {
  revoked: "This device was revoked. Pair it again.",
  too_many_tries: "Too many wrong codes. Wait a minute.",
};

/** How this device proves itself: its key, else the code that was typed, else the sign-in, else it asks for a code. */
class Credentials {
  constructor() {
    this.code = null;
    this.ask = false;
    this.signedIn = false;
  }

  async forHello(memory) {
    if (memory.key) return { key: memory.key };
    if (this.code) return { code: this.code };
    if (this.ask) return { pair: true };
    return { token: (await api.session()).token };
  }
}

/** What the user does while the device has no key: type a code here, or read one off and type it into Lapel. */
function pairing(device, credentials) {
  const shown = el("output", { class: "pair-code", "aria-live": "polite", "aria-label": "Pairing code" });
  const word = el("p", { class: "pair-word", role: "status" });
  const field = el("input", {
    class: "pair-field", inputmode: "numeric", autocomplete: "one-time-code", maxlength: "6", pattern: "[0-9]{6}", required: true,
    placeholder: "000000", "aria-label": "Six digit code from Lapel",
  });
  const again = (change) => {
    Object.assign(credentials, { code: null, ask: false }, change);
    if (device.client.status !== "ended") device.drop();
    device.connect();
  };
  const form = el("form", { class: "pair-form" }, field, el("button", { class: "action main", type: "submit", text: "Pair" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    again({ code: field.value });
  });
  const box = el("section", { class: "pair", "aria-label": "Pair this device", hidden: true },
    el("h2", { text: "Pair this device" }),
    el("p", {}, "Ask Lapel for a code (under Devices, or with ", el("code", { text: "lapel devices pair" }), ") and type it here."),
    form,
    el("p", { class: "pair-or", text: "or" }),
    el("button", { class: "action", type: "button", text: "Show a code to type into Lapel", onclick: () => again({ ask: true }) }),
    shown, word);
  device.addEventListener("link", ({ detail }) => {
    box.hidden = detail.status === "online" || (detail.status !== "pairing" && Boolean(device.memory.key));
    if (detail.status === "ended") {
      shown.textContent = "";
      word.textContent = ENDED[detail.reason] ?? (credentials.code ? "That code was not right, or it has expired." : "");
    }
  });
  device.addEventListener("pairing", ({ detail }) => {
    shown.textContent = detail.code;
    word.textContent = `Type this code into Lapel within ${Math.round(detail.expires_s / 60)} minutes.`;
  });
  device.addEventListener("paired", () => Object.assign(credentials, { code: null, ask: false }));
  return box;
}

async function open() {
  const family = familyOfPage();
  if (!family) {
    place.append(el("p", { class: "sorry", role: "alert", text: `There is no such device. Try one of: ${FAMILIES.join(", ")}.` }));
    return;
  }
  const credentials = new Credentials();
  credentials.signedIn = await api.session().then(() => true, () => false);
  const device = await Device.make({ family, slot: `alone:${family}`, auth: (memory) => credentials.forHello(memory) });
  document.title = `${device.profile.name} · Lapel`;
  place.append(pairing(device, credentials), VIEWS[family](device, { alone: true, signedIn: credentials.signedIn }));
  unlockOnGesture([device]);
  device.connect();
}

open();
