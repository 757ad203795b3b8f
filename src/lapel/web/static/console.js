// The console: what the user's Lapel has done and may do, one section each. Devices are used in the lab.

import { api } from "./api.js";
import { consentSection } from "./console/consent.js";
import { laterSection } from "./console/later.js";
import { limitsSection } from "./console/limits.js";
import { moneySection } from "./console/money.js";
import { shopsSection } from "./console/shops.js";
import { el } from "./dom.js";
import { devicesTab } from "./panel/devices.js";
import { ordersTab } from "./panel/orders.js";
import { placesTab } from "./panel/places.js";
import { mountTabs } from "./tabs.js";

const SECTIONS = [
  { id: "orders", label: "Orders", make: ordersTab, every_ms: 15000 },
  { id: "money", label: "Money", make: moneySection, every_ms: 15000 },
  { id: "consent", label: "Consent", make: consentSection, every_ms: null },
  { id: "limits", label: "Limits", make: limitsSection, every_ms: 10000 },
  { id: "shops", label: "Shops", make: shopsSection, every_ms: 30000 },
  { id: "later", label: "Reminders and notes", make: laterSection, every_ms: 15000 },
  { id: "devices", label: "Devices", make: devicesTab, every_ms: 10000 },
  { id: "places", label: "Places", make: placesTab, every_ms: null },
];

async function open() {
  const place = document.getElementById("console");
  let session;
  try {
    session = await api.session();
  } catch (error) {
    place.append(el("p", { class: "sorry", role: "alert", text: error.message }));
    return;
  }
  document.getElementById("summary").append(
    el("span", { text: session.user?.name ?? "" }), el("a", { href: "/", text: "Device lab" }));
  mountTabs(place, SECTIONS, { label: "Sections", named: true, vertical: true });
}

open();
