// Building pages without markup in strings: every text goes through textContent, so text from a menu stays text.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "class") element.setAttribute("class", value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** An HTML element: `el("p", {class: "note", text: "..."}, child)`; `onclick` and the like are listeners. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element, in the same manner. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Runs a CSS animation class again from its beginning. */
export function replay(element, name) {
  element.classList.remove(name);
  void element.getBoundingClientRect();
  element.classList.add(name);
}

/** True where the reader asked for less motion. */
export function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** "just now", "4 min ago", "14:05" or a date, for a time in seconds since 1970 or an ISO string. */
export function ago(when, now = Date.now()) {
  if (when === null || when === undefined || when === "") return "";
  const at = typeof when === "number" ? when * 1000 : Date.parse(when);
  if (Number.isNaN(at)) return String(when);
  const seconds = (now - at) / 1000;
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  const date = new Date(at);
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return seconds < 43200 ? time : `${date.toLocaleDateString([], { day: "numeric", month: "short" })} ${time}`;
}
