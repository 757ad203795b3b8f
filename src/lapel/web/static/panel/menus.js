// Menus: what the merchants that Lapel knows sell now.

import { api } from "../api.js";
import { el } from "../dom.js";

function menu({ merchant_name: name, open_now: open, items }, query) {
  const found = items.filter((item) => item.title.toLowerCase().includes(query));
  if (query && found.length === 0) return null;
  const categories = new Map();
  for (const item of found) {
    const category = item.category || "More";
    categories.set(category, [...(categories.get(category) ?? []), item]);
  }
  return el("details", { class: "menu", "data-open": String(open), open: query !== "" },
    el("summary", {},
      el("span", { class: "menu-name", text: name }),
      el("span", { class: "menu-open", text: open ? "Open" : "Closed" })),
    ...[...categories].map(([category, entries]) => el("section", {},
      el("h3", { text: category }),
      el("dl", { class: "card-lines" }, ...entries.map((item) => el("div", {},
        el("dt", { text: item.title }), el("dd", { text: String(item.price) })))))));
}

export function menusTab(content) {
  const search = el("input", { class: "field", type: "search", placeholder: "Search the menus", "aria-label": "Search the menus" });
  const list = el("div", { class: "menus" });
  content.append(search, list);
  let menus = [];
  let drawn = "";
  const draw = () => {
    const query = search.value.trim().toLowerCase();
    const shown = menus.map((entry) => menu(entry, query)).filter(Boolean);
    list.replaceChildren(...(shown.length ? shown : [el("p", { class: "panel-empty", text: menus.length ? "Nothing of that name." : "No merchant answers." })]));
  };
  search.addEventListener("input", draw);
  return async () => {
    menus = await api.menus();
    const written = JSON.stringify(menus);
    if (written === drawn) return;
    drawn = written;
    draw();
  };
}
