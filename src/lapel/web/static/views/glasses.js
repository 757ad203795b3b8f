// Glasses: a monochrome head-up display of seven lines on see-through lenses, and a microphone behind the temple.

import { el } from "../dom.js";
import { countdown } from "./countdown.js";
import { drawHud } from "./hud.js";
import { STATE_WORDS, icon, stateIcon } from "./icons.js";
import { tile } from "./tile.js";

const REPLY_STAYS_MS = 20000;

/** A question that waits for the user is never covered, and a receipt covers nothing. */
function rank({ kind }) {
  return { approval: 2, receipt: 0 }[kind] ?? 1;
}

/** Words that need no place of their own for long. */
function isWords({ kind, card }) {
  return (kind === "reply" || kind === "notice") && !card.lines?.length;
}

export function glasses(device, options = {}) {
  const hud = device.profile.displays[0];
  const card = el("div", { class: "hud-card", role: "region", "aria-label": "Glasses display", "aria-live": "polite" });
  const timer = el("div", { class: "hud-timer" });
  const word = el("span", { class: "hud-state-word" });
  const clock = el("span", { class: "hud-clock", "aria-hidden": "true" });
  const heard = el("p", { class: "hud-heard", "aria-label": "What Lapel heard", "aria-live": "polite" });
  const answer = el("p", { class: "hud-answer", "aria-live": "polite", "aria-label": "Answer" });
  const status = el("div", { class: "hud-status" }, el("div", { class: "hud-state" }, stateIcon(), word, clock), heard, answer);
  const talk = el("button", { class: "talk", type: "button", "aria-pressed": "false", "aria-keyshortcuts": "m" },
    icon("microphone"), el("span", { class: "talk-word", text: "Talk" }), el("kbd", { text: "M" }));
  const lenses = el("div", { class: "lenses" },
    el("div", { class: "lens lens-left" }, el("div", { class: "world" }), el("div", { class: "hud" }, status)),
    el("div", { class: "bridge", "aria-hidden": "true" }),
    el("div", { class: "lens lens-right" }, el("div", { class: "world" }), el("div", { class: "hud" }, card, timer)));
  const element = tile(device, { title: "Glasses", hint: "Tap the temple or press M to talk.", ...options },
    lenses, el("div", { class: "temple" }, talk));

  let offset = 0;
  let drawn = null;
  let fading = null;
  const dim = new Set();
  const shown = () => {
    const cues = [...device.cards.values()];
    const fresh = cues.filter((cue) => !dim.has(cue.id));
    return (fresh.length ? fresh : cues).reduce((best, cue) => (best && rank(best) > rank(cue) ? best : cue), null);
  };
  const draw = () => {
    const cue = shown();
    element.dataset.kind = cue?.kind ?? "none";
    const aside = [...device.cards.values()].findLast((each) => each !== cue && isWords(each) && !dim.has(each.id));
    answer.textContent = aside && cue?.kind === "approval" ? aside.card.body || aside.card.title : "";
    const wording = JSON.stringify([cue?.id, offset, cue ? { ...cue.card, map: null } : null]);
    if (wording === drawn) return;
    drawn = wording;
    timer.replaceChildren();
    if (!cue) {
      card.replaceChildren();
      return;
    }
    drawHud(card, cue.card, { lines: hud.lines, offset });
    const left = countdown(cue);
    if (left) timer.append(left);
  };
  const scroll = (step) => {
    const items = shown()?.card?.lines?.length ?? 0;
    offset = Math.max(0, Math.min(items - 1, offset + step * 3));
    device.gesture("temple", step > 0 ? "swipe_forward" : "swipe_back");
    draw();
  };
  const drawState = () => {
    const state = device.listening && device.state === "idle" ? "listening" : device.state;
    element.dataset.state = state;
    word.textContent = STATE_WORDS[state] ?? state;
  };

  device.addEventListener("cue", ({ detail: { cue } }) => {
    offset = 0;
    clearTimeout(fading);
    if (cue.card && isWords(cue)) {
      fading = setTimeout(() => {
        dim.add(cue.id);
        draw();
      }, REPLY_STAYS_MS);
    }
    draw();
  });
  device.addEventListener("clear", draw);
  device.addEventListener("state", drawState);
  device.addEventListener("listening", ({ detail }) => {
    talk.setAttribute("aria-pressed", String(detail));
    talk.querySelector(".talk-word").textContent = detail ? "Listening" : "Talk";
    drawState();
  });
  device.addEventListener("level", ({ detail }) => talk.style.setProperty("--level", detail.toFixed(2)));
  device.addEventListener("transcript", ({ detail }) => {
    heard.textContent = detail.text;
    heard.dataset.final = String(detail.final);
  });
  talk.addEventListener("click", () => device.toggleListening());
  lenses.addEventListener("wheel", (event) => {
    if ((shown()?.card?.lines?.length ?? 0) <= hud.lines - 3) return;
    event.preventDefault();
    scroll(Math.sign(event.deltaY));
  }, { passive: false });
  element.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      scroll(event.key === "ArrowDown" ? 1 : -1);
    }
  });
  const tick = () => {
    clock.textContent = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  };
  setInterval(tick, 5000);
  tick();
  draw();
  drawState();
  return element;
}
