// What a device keeps over a reload of its page: the session of this tab, and for a paired device its key.

const SEEN_LIMIT = 128;
const CARD_LIMIT = 8;

function read(storage, name) {
  try {
    return JSON.parse(storage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

function write(storage, name, value) {
  try {
    if (value === null) storage.removeItem(name);
    else storage.setItem(name, JSON.stringify(value));
  } catch {
    // A full or forbidden storage costs only the resume after a reload.
  }
}

/** The memory of one device, by slot (`lab:ring`). The key outlives the tab, the rest does not. */
export class DeviceMemory {
  constructor(slot, { tab = sessionStorage, browser = localStorage } = {}) {
    this.name = `lapel.device.${slot}`;
    this.tab = tab;
    this.browser = browser;
    const kept = read(tab, this.name) ?? {};
    this.session = kept.session ?? null;
    this.cursor = kept.cursor ?? 0;
    this.listens = kept.listens ?? 0;
    this.playing = kept.playing ?? null;
    this.seen = kept.seen ?? [];
    this.cards = kept.cards ?? [];
    this.onBody = kept.onBody ?? true;
  }

  get key() {
    return read(this.browser, this.name)?.key ?? null;
  }

  set key(key) {
    write(this.browser, this.name, key === null ? null : { key });
  }

  /** A fresh session: counters start again, cue ids stay known. */
  begin(session) {
    this.session = session;
    this.cursor = 0;
    this.listens = 0;
    this.playing = null;
    this.cards = [];
    this.save();
  }

  forget() {
    this.key = null;
    this.seen = [];
    this.begin(null);
  }

  /** True the first time that this cue id is met. */
  meet(cue) {
    if (this.seen.includes(cue)) return false;
    this.seen = [...this.seen, cue].slice(-SEEN_LIMIT);
    return true;
  }

  save() {
    const { session, cursor, listens, playing, seen, onBody } = this;
    const cards = this.cards.slice(-CARD_LIMIT);
    write(this.tab, this.name, { session, cursor, listens, playing, seen, cards, onBody });
  }
}
