// Where the device is, while its user wants it known: the browser's position, sent over the device protocol.

const LEAST_MS = 2000;

const WORDS = {
  1: "The browser did not allow the position.",
  2: "The position cannot be found here.",
  3: "The position was not found in time.",
};

/** Events: `sharing` (detail boolean), `notice` (detail text). `send(message)` puts it on the link. */
export class Position extends EventTarget {
  #watch = null;
  #sentAt = 0;
  #send;

  constructor(send) {
    super();
    this.#send = send;
  }

  get sharing() {
    return this.#watch !== null;
  }

  toggle() {
    if (this.sharing) this.stop();
    else this.start();
  }

  start() {
    if (this.sharing) return;
    if (!navigator.geolocation || !isSecureContext) {
      this.#say("This page may not know the position: it needs https, or this machine itself.");
      return;
    }
    this.#watch = navigator.geolocation.watchPosition(
      ({ coords, timestamp }) => this.#found(coords, timestamp),
      (error) => {
        // A position that is not found now may be found later; a permission that was refused stays so.
        if (error.code === error.PERMISSION_DENIED) this.stop();
        this.#say(WORDS[error.code] ?? error.message);
      },
      { enableHighAccuracy: true, maximumAge: LEAST_MS },
    );
    this.#emit("sharing", true);
  }

  stop() {
    if (!this.sharing) return;
    navigator.geolocation.clearWatch(this.#watch);
    this.#watch = null;
    this.#sentAt = 0;
    this.#emit("sharing", false);
  }

  #found({ latitude, longitude, accuracy }, timestamp) {
    const now = Date.now();
    if (!this.sharing || now - this.#sentAt < LEAST_MS) return;
    const sent = this.#send({ type: "position", lat: latitude, lon: longitude, accuracy_m: Math.min(accuracy ?? 0, 1e7), at: timestamp / 1000 });
    if (sent) this.#sentAt = now;
  }

  #say(text) {
    this.#emit("notice", text);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
