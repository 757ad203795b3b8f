// Reminders, timers and notes: what waits, what is written down, adding and dropping.

import { api } from "../api.js";
import { ago, el } from "../dom.js";

function row(entry, kind, when, drop, fail) {
  const button = el("button", { class: "small danger", type: "button", text: "Drop", "aria-label": `Drop ${entry.text || kind}` });
  button.addEventListener("click", async () => {
    try {
      await drop(entry.id);
    } catch (error) {
      fail(error);
    }
  });
  return el("li", { class: "device-row", "data-id": entry.id },
    el("span", { class: "device-name" }, el("strong", { text: entry.text || kind }), el("span", { text: when })), button);
}

function adding(fields, text, add, { fail, refresh }) {
  const inputs = fields.map(([name, placeholder]) => el("input", {
    class: "field", name, placeholder, required: true, "aria-label": placeholder, maxlength: 500,
  }));
  const form = el("form", { class: "pair-form add-form" }, ...inputs, el("button", { class: "action", type: "submit", text }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await add(Object.fromEntries(new FormData(form)));
      form.reset();
      refresh();
    } catch (error) {
      fail(error);
    }
  });
  return form;
}

export function laterSection(content, ways) {
  const reminders = el("ul", { class: "device-list" });
  const notes = el("ul", { class: "device-list" });
  content.append(
    el("h2", { class: "panel-title", text: "Reminders and timers" }),
    adding([["text", "What"], ["when", "When: tomorrow at 9, every weekday at 8 ..."]], "Remind me", api.addReminder, ways), reminders,
    el("h2", { class: "panel-title", text: "Notes" }),
    adding([["text", "Note"]], "Write down", api.addNote, ways), notes);
  const then = (act) => async (id) => {
    await act(id);
    await ways.refresh();
  };
  return async () => {
    const [waiting, written] = await Promise.all([api.reminders(), api.notes()]);
    reminders.replaceChildren(...(waiting.length
      ? waiting.map((each) => row(each, each.kind, `${each.kind} · ${each.when}`, then(api.dropReminder), ways.fail))
      : [el("li", { class: "pair-word", text: "Nothing waits." })]));
    notes.replaceChildren(...(written.length
      ? written.map((each) => row(each, "note", ago(each.created_at), then(api.dropNote), ways.fail))
      : [el("li", { class: "pair-word", text: "Nothing is written down." })]));
  };
}
