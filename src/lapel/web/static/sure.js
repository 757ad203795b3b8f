// A button that does what cannot be undone: it asks once more, and forgets that it asked.

import { el } from "./dom.js";

const SURE_MS = 4000;

export function sure(text, name, act) {
  const button = el("button", { class: "small danger", type: "button", text, "aria-label": name });
  let asked = null;
  const calm = () => {
    clearTimeout(asked);
    asked = null;
    button.textContent = text;
  };
  button.addEventListener("click", () => {
    if (asked === null) {
      button.textContent = "Really?";
      asked = setTimeout(calm, SURE_MS);
      return;
    }
    calm();
    act();
  });
  return button;
}
