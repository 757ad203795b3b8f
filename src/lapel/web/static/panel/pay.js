// Pay: a picture of a shop's code is sent as grey pixels; the question comes to the devices.

import { api } from "../api.js";
import { el } from "../dom.js";

const LONGEST_SIDE = 1200;

/** The picture as a binary PGM: nothing in it has to be unpacked by Lapel. */
async function pgm(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  brush.fillStyle = "#fff";
  brush.fillRect(0, 0, width, height);
  brush.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = brush.getImageData(0, 0, width, height);
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    grey[i] = (299 * data[4 * i] + 587 * data[4 * i + 1] + 114 * data[4 * i + 2]) / 1000;
  }
  return new Blob([`P5\n${width} ${height}\n255\n`, grey], { type: "image/x-portable-graymap" });
}

function scanner({ fail }) {
  const input = el("input", { type: "file", class: "field", accept: "image/*", capture: "environment", name: "code" });
  const said = el("p", { class: "scan-said", role: "status" });
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    said.textContent = "";
    try {
      const found = await api.scan(await pgm(file));
      said.textContent = found.question || `${found.payee.name} (${found.payee.handle}): confirm it on a screen.`;
    } catch (error) {
      fail(error);
    }
    input.value = "";
  });
  return el("label", { class: "scan" }, el("span", { text: "Scan a shop's code" }), input, said);
}

export function payTab(content, { fail }) {
  const scan = scanner({ fail });
  const people = el("ul", { class: "device-list" });
  content.append(scan, people);
  return async () => {
    const contacts = await api.contacts();
    people.replaceChildren(...contacts.map((contact) => el("li", { class: "device-row" },
      el("span", { class: "device-name" }, el("strong", { text: contact.name }), el("span", { text: `${contact.handle} · ${contact.bank_name}` })))));
  };
}
