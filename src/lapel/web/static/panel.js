// The side panel: orders, menus, devices and places, one tab each.

import { devicesTab } from "./panel/devices.js";
import { menusTab } from "./panel/menus.js";
import { ordersTab } from "./panel/orders.js";
import { payTab } from "./panel/pay.js";
import { placesTab } from "./panel/places.js";
import { mountTabs } from "./tabs.js";

const TABS = [
  { id: "orders", label: "Orders", make: ordersTab, every_ms: 15000 },
  { id: "menus", label: "Menus", make: menusTab, every_ms: 60000 },
  { id: "devices", label: "Devices", make: devicesTab, every_ms: 10000 },
  { id: "pay", label: "Pay", make: payTab, every_ms: null },
  { id: "places", label: "Places", make: placesTab, every_ms: null },
];

/** Fills `place`; `changed(id)` says that what a tab shows may have changed. */
export function mountPanel(place) {
  return mountTabs(place, TABS, { label: "Panel" });
}
