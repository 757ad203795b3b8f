// Devices: what is paired, revoking it, and pairing another one both ways.

import { api } from "../api.js";
import { ago, el } from "../dom.js";
import { FAMILIES } from "../device/profiles.js";
import { sure } from "../sure.js";

function row(entry, { onRevoke }) {
  const state = entry.connected ? (entry.on_body ? "linked, worn" : "linked, not worn") : `last seen ${ago(entry.last_seen_at) || "never"}`;
  if (entry.remembered === false) return passing(entry, state);
  const revoke = sure("Revoke", `Revoke ${entry.name}`, () => onRevoke(entry.id));
  return line(entry, state, revoke);
}

/** A device of this page, or another that asked to be forgotten: there is no key to revoke. */
function passing(entry, state) {
  return line(entry, state, el("span", { class: "device-passing", text: "lab" }));
}

function line(entry, state, last) {
  return el("li", { class: "device-row", "data-connected": String(entry.connected), "data-id": entry.id },
    el("span", { class: "device-dot", "aria-hidden": "true" }),
    el("span", { class: "device-name" }, el("strong", { text: entry.name }), el("span", { text: `${entry.family} · ${state}` })),
    last);
}

function showCode(fail) {
  const code = el("output", { class: "pair-code", "aria-live": "polite" });
  const word = el("p", { class: "pair-word", text: "Type it on the device within five minutes." });
  word.hidden = true;
  let ends = null;
  const button = el("button", { class: "action", type: "button", text: "Show a code" });
  button.addEventListener("click", async () => {
    try {
      const answer = await api.showCode();
      code.textContent = answer.code;
      word.hidden = false;
      clearTimeout(ends);
      ends = setTimeout(() => {
        code.textContent = "";
        word.hidden = true;
      }, answer.expires_s * 1000);
    } catch (error) {
      fail(error);
    }
  });
  return el("section", { class: "pair-way" },
    el("h3", { text: "The device takes a code" }), button, code, word);
}

function enterCode(fail, refresh) {
  const field = el("input", {
    class: "pair-field", inputmode: "numeric", maxlength: "6", pattern: "[0-9]{6}", required: true, placeholder: "000000",
    autocomplete: "off", "aria-label": "Six digit code shown on the device",
  });
  const word = el("p", { class: "pair-word", role: "status" });
  const form = el("form", { class: "pair-form" }, field, el("button", { class: "action", type: "submit", text: "Pair" }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await api.enterCode(field.value);
      field.value = "";
      word.textContent = "Paired.";
      await refresh();
    } catch (error) {
      word.textContent = "";
      fail(error);
    }
  });
  return el("section", { class: "pair-way" }, el("h3", { text: "The device shows a code" }), form, word);
}

export function devicesTab(content, { fail }) {
  const list = el("ul", { class: "device-list" });
  let drawn = "";
  const refresh = async () => {
    const devices = await api.devices();
    const written = JSON.stringify([devices, devices.map((entry) => ago(entry.last_seen_at))]);
    if (written === drawn) return;
    drawn = written;
    const onRevoke = async (id) => {
      try {
        await api.revoke(id);
        await refresh();
      } catch (error) {
        fail(error);
      }
    };
    list.replaceChildren(...(devices.length
      ? devices.map((entry) => row(entry, { onRevoke }))
      : [el("li", { class: "panel-empty", text: "No device is paired yet." })]));
  };
  content.append(list,
    el("h2", { class: "panel-title", text: "Pair another" }),
    showCode(fail), enterCode(fail, refresh),
    el("section", { class: "pair-way" },
      el("h3", { text: "Or open one alone" }),
      el("p", { class: "links" }, ...FAMILIES.map((family) => el("a", { href: `/d/${family}`, target: "_blank", rel: "noopener", text: family })))));
  return refresh;
}
