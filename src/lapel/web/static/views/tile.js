// The frame around every device: its name, its link, whether it is worn, and a line for what it has to say.

import { el } from "../dom.js";
import { icon } from "./icons.js";

const LINK_WORDS = {
  connecting: "Connecting",
  pairing: "Pairing",
  online: "Linked",
  waiting: "Link lost, trying again",
  down: "Link dropped",
  ended: "Not linked",
};

const ENDING_WORDS = {
  unauthorized: "Lapel did not let this device in. Sign in again with the link that it printed.",
  signed_out: "You are signed out. Open the link that Lapel printed.",
  revoked: "This device was revoked. It has to be paired again.",
  taken_over: "Another tab took over this device.",
  bad_protocol: "Lapel speaks another version of the device protocol.",
  too_many_tries: "Too many wrong codes. Wait a minute.",
};

/** A tile for `device` with `body` inside; `alone` leaves out the link to its own page. */
export function tile(device, { title, hint = "", alone = false }, ...body) {
  const { family } = device;
  const dot = el("button", { class: "dot", type: "button", onclick: () => toggleLink(device) });
  const notice = el("p", { class: "notice", role: "status", "aria-live": "polite", text: hint });
  const article = el("article", { class: `tile ${family}`, "data-family": family, "aria-label": title },
    el("header", { class: "tile-head" },
      dot,
      el("h2", { text: title }),
      alone ? null : el("a", {
        class: "quiet-link", href: `/d/${family}`, target: "_blank", rel: "noopener",
        title: `Open the ${family} alone`, "aria-label": `Open the ${family} alone in a new tab`,
      }, icon("open")),
      device.profile.wear.detects ? wearSwitch(device, title) : null),
    el("div", { class: "tile-body" }, ...body),
    notice);
  drawLink(device, article, dot, title);
  device.addEventListener("link", ({ detail }) => {
    drawLink(device, article, dot, title);
    if (detail.status === "ended") say(notice, ENDING_WORDS[detail.reason] ?? "This device cannot link.");
    else if (detail.status === "down") say(notice, "Link dropped on purpose. Press the dot to resume.");
    else if (detail.status === "waiting") say(notice, "Link lost. Trying again.");
  });
  device.addEventListener("welcome", ({ detail }) => say(notice, detail.resumed ? "Resumed where it left off." : hint));
  device.addEventListener("notice", ({ detail }) => say(notice, detail));
  return article;
}

function say(notice, text) {
  notice.textContent = text;
}

function drawLink(device, article, dot, title) {
  const { status } = device.client;
  article.dataset.link = status;
  const does = status === "online" ? "press to drop the link" : "press to connect";
  dot.setAttribute("aria-label", `${title}: ${LINK_WORDS[status]}, ${does}`);
  dot.title = `${LINK_WORDS[status]}: ${does}`;
}

function toggleLink(device) {
  if (["down", "ended", "waiting"].includes(device.client.status)) device.connect();
  else device.drop();
}

function wearSwitch(device, title) {
  const label = el("span", { class: "switch-word" });
  const button = el("button", { class: "switch", type: "button", role: "switch", "aria-label": `${title} worn` },
    label, el("span", { class: "switch-track", "aria-hidden": "true" }));
  const draw = () => {
    button.setAttribute("aria-checked", String(device.onBody));
    label.textContent = device.onBody ? "Worn" : "Off";
    button.closest("article")?.setAttribute("data-worn", String(device.onBody));
  };
  button.addEventListener("click", () => device.wear(!device.onBody));
  device.addEventListener("wear", draw);
  draw();
  queueMicrotask(draw);
  return button;
}
