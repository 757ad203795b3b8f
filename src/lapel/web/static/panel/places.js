// Places: the addresses that the user names ("my office").

import { api } from "../api.js";
import { el } from "../dom.js";

const FIELDS = [
  { name: "label", label: "Name", required: true },
  { name: "street", label: "Street and number", required: true },
  { name: "postal_code", label: "Postal code", required: true },
  { name: "city", label: "City", required: true },
  { name: "country", label: "Country code", required: true, maxlength: "2" },
  { name: "latitude", label: "Latitude", type: "number", step: "any", min: "-90", max: "90", required: true },
  { name: "longitude", label: "Longitude", type: "number", step: "any", min: "-180", max: "180", required: true },
  { name: "instructions", label: "For the courier" },
];
const NUMBERS = new Set(["latitude", "longitude"]);

function form(address, { fail, onSaved }) {
  const inputs = new Map(FIELDS.map((field) => [field.name, el("input", {
    class: "field", name: field.name, type: field.type ?? "text", step: field.step, min: field.min, max: field.max,
    maxlength: field.maxlength, required: field.required, value: address?.[field.name] ?? "",
    readonly: Boolean(address) && field.name === "label",
  })]));
  const preferred = el("input", { type: "checkbox", name: "default" });
  preferred.checked = address?.default ?? false;
  const remove = address ? el("button", { class: "small danger", type: "button", text: "Remove" }) : null;
  remove?.addEventListener("click", () => api.removeAddress(address.label).then(onSaved, fail));
  const element = el("form", { class: "place-form" },
    ...FIELDS.map((field) => el("label", { class: `place-${field.name}` }, el("span", { text: field.label }), inputs.get(field.name))),
    el("label", { class: "place-default" }, preferred, el("span", { text: "Use it when I name no place" })),
    el("div", { class: "place-buttons" }, el("button", { class: "action", type: "submit", text: "Save" }), remove));
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const entered = Object.fromEntries([...inputs].map(([name, input]) => [name, NUMBERS.has(name) ? Number(input.value) : input.value.trim()]));
    entered.default = preferred.checked;
    try {
      await api.saveAddress(entered.label, entered);
      onSaved();
    } catch (error) {
      fail(error);
    }
  });
  return element;
}

export function placesTab(content, { fail }) {
  const refresh = async () => {
    const addresses = await api.addresses();
    const onSaved = () => refresh().catch(fail);
    content.replaceChildren(
      ...addresses.map((address) => el("details", { class: "place", "data-label": address.label },
        el("summary", {},
          el("span", { class: "menu-name", text: address.label }),
          address.default ? el("span", { class: "place-default-mark", text: "usual" }) : null,
          el("span", { class: "place-where", text: `${address.street}, ${address.city}` })),
        form(address, { fail, onSaved }))),
      el("details", { class: "place new" },
        el("summary", {}, el("span", { class: "menu-name", text: "Add a place" })),
        form(null, { fail, onSaved })));
  };
  return refresh;
}
