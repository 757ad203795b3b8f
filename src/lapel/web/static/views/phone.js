// Phone: a conversation to type in, cards with buttons, an order's progress, its map and its receipt.

import { api } from "../api.js";
import { el, replay } from "../dom.js";
import { MapPicture } from "../map.js";
import { agreeWithPasskey } from "../passkey.js";
import { drawCard } from "./card.js";
import { STATE_WORDS, icon, stateIcon } from "./icons.js";
import { tile } from "./tile.js";

const THREAD_LIMIT = 60;
const PRESS_AGAIN_MS = 1500;
const HAPTIC_MS = { pulse: [120], double: [90, 110, 90], long: [600] };

/** Words alone, as a speech bubble holds them. */
function bubbleText({ card }) {
  if (card.lines?.length || card.actions?.length || card.progress || card.map || card.link || card.total) return null;
  return card.body || card.title;
}

/** What a card says, without its map: a courier that moves changes nothing that has to be read out again. */
function wording({ kind, card }) {
  return JSON.stringify([kind, { ...card, map: Boolean(card.map) }]);
}

/** The order that a receipt belongs to: its topic names it. */
function orderOf(cue) {
  return cue.kind === "receipt" ? cue.topic.split(":")[1] ?? null : null;
}

/** A map stays up between two steps of an order that is still on its way. */
function keepsMap({ kind, card }) {
  return kind === "order" && card.progress && card.progress.at < card.progress.steps.length;
}

export function phone(device, { signedIn = true, ...options } = {}) {
  const thread = el("div", { class: "thread", role: "log", "aria-live": "polite", "aria-label": "Conversation", tabindex: "0" });
  const empty = el("p", { class: "thread-empty", text: "What would you like?" });
  const field = el("input", {
    class: "composer-field", type: "text", name: "words", autocomplete: "off", placeholder: "Ask for something", "aria-label": "Message",
    enterkeyhint: "send", maxlength: "500",
  });
  const composer = el("form", { class: "composer" }, field,
    el("button", { class: "composer-send", type: "submit", "aria-label": "Send" }, icon("send")));
  const word = el("span", { class: "phone-state-word" });
  const sharing = el("button", {
    class: "phone-position", type: "button", "aria-pressed": "false", "aria-label": "Share my position", title: "Share my position",
    onclick: () => device.position.toggle(),
  }, icon("pin"), el("span", { class: "phone-position-word", text: "Sharing position" }));
  const body = el("div", { class: "phone-body" },
    el("div", { class: "phone-bar" }, el("strong", { text: "Lapel" }), el("span", { class: "phone-state" }, stateIcon(), word), sharing),
    thread, composer);
  const element = tile(device, { title: "Phone", hint: "", ...options }, body);

  const places = new Map();
  const pictures = new Map();

  const toEnd = () => {
    thread.scrollTop = thread.scrollHeight;
  };
  const add = (node) => {
    empty.remove();
    thread.append(node);
    while (thread.children.length > THREAD_LIMIT) thread.firstElementChild.remove();
    toEnd();
  };
  const pictureFor = (cue) => {
    let picture = pictures.get(cue.topic) ?? null;
    if (!cue.card.map) return picture && keepsMap(cue) ? picture.element : null;
    if (!picture) {
      picture = new MapPicture();
      pictures.set(cue.topic, picture);
    }
    picture.update(cue.card.map);
    return picture.element;
  };
  const press = (node, cue, action) => {
    if (action === "passkey") {
      agreeWithPasskey(cue.topic).catch((error) => add(el("div", { class: "bubble theirs", role: "alert", text: error.message })));
      return;
    }
    if (!device.gesture("screen", "press", { action, topic: cue.topic })) return;
    const able = (yes) => {
      for (const button of node.querySelectorAll("button")) button.disabled = !yes;
    };
    able(false);
    // A card that still stands after a while was not decided by it: let it be pressed again.
    setTimeout(() => able(true), PRESS_AGAIN_MS);
  };
  const draw = (cue) => {
    const words = bubbleText(cue);
    if (words) return el("div", { class: "bubble theirs", "data-kind": cue.kind, text: words });
    const order = orderOf(cue);
    const node = drawCard(cue, {
      onAction: (action) => press(node, cue, action),
      picture: pictureFor(cue),
      receipt: signedIn && order ? api.receiptPath(order) : null,
    });
    return node;
  };
  const show = (cue) => {
    const before = places.get(cue.topic);
    const written = wording(cue);
    if (before?.dataset.wording === written && cue.card.map) {
      pictureFor(cue);
      return;
    }
    const node = draw(cue);
    node.dataset.wording = written;
    places.set(cue.topic, node);
    if (before && !before.classList.contains("bubble")) {
      if (before === thread.lastElementChild) {
        node.classList.add("again");
        before.replaceWith(node);
        toEnd();
        return;
      }
      before.remove();
    }
    add(node);
  };
  const drawState = () => {
    element.dataset.state = device.state;
    word.textContent = device.state === "idle" ? "" : STATE_WORDS[device.state] ?? device.state;
  };

  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    if (device.say(field.value)) field.value = "";
  });
  device.addEventListener("said", ({ detail }) => add(el("div", { class: "bubble mine", text: detail })));
  device.addEventListener("cue", ({ detail: { cue } }) => {
    if (cue.card) show(cue);
  });
  device.addEventListener("clear", ({ detail: { topic } }) => {
    const node = places.get(topic);
    if (node && !node.classList.contains("bubble")) node.remove();
    places.delete(topic);
    pictures.delete(topic);
  });
  device.addEventListener("haptic", ({ detail: pattern }) => {
    for (const other of Object.keys(HAPTIC_MS)) body.classList.remove(`haptic-${other}`);
    replay(body, `haptic-${pattern}`);
    navigator.vibrate?.(HAPTIC_MS[pattern] ?? 100);
  });
  device.addEventListener("state", drawState);
  device.addEventListener("sharing", ({ detail }) => sharing.setAttribute("aria-pressed", String(detail)));
  thread.append(empty);
  for (const cue of device.cards.values()) if (cue.card) show(cue);
  drawState();
  return element;
}
