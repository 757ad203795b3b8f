// One device: its link, what is on its display, its microphone and speaker. Views only draw it and pass on what the user does.

import { Microphone, microphoneObstacle, offeredUp } from "./audio_in.js";
import { Speaker, offeredDown } from "./audio_out.js";
import { DeviceClient } from "./client.js";
import { DeviceMemory } from "./memory.js";
import { Position } from "./position.js";
import { profileOf } from "./profiles.js";

const MICROPHONE_IDLE_S = 30;
const WANTED = new URLSearchParams(location.search);

export function deviceUrl() {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/device`;
}

/**
 * Events, each with a `detail`: `link` {status, reason}, `welcome`, `paired`, `pairing` {code, expires_s}, `state`,
 * `transcript`, `cue` {cue, fresh}, `clear` {topic}, `haptic` pattern, `speaking` {cue, text} or null, `locked`,
 * `listening` boolean, `sharing` boolean (its position), `level` 0..1, `said` text, `notice` text.
 */
export class Device extends EventTarget {
  static async make({ family, slot, auth }) {
    const memory = new DeviceMemory(slot);
    const profile = profileOf(family, { onBody: memory.onBody });
    const offer = {
      up: profile.microphones.length ? await offeredUp(WANTED.get("up")) : null,
      down: profile.speakers.length ? await offeredDown(WANTED.get("down")) : null,
    };
    return new Device({ family, memory, profile, offer, auth });
  }

  constructor({ family, memory, profile, offer, auth }) {
    super();
    this.family = family;
    this.memory = memory;
    this.profile = profile;
    this.state = "idle";
    this.cards = new Map();
    this.expiries = new Map();
    for (const cue of memory.cards) this.#keep(cue);
    this.quiet = new Set();
    this.microphone = null;
    this.opening = false;
    this.idleTimer = null;
    this.speaker = null;
    if (profile.speakers.length) this.#addSpeaker(offer.down);
    this.client = new DeviceClient({
      url: deviceUrl(), profile, offer, memory, auth: () => auth(memory),
      audioCursor: () => this.speaker?.cursor() ?? null,
    });
    this.position = new Position((message) => this.client.send(message));
    for (const type of ["sharing", "notice"]) this.position.addEventListener(type, ({ detail }) => this.#emit(type, detail));
    this.client.addEventListener("status", ({ detail }) => this.#linked(detail));
    this.client.addEventListener("welcome", ({ detail }) => this.#welcomed(detail));
    this.client.addEventListener("pairing", ({ detail }) => this.#emit("pairing", detail));
    this.client.addEventListener("paired", ({ detail }) => {
      memory.key = detail.key;
      this.#emit("paired", detail);
    });
    this.client.addEventListener("message", ({ detail }) => this.#receive(detail));
    this.client.addEventListener("audio", ({ detail }) => this.speaker?.frame(detail));
    addEventListener("pagehide", () => {
      memory.playing = this.speaker?.playing() ?? null;
      memory.save();
    });
  }

  get online() {
    return this.client.online;
  }

  get listening() {
    return this.microphone !== null;
  }

  get onBody() {
    return this.memory.onBody;
  }

  /** The newest card on the display, or null. */
  get topCard() {
    return [...this.cards.values()].at(-1) ?? null;
  }

  connect() {
    return this.client.connect();
  }

  drop() {
    this.client.drop();
  }

  say(text) {
    const words = text.trim();
    if (!words) return false;
    const sent = this.client.send({ type: "text", id: this.client.nextId("t"), text: words });
    if (sent) this.#emit("said", words);
    else this.#emit("notice", "The link is down: nothing was sent.");
    return sent;
  }

  gesture(input, gesture, { action, topic } = {}) {
    const message = { type: "gesture", id: this.client.nextId("g"), input, gesture };
    if (action) Object.assign(message, { action, topic });
    const sent = this.client.send(message);
    if (!sent) this.#emit("notice", "The link is down: nothing was sent.");
    return sent;
  }

  wear(onBody) {
    this.memory.onBody = onBody;
    this.memory.save();
    this.client.profile = profileOf(this.family, { onBody });
    this.client.send({ type: "wear", on_body: onBody });
    if (!onBody) this.stopListening();
    this.#emit("wear", onBody);
  }

  async toggleListening() {
    if (this.listening) await this.stopListening();
    else await this.startListening();
  }

  async startListening() {
    const format = this.client.welcome?.audio?.up;
    const obstacle = microphoneObstacle()
      ?? (this.online ? null : "The link is down.")
      ?? (format ? null : "Lapel runs without speech here: type instead.");
    if (obstacle) {
      this.#emit("notice", obstacle);
      return;
    }
    if (this.listening || this.opening) return;
    this.opening = true;
    try {
      const opened = await Microphone.open({
        format,
        onFrame: (frame) => this.#sendFrame(frame),
        onLevel: (level) => this.#emit("level", level),
      });
      this.microphone = opened;
      this.#announceListening();
      this.#emit("listening", true);
    } catch (error) {
      this.#emit("notice", error.name === "NotAllowedError"
        ? "The browser did not allow the microphone."
        : "No microphone could be opened.");
    } finally {
      this.opening = false;
    }
  }

  async stopListening() {
    const microphone = this.microphone;
    if (!microphone || microphone.closing) return;
    microphone.closing = true;
    clearTimeout(this.idleTimer);
    await microphone.close();
    if (this.microphone !== microphone) return;
    this.microphone = null;
    this.client.send({ type: "listen", state: "stop", mode: "auto" });
    this.#emit("listening", false);
  }

  #announceListening() {
    this.memory.listens = (this.memory.listens + 1) & 0xffff;
    this.memory.save();
    this.sequence = 0;
    this.client.send({ type: "listen", state: "start", mode: "auto", stream: this.memory.listens });
    this.#stayAwake();
  }

  #sendFrame({ payload, last }) {
    if (!this.online || !this.microphone) return;
    this.client.sendAudio({ stream: this.memory.listens, sequence: this.sequence, last, payload });
    this.sequence += 1;
  }

  #stayAwake() {
    clearTimeout(this.idleTimer);
    if (!this.microphone) return;
    this.idleTimer = setTimeout(() => {
      this.stopListening();
      this.#emit("notice", `Microphone closed after ${MICROPHONE_IDLE_S} s of silence.`);
    }, MICROPHONE_IDLE_S * 1000);
  }

  #addSpeaker(format) {
    this.speaker = new Speaker({
      rate: format.codec === "opus" ? 48000 : format.rate,
      report: (cue, state, played_ms) => this.client.send({ type: "playback", cue, state, played_ms }),
    });
    this.speaker.addEventListener("speaking", ({ detail }) => this.#emit("speaking", detail));
    this.speaker.addEventListener("locked", ({ detail }) => this.#emit("locked", detail));
  }

  #linked(detail) {
    if (detail.reason === "revoked") this.memory.forget();
    if (detail.status !== "online") this.#become("idle");
    if (detail.status === "ended") {
      this.stopListening();
      this.position.stop();
    }
    this.#emit("link", detail);
  }

  #welcomed(welcome) {
    if (!welcome.resumed) {
      this.speaker?.reset();
      for (const topic of [...this.cards.keys()]) this.#clear(topic);
    } else if (this.memory.playing && !this.speaker?.playing()) {
      // The page was reloaded while it played: that sound is gone.
      this.client.send({ type: "playback", state: "stopped", ...this.memory.playing });
    }
    this.memory.playing = null;
    if (this.microphone) this.#announceListening();
    this.#emit("welcome", welcome);
  }

  #receive(message) {
    switch (message.type) {
      case "cue":
        return this.#cue(message.cue);
      case "clear":
        return this.#clear(message.topic);
      case "speech_start":
        if (this.quiet.has(message.cue) || !this.speaker) {
          return this.client.send({ type: "playback", cue: message.cue, state: "stopped", played_ms: 0 });
        }
        return this.speaker.start(message);
      case "speech_end":
        return this.speaker?.end(message);
      case "speech_stop":
        return this.speaker?.stop(message.cue);
      case "state":
        if (message.state !== "idle" && message.state !== "listening") this.#stayAwake();
        return this.#become(message.state);
      case "transcript":
        this.#stayAwake();
        return this.#emit("transcript", message);
      case "error":
        return this.#emit("notice", message.message);
      default:
        return undefined;
    }
  }

  #cue(cue) {
    // Only what sounds or buzzes must not do so twice; a map that moves every second need not be remembered.
    const fresh = cue.speech || cue.haptic ? this.memory.meet(cue.id) : true;
    if (!fresh) this.quiet.add(cue.id);
    const displays = this.profile.displays.length > 0;
    if ((cue.card && displays) || cue.haptic) this.#keep(cue);
    this.#emit("cue", { cue, fresh });
    if (cue.haptic && fresh) this.#emit("haptic", cue.haptic);
  }

  #keep(cue) {
    clearTimeout(this.expiries.get(cue.topic));
    this.expiries.delete(cue.topic);
    this.cards.delete(cue.topic);
    this.cards.set(cue.topic, cue);
    if (cue.expires_s) {
      cue.expires_at ??= Date.now() + cue.expires_s * 1000;
      this.expiries.set(cue.topic, setTimeout(() => this.#clear(cue.topic), cue.expires_at - Date.now()));
    }
    this.memory.cards = [...this.cards.values()];
  }

  #clear(topic) {
    clearTimeout(this.expiries.get(topic));
    this.expiries.delete(topic);
    this.cards.delete(topic);
    this.memory.cards = [...this.cards.values()];
    this.#emit("clear", { topic });
  }

  #become(state) {
    this.state = state;
    this.#emit("state", state);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
