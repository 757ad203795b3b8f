// A small street map: lines, a route, a destination and a courier that moves smoothly between two reports.

import { calm, svg } from "./dom.js";

const WIDTH = 320;
const HEIGHT = 200;
const MARGIN = 18;
const GLIDE_MS = 1600;

/** Latitude and longitude to picture coordinates, fitted so that `points` fill the picture. Small areas only. */
export function projection(points, { width = WIDTH, height = HEIGHT, margin = MARGIN } = {}) {
  const latitudes = points.map(([latitude]) => latitude);
  const longitudes = points.map(([, longitude]) => longitude);
  const [south, north] = [Math.min(...latitudes), Math.max(...latitudes)];
  const [west, east] = [Math.min(...longitudes), Math.max(...longitudes)];
  const narrow = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const across = Math.max((east - west) * narrow, 1e-5);
  const up = Math.max(north - south, 1e-5);
  const scale = Math.min((width - 2 * margin) / across, (height - 2 * margin) / up);
  const middle = [(south + north) / 2, (west + east) / 2];
  return ([latitude, longitude]) => [
    width / 2 + (longitude - middle[1]) * narrow * scale,
    height / 2 - (latitude - middle[0]) * scale,
  ];
}

function path(points, project) {
  return points.map((point, index) => {
    const [x, y] = project(point);
    return `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
  }).join("");
}

/** One map. Updates that leave out streets or route keep those already drawn. */
export class MapPicture {
  constructor() {
    this.streets = [];
    this.route = [];
    this.destination = null;
    this.courier = null;
    this.at = null;
    this.layers = {
      streets: svg("path", { class: "map-streets" }),
      casing: svg("path", { class: "map-route-casing" }),
      route: svg("path", { class: "map-route" }),
    };
    this.goal = svg("g", { class: "map-goal" },
      svg("circle", { r: 11, class: "map-goal-halo" }), svg("circle", { r: 5 }));
    this.rider = svg("g", { class: "map-rider" },
      svg("circle", { r: 13, class: "map-rider-halo" }), svg("circle", { r: 6.5 }));
    this.element = svg("svg", {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "map", role: "img", preserveAspectRatio: "xMidYMid slice",
    }, this.layers.streets, this.layers.casing, this.layers.route, this.goal, this.rider);
  }

  update({ streets = [], route = [], destination = null, courier = null }) {
    if (streets.length) this.streets = streets;
    if (route.length) this.route = route;
    this.destination = destination ?? this.destination;
    const focus = [...this.route, ...(this.destination ? [this.destination] : []), ...(courier ? [courier] : [])];
    const points = focus.length > 1 ? focus : [...focus, ...this.streets.flat()];
    if (points.length === 0) return;
    const key = JSON.stringify([points.length, this.route[0], this.route.at(-1), this.destination, this.streets.length]);
    if (key !== this.key) {
      this.key = key;
      this.project = projection(points);
      this.#drawGround();
      this.courier = null;
    }
    this.element.setAttribute("aria-label", courier ? "Map: the courier on the way to you" : "Map: the way to you");
    this.#moveTo(courier);
  }

  #drawGround() {
    this.layers.streets.setAttribute("d", this.streets.map((street) => path(street, this.project)).join(""));
    this.layers.casing.setAttribute("d", path(this.route, this.project));
    this.layers.route.setAttribute("d", path(this.route, this.project));
    this.goal.toggleAttribute("hidden", !this.destination);
    if (this.destination) this.goal.setAttribute("transform", `translate(${this.project(this.destination).join(" ")})`);
  }

  #moveTo(courier) {
    this.rider.toggleAttribute("hidden", !courier);
    if (!courier) return;
    const from = this.courier ? this.at : null;
    this.courier = courier;
    const to = this.project(courier);
    if (!from || calm()) {
      this.#place(to);
      return;
    }
    const started = performance.now();
    const mine = courier;
    const step = (now) => {
      if (this.courier !== mine) return;
      const part = Math.max(0, Math.min(1, (now - started) / GLIDE_MS));
      this.#place([from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part]);
      if (part < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  #place(point) {
    this.at = point;
    this.rider.setAttribute("transform", `translate(${point[0].toFixed(2)} ${point[1].toFixed(2)})`);
  }
}
