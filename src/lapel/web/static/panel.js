// The side panel: orders, menus, devices and places, one tab each. A tab reads the API when it is shown or told of a change.

import { el } from "./dom.js";
import { ordersTab } from "./panel/orders.js";
import { menusTab } from "./panel/menus.js";
import { devicesTab } from "./panel/devices.js";
import { placesTab } from "./panel/places.js";

const TABS = [
  { id: "orders", label: "Orders", make: ordersTab, every_ms: 15000 },
  { id: "menus", label: "Menus", make: menusTab, every_ms: 60000 },
  { id: "devices", label: "Devices", make: devicesTab, every_ms: 10000 },
  { id: "places", label: "Places", make: placesTab, every_ms: null },
];
const SETTLE_MS = 400;
const REFUSAL_STAYS_MS = 8000;

/** Fills `place`; `changed(id)` says that what a tab shows may have changed. */
export function mountPanel(place) {
  const tabs = TABS.map(makeTab);
  const list = el("div", { class: "tabs", role: "tablist", "aria-label": "Panel" }, ...tabs.map((tab) => tab.button));
  let shown = tabs[0];
  const show = (tab) => {
    shown = tab;
    for (const each of tabs) {
      const here = each === tab;
      each.button.setAttribute("aria-selected", String(here));
      each.button.tabIndex = here ? 0 : -1;
      each.page.hidden = !here;
    }
    tab.refresh();
  };
  for (const tab of tabs) {
    tab.button.addEventListener("click", () => show(tab));
    if (tab.every_ms) setInterval(() => shown === tab && !document.hidden && tab.refresh(), tab.every_ms);
  }
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(shown) + step + tabs.length) % tabs.length];
    show(next);
    next.button.focus();
  });
  place.append(list, ...tabs.map((tab) => tab.page));
  show(shown);
  return {
    changed(id) {
      const tab = tabs.find((each) => each.id === id);
      clearTimeout(tab.settle);
      tab.settle = setTimeout(() => shown === tab && tab.refresh(), SETTLE_MS);
    },
  };
}

function makeTab({ id, label, make, every_ms }) {
  const trouble = el("p", { class: "panel-trouble", role: "alert" });
  const content = el("div", { class: "panel-content" });
  const page = el("div", { class: "panel-page", role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}`, tabindex: "0" }, trouble, content);
  const button = el("button", { class: "tab", role: "tab", type: "button", id: `tab-${id}`, "aria-controls": `panel-${id}`, text: label });
  // What the user tried and was refused stays readable; a reading that failed is gone with the next that works.
  let refusal = "";
  const say = (reading) => {
    trouble.textContent = refusal || reading;
  };
  const fail = (error) => {
    refusal = error.message;
    say("");
    setTimeout(() => {
      refusal = "";
      say("");
    }, REFUSAL_STAYS_MS);
  };
  const load = make(content, { fail });
  const refresh = () => load().then(() => say(""), (error) => say(error.message));
  return { id, every_ms, page, button, refresh, settle: null };
}
