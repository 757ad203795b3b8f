// Money: what was spent, day by day; what is held and on its way back; every entry; the bank's word for it.

import { api } from "../api.js";
import { ago, el } from "../dom.js";
import { spendChart } from "./chart.js";

const DAYS = 14;
const SHOWN = 60;
const STEPS = {
  hold: "set aside", capture: "paid", release: "set free", refund_due: "refund announced", refund: "refunded",
};
const ACCOUNTS = { available: "Left your account", held: "Set aside at the bank", in_transit: "On its way back" };

const isSpending = (account) => account.startsWith("spent:") || account.startsWith("tip:");
const payeeOf = (account) => account.slice(account.indexOf(":") + 1);

/** "12.50 EUR" of the many postings of one currency; the API writes each amount, sums are ours. */
function amountText(minor, sample) {
  const written = /^-?\d+(?:\.(\d+))? (\w+)$/.exec(sample);
  const places = written?.[1]?.length ?? 0;
  const digits = String(Math.abs(minor)).padStart(places + 1, "0");
  const cut = digits.length - places;
  return `${minor < 0 ? "-" : ""}${digits.slice(0, cut)}${places ? `.${digits.slice(cut)}` : ""} ${written?.[2] ?? ""}`;
}

/** Spending of one currency by day and payee, the newest day last. Gifts back make a day smaller. */
export function byDay(entries, currency, days, now = new Date()) {
  const start = (back) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - back);
  const found = Array.from({ length: days }, (_, index) => ({
    from: start(days - 1 - index).getTime(), payees: new Map(),
  }));
  for (const entry of entries) {
    const day = found.findLast((each) => entry.at * 1000 >= each.from);
    if (!day) continue;
    for (const line of entry.postings) {
      if (line.currency !== currency || !isSpending(line.account)) continue;
      const payee = payeeOf(line.account);
      day.payees.set(payee, (day.payees.get(payee) ?? 0) + line.minor);
    }
  }
  return found;
}

function balances(rows) {
  const cards = new Map();
  for (const row of rows) {
    const name = isSpending(row.account) ? "Spent" : ACCOUNTS[row.account] ?? row.account;
    const key = `${name}|${row.currency}`;
    const card = cards.get(key) ?? { name, minor: 0, sample: row.text };
    card.minor += row.minor;
    cards.set(key, card);
  }
  return el("dl", { class: "sums" }, ...[...cards.values()].map((card) => el("div", {},
    el("dt", { text: card.name }), el("dd", { text: amountText(Math.abs(card.minor), card.sample) }))));
}

function entryRow(entry, names) {
  return entry.postings.filter((line) => line.minor > 0).map((line) => {
    const payee = isSpending(line.account) ? names.get(payeeOf(line.account)) ?? payeeOf(line.account) : ACCOUNTS[line.account] ?? line.account;
    return el("tr", { "data-step": entry.step },
      el("td", {}, el("time", { text: ago(entry.at) })),
      el("td", { text: `${STEPS[entry.step] ?? entry.step}${line.account.startsWith("tip:") ? " (tip)" : ""}` }),
      el("td", { text: payee }),
      el("td", { class: "amount", text: line.text }));
  });
}

function checkButton(fail) {
  const word = el("p", { class: "check-word", role: "status" });
  const differences = el("ul", { class: "differences" });
  const button = el("button", { class: "action", type: "button", text: "Compare with the bank" });
  button.addEventListener("click", async () => {
    button.disabled = true;
    word.textContent = "Asking the bank ...";
    differences.replaceChildren();
    try {
      const found = await api.checkLedger();
      word.dataset.sound = String(found.sound);
      const count = `${found.payments} ${found.payments === 1 ? "payment" : "payments"}`;
      word.textContent = found.sound ? `${count}: the ledger and the bank agree.` : "The ledger and the bank differ. Ask the bank about these:";
      differences.append(...found.differences.map((row) => el("li", { text: `${row.under_way ? "Under way: " : ""}${row.text}` })));
    } catch (error) {
      word.textContent = "";
      fail(error);
    }
    button.disabled = false;
  });
  return el("div", { class: "check" }, button, word, differences);
}

export function moneySection(content, { fail }) {
  const body = el("div");
  content.append(body, checkButton(fail));
  let drawn = "";
  return async () => {
    const [{ balances: rows, entries }, merchants] = await Promise.all([api.ledger(1000), api.merchants()]);
    const written = JSON.stringify([rows, entries.length, entries[0]?.n, new Date().getMinutes()]);
    if (written === drawn) return;
    drawn = written;
    if (!entries.length) {
      body.replaceChildren(el("p", { class: "panel-empty", text: "No money moved yet." }));
      return;
    }
    const names = new Map(merchants.map((merchant) => [merchant.id, merchant.name]));
    const spent = rows.filter((row) => isSpending(row.account));
    const currencies = [...new Set(spent.map((row) => row.currency))];
    const parts = [
      balances(rows),
      ...currencies.map((currency) => {
        const sample = spent.find((row) => row.currency === currency).text;
        return spendChart(byDay(entries, currency, DAYS), names, (minor) => amountText(minor, sample));
      }),
      el("h2", { class: "panel-title", text: "Entries" }),
      el("table", { class: "entries" },
        el("thead", {}, el("tr", {}, ...["When", "What", "Whose", "Amount"].map((text) => el("th", { scope: "col", text })))),
        el("tbody", {}, ...entries.slice(0, SHOWN).flatMap((entry) => entryRow(entry, names)))),
      entries.length > SHOWN ? el("p", { class: "pair-word", text: `The newest ${SHOWN}. All of them: lapel ledger --limit 1000` }) : null,
    ];
    body.replaceChildren(...parts.filter(Boolean));
  };
}
