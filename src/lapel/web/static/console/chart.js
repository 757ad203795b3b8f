// Spending day by day as bars, one colour a payee. Drawn by hand: one picture is no reason for a chart library.

import { el, svg } from "../dom.js";

const WIDTH = 720;
const HEIGHT = 190;
const FLOOR = HEIGHT - 26;
const TOP = 18;
const COLOURS = ["#93f5c0", "#8cc8ff", "#f4bf5f", "#f58a86", "#c3a6ff", "#7fd4d4", "#d5dde3"];

const dayName = (at) => new Date(at).toLocaleDateString([], { weekday: "short", day: "numeric" });

/** `days` as `byDay` makes them; `text(minor)` writes an amount. */
export function spendChart(days, names, text) {
  const payees = [...new Set(days.flatMap((day) => [...day.payees.keys()]))];
  const colour = (payee) => COLOURS[payees.indexOf(payee) % COLOURS.length];
  const totals = days.map((day) => [...day.payees.values()].reduce((sum, minor) => sum + Math.max(minor, 0), 0));
  const most = Math.max(...totals, 1);
  const step = WIDTH / days.length;
  const bars = days.flatMap((day, index) => {
    let y = FLOOR;
    const parts = [...day.payees].filter(([, minor]) => minor > 0).map(([payee, minor]) => {
      const height = (minor / most) * (FLOOR - TOP);
      y -= height;
      return svg("rect", { x: index * step + step * 0.18, y, width: step * 0.64, height, rx: 3, fill: colour(payee) },
        svg("title", { text: `${names.get(payee) ?? payee}: ${text(minor)}` }));
    });
    const label = index % 2 === (days.length - 1) % 2
      ? svg("text", { x: (index + 0.5) * step, y: HEIGHT - 8, class: "chart-day", text: dayName(day.from) }) : null;
    const sum = totals[index] ? svg("text", { x: (index + 0.5) * step, y: y - 5, class: "chart-sum", text: text(totals[index]).split(" ")[0] }) : null;
    return [...parts, label, sum];
  });
  const said = days.map((day, index) => totals[index] ? `${dayName(day.from)} ${text(totals[index])}` : null).filter(Boolean).join(", ");
  return el("figure", { class: "chart" },
    el("figcaption", { text: `Spent in the last ${days.length} days: ${text(totals.reduce((sum, each) => sum + each, 0))}` }),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": said || "Nothing" },
      svg("line", { x1: 0, x2: WIDTH, y1: FLOOR + 0.5, y2: FLOOR + 0.5, class: "chart-floor" }), ...bars),
    el("ul", { class: "chart-key" }, ...payees.map((payee) => el("li", {},
      svg("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, svg("rect", { width: 10, height: 10, rx: 3, fill: colour(payee) })),
      el("span", { text: names.get(payee) ?? payee })))));
}
