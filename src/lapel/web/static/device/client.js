// The device protocol, version 1 (docs/device-protocol.md), as one browser device speaks it.

import { packFrame, unpackFrame } from "./frame.js";
import { everySecond } from "./ticker.js";

const PROTOCOL = 1;
const SUBPROTOCOL = "lapel.device.1";
const ACK_AFTER_MS = 250;
const BACKOFF_FIRST_S = 0.25;
const BACKOFF_MOST_S = 8;
const BUFFER_MOST_BYTES = 64 * 1024;
const DROPPED = 4000;

// Close codes after which another try would only be refused again.
const ENDINGS = new Map([
  [4401, "unauthorized"],
  [4403, "revoked"],
  [4406, "bad_protocol"],
  [4409, "taken_over"],
  [4429, "too_many_tries"],
]);

/** How long to wait before try number `attempt` (from 0): full jitter, so that many devices do not come back at once. */
export function backoffSeconds(attempt, random = Math.random) {
  return Math.min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2 ** attempt) * (0.5 + random() / 2);
}

/**
 * One device's link. `auth` gives the `auth` object (and `remember`) for each hello, or throws an error whose `code` is
 * `unreachable` where another try makes sense; `offer` is the audio that the device offers.
 *
 * Events: `status` (detail {status, reason}): connecting, pairing, online, waiting, down, ended; `welcome`; `pairing`;
 * `paired`; `message` for every message to act on, once each; `audio` for every frame.
 */
export class DeviceClient extends EventTarget {
  constructor({ url, profile, auth, offer, memory, audioCursor = () => null }) {
    super();
    Object.assign(this, { url, profile, auth, offer, memory, audioCursor });
    this.socket = null;
    this.status = "down";
    this.welcome = null;
    this.attempt = 0;
    this.retry = null;
    this.ackTimer = null;
    this.sentAt = 0;
    this.heardAt = 0;
    this.counter = 0;
    this.stopTicking = null;
    this.ending = null;
    this.prefix = crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
  }

  get online() {
    return this.status === "online";
  }

  /** Connects, and keeps connected until `drop`, `leave` or an ending. */
  async connect() {
    if (this.socket) return;
    clearTimeout(this.retry);
    this.ending = null;
    this.#become("connecting");
    let auth;
    try {
      auth = await this.auth();
    } catch (error) {
      if (this.status !== "connecting") return;
      if (error.code === "unreachable") this.#later();
      else this.#become("ended", error.code ?? "unauthorized");
      return;
    }
    if (this.status !== "connecting" || this.socket) return;
    this.stopTicking ??= everySecond(() => this.#tick());
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => this.#hello(auth);
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#closed(socket, event.code);
  }

  /** Loses the link on purpose and stays away; `connect` resumes the session. */
  drop() {
    clearTimeout(this.retry);
    this.#release(DROPPED);
    this.#become("down");
  }

  /** Leaves for good: nothing will be resumed. */
  leave() {
    // What was shown a moment ago must not be told again on the next device.
    clearTimeout(this.ackTimer);
    if (this.ackTimer) this.#acknowledge();
    this.send({ type: "bye" });
    clearTimeout(this.retry);
    this.#release(1000);
    this.memory.begin(null);
    this.#become("down");
  }

  /** Sends one message when the link is up; false when it is not. */
  send(message) {
    if (!this.#open()) return false;
    this.socket.send(JSON.stringify(message));
    this.sentAt = Date.now();
    return true;
  }

  /** Sends one audio frame; false when the link is down or too far behind to carry live sound. */
  sendAudio(frame) {
    if (!this.#open() || this.socket.bufferedAmount > BUFFER_MOST_BYTES) return false;
    this.socket.send(packFrame(frame));
    this.sentAt = Date.now();
    return true;
  }

  /** An id that this device has not used before. */
  nextId(letter) {
    this.counter += 1;
    return `${letter}_${this.prefix}_${this.counter}`;
  }

  #open() {
    return this.socket !== null && this.socket.readyState === WebSocket.OPEN;
  }

  #hello(auth) {
    const { remember, ...credentials } = auth;
    const hello = {
      type: "hello",
      protocol: PROTOCOL,
      auth: remember === undefined ? credentials : { ...credentials, remember },
      profile: this.profile,
      audio: this.offer,
    };
    if (this.memory.session) {
      hello.resume = { session: this.memory.session, cursor: this.memory.cursor };
      const playing = this.audioCursor();
      if (playing) hello.resume.audio_cursor = playing;
    }
    this.heardAt = Date.now();
    this.send(hello);
  }

  #receive(data) {
    this.heardAt = Date.now();
    if (data instanceof ArrayBuffer) {
      const frame = unpackFrame(data);
      if (frame) this.#emit("audio", frame);
      return;
    }
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (Number.isInteger(message.n)) this.#reliable(message);
    else this.#unreliable(message);
  }

  #reliable(message) {
    // Numbers may be missing after a resume (what expired meanwhile is not sent again), but never come back.
    if (message.n > this.memory.cursor) {
      this.memory.cursor = message.n;
      this.#emit("message", message);
    }
    this.ackTimer ??= setTimeout(() => this.#acknowledge(), ACK_AFTER_MS);
  }

  #acknowledge() {
    this.ackTimer = null;
    this.memory.save();
    this.send({ type: "received", cursor: this.memory.cursor });
  }

  #unreliable(message) {
    switch (message.type) {
      case "welcome":
        return this.#welcomed(message);
      case "pairing":
        this.#become("pairing");
        return this.#emit("pairing", message);
      case "paired":
        return this.#emit("paired", message);
      case "pong":
        return undefined;
      case "error":
        if ([...ENDINGS.values()].includes(message.code)) this.ending = message.code;
        return this.#emit("message", message);
      default:
        return this.#emit("message", message);
    }
  }

  #welcomed(welcome) {
    this.attempt = 0;
    this.welcome = welcome;
    if (!welcome.resumed) this.memory.begin(welcome.session);
    this.#emit("welcome", welcome);
    this.#become("online");
  }

  #closed(socket, code) {
    if (socket !== this.socket) return;
    this.#release();
    const reason = ENDINGS.get(code) ?? this.ending;
    if (reason) {
      this.#become("ended", reason);
      return;
    }
    this.#later();
  }

  #later() {
    this.#become("waiting");
    this.retry = setTimeout(() => this.connect(), backoffSeconds(this.attempt) * 1000);
    this.attempt += 1;
  }

  #release(code) {
    clearTimeout(this.ackTimer);
    this.ackTimer = null;
    this.stopTicking?.();
    this.stopTicking = null;
    const socket = this.socket;
    this.socket = null;
    this.memory.save();
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (code && socket.readyState <= WebSocket.OPEN) socket.close(code);
  }

  #tick() {
    if (!this.#open() || !this.welcome) return;
    const heartbeat_ms = this.welcome.heartbeat_s * 1000;
    const now = Date.now();
    if (now - this.heardAt > 2.5 * heartbeat_ms) {
      this.#release(DROPPED);
      this.#later();
    } else if (now - this.sentAt >= heartbeat_ms || now - this.heardAt >= heartbeat_ms) {
      this.send({ type: "ping", id: this.nextId("p") });
    }
  }

  #become(status, reason = null) {
    this.status = status;
    this.reason = reason;
    this.#emit("status", { status, reason });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
