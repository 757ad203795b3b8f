// Tabs that read the API when they are shown, now and then while they are, and when told of a change.

import { el } from "./dom.js";

const SETTLE_MS = 400;
const REFUSAL_STAYS_MS = 8000;

/**
 * Fills `place` with `entries`: {id, label, make, every_ms}; `make(content, {fail, refresh})` gives the function that
 * reads and draws. `changed(id)` says that what a tab shows may have changed. With `named`, the address names the tab.
 */
export function mountTabs(place, entries, { label, named = false, vertical = false }) {
  const tabs = entries.map(makeTab);
  const list = el("div", {
    class: "tabs", role: "tablist", "aria-label": label, "aria-orientation": vertical ? "vertical" : null,
  }, ...tabs.map((tab) => tab.button));
  let shown = null;
  const show = (tab) => {
    shown = tab;
    for (const each of tabs) {
      const here = each === tab;
      each.button.setAttribute("aria-selected", String(here));
      each.button.tabIndex = here ? 0 : -1;
      each.page.hidden = !here;
    }
    if (named && location.hash !== `#${tab.id}`) history.replaceState(null, "", `#${tab.id}`);
    tab.refresh();
  };
  const asked = () => tabs.find((tab) => named && location.hash === `#${tab.id}`);
  for (const tab of tabs) {
    tab.button.addEventListener("click", () => show(tab));
    if (tab.every_ms) setInterval(() => shown === tab && !document.hidden && tab.refresh(), tab.every_ms);
  }
  const keys = vertical ? { ArrowDown: 1, ArrowUp: -1 } : { ArrowRight: 1, ArrowLeft: -1 };
  list.addEventListener("keydown", (event) => {
    const step = keys[event.key];
    if (!step) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(shown) + step + tabs.length) % tabs.length];
    show(next);
    next.button.focus();
  });
  addEventListener("hashchange", () => {
    const tab = asked();
    if (tab && tab !== shown) show(tab);
  });
  place.append(list, ...tabs.map((tab) => tab.page));
  show(asked() ?? tabs[0]);
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
  let load = null;
  const refresh = () => load().then(() => say(""), (error) => say(error.message));
  load = make(content, { fail, refresh });
  return { id, every_ms, page, button, refresh, settle: null };
}
