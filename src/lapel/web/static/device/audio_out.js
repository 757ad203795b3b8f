// The speaker: decodes what Lapel sends, plays it in order, and reports what was really heard.

const WORKLET = new URL("./worklet.js", import.meta.url);
const CUSHION_S = 0.06;
const UNLOCK_WAIT_MS = 300;
const FFT_SIZE = 512;
const SPEECH_BINS = [3, 90]; // about 140 Hz to 4.2 kHz at 24 kHz

/** The format to offer for this browser's speaker. Loopback has bandwidth to spare and saves the encoding. */
export async function offeredDown(wanted = null) {
  const opus = { codec: "opus", rate: 24000, frame_ms: 20 };
  const pcm = { codec: "pcm16", rate: 24000, frame_ms: 20 };
  const loopback = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);
  if (wanted === "pcm16" || typeof AudioDecoder === "undefined") return pcm;
  if (loopback && wanted !== "opus") return pcm;
  try {
    const config = { codec: "opus", sampleRate: opus.rate, numberOfChannels: 1 };
    return (await AudioDecoder.isConfigSupported(config)).supported ? opus : pcm;
  } catch {
    return pcm;
  }
}

/** Decodes one stream and hands out samples without gaps: a missing frame becomes silence of its length. */
class StreamDecoder {
  constructor({ codec, rate, frame_ms }, onSamples) {
    Object.assign(this, { rate, frame_ms, onSamples });
    this.place = 0;
    this.decoder = codec === "opus" ? this.#makeDecoder() : null;
  }

  feed(sequence, payload) {
    if (this.decoder) {
      const timestamp = sequence * this.frame_ms * 1000;
      if (this.decoder.state === "configured") {
        this.decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, data: payload }));
      }
      return;
    }
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    const samples = new Float32Array(payload.byteLength >> 1);
    for (let index = 0; index < samples.length; index += 1) samples[index] = view.getInt16(index * 2, true) / 32768;
    this.#put(sequence, samples, this.rate);
  }

  async finish() {
    if (this.decoder?.state === "configured") await this.decoder.flush().catch(() => {});
    this.close();
  }

  close() {
    if (this.decoder && this.decoder.state !== "closed") this.decoder.close();
  }

  #makeDecoder() {
    const decoder = new AudioDecoder({
      output: (audio) => {
        const samples = new Float32Array(audio.numberOfFrames);
        audio.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
        const sequence = Math.round(audio.timestamp / (this.frame_ms * 1000));
        const rate = audio.sampleRate;
        audio.close();
        this.#put(sequence, samples, rate);
      },
      error: () => {},
    });
    decoder.configure({ codec: "opus", sampleRate: this.rate, numberOfChannels: 1 });
    return decoder;
  }

  #put(sequence, samples, rate) {
    if (sequence > this.place) {
      const missing = (sequence - this.place) * this.frame_ms * rate;
      this.onSamples(new Float32Array(Math.round(missing / 1000)), rate);
    }
    this.place = sequence + 1;
    this.onSamples(samples, rate);
  }
}

/**
 * One speaker. `report(cue, state, playedMs)` gets every acknowledgement, once and in order for a cue.
 * Events: `speaking` (detail {cue, text} or null) and `locked` while the browser waits for a first gesture.
 */
export class Speaker extends EventTarget {
  constructor({ rate = 24000, report }) {
    super();
    this.rate = rate;
    this.report = report;
    this.streams = new Map();
    this.context = null;
    this.ready = null;
    this.node = null;
    this.analyser = null;
  }

  /** Makes the sound path; call it again on a user's gesture, which browsers demand before they let a page be heard. */
  async unlock() {
    this.ready ??= this.#build();
    await this.ready;
    if (this.context.state !== "running") {
      await Promise.race([this.context.resume(), new Promise((done) => setTimeout(done, UNLOCK_WAIT_MS))]);
    }
    return this.context.state === "running";
  }

  /** The loudness now, 0 to 1, of each of `bands` parts of the spectrum. */
  spectrum(bands) {
    if (!this.analyser) return new Array(bands).fill(0);
    const bins = new Uint8Array(this.analyser.frequencyBinCount);
    this.analyser.getByteFrequencyData(bins);
    const edge = (band) => Math.round(SPEECH_BINS[0] * (SPEECH_BINS[1] / SPEECH_BINS[0]) ** (band / bands));
    return Array.from({ length: bands }, (_, band) => {
      const part = bins.slice(edge(band), Math.max(edge(band) + 1, edge(band + 1)));
      return part.reduce((sum, value) => sum + value, 0) / part.length / 255;
    });
  }

  /** What `resume` says about audio: the cue that is playing and the next frame that it needs. */
  cursor() {
    for (const stream of this.streams.values()) {
      if (!stream.complete) return { cue: stream.cue, next: stream.next };
    }
    return null;
  }

  /** The cue that is being played and how much of it was heard, to survive a reload. */
  playing() {
    const [stream] = this.streams.values();
    return stream ? { cue: stream.cue, played_ms: this.#heardMs(stream.seconds) } : null;
  }

  async start({ n, cue, codec, rate, frame_ms, text }) {
    const id = n & 0xffff;
    const stream = { id, cue, text, next: 0, seconds: 0, complete: false, stopping: false };
    stream.decoder = new StreamDecoder({ codec, rate, frame_ms }, async (samples, sampleRate) => {
      await this.ready;
      if (stream.stopping) return;
      this.node.port.postMessage({ put: samples, stream: id, rate: sampleRate }, [samples.buffer]);
    });
    this.streams.set(id, stream);
    const audible = await this.unlock();
    if (audible || !this.streams.has(id)) return;
    this.node.port.postMessage({ stop: id });
    this.#finish(stream, "stopped", 0);
    this.#emit("locked", { cue, text });
  }

  frame({ stream: id, sequence, payload }) {
    const stream = this.streams.get(id);
    if (!stream || stream.stopping || sequence < stream.next) return;
    stream.next = sequence + 1;
    stream.decoder.feed(sequence, payload);
  }

  async end({ cue }) {
    const stream = this.#of(cue);
    if (!stream) return;
    stream.complete = true;
    await stream.decoder.finish();
    await this.ready;
    if (!stream.stopping) this.node.port.postMessage({ end: stream.id });
  }

  /** Silence at once: what is queued is dropped, and the report says how much was heard. */
  stop(cue) {
    const stream = this.#of(cue);
    if (!stream) return;
    stream.stopping = true;
    stream.decoder.close();
    if (this.node) this.node.port.postMessage({ stop: stream.id });
    else this.#finish(stream, "stopped", 0);
  }

  /** Silence without a report: the session that the streams belonged to is gone. */
  reset() {
    for (const stream of this.streams.values()) {
      stream.stopping = true;
      stream.decoder.close();
      this.node?.port.postMessage({ stop: stream.id });
    }
    this.streams.clear();
    this.#emit("speaking", null);
  }

  async #build() {
    this.context = new AudioContext({ sampleRate: this.rate, latencyHint: "interactive" });
    await this.context.audioWorklet.addModule(WORKLET);
    this.node = new AudioWorkletNode(this.context, "lapel-speaker", {
      numberOfInputs: 0,
      numberOfOutputs: 1,
      outputChannelCount: [1],
      processorOptions: { cushion_s: CUSHION_S },
    });
    this.node.port.onmessage = ({ data }) => this.#heard(data);
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = FFT_SIZE;
    this.analyser.smoothingTimeConstant = 0.7;
    this.node.connect(this.analyser).connect(this.context.destination);
  }

  #of(cue) {
    for (const stream of this.streams.values()) if (stream.cue === cue) return stream;
    return null;
  }

  #heard(data) {
    const id = data.started ?? data.played ?? data.finished ?? data.stopped;
    const stream = this.streams.get(id);
    if (!stream) return;
    if (data.seconds !== undefined) stream.seconds = data.seconds;
    if (data.started !== undefined) {
      this.#whenHeard(() => {
        if (stream.stopping) return;
        this.report(stream.cue, "started", 0);
        this.#emit("speaking", { cue: stream.cue, text: stream.text });
      });
    } else if (data.stopped !== undefined) {
      this.#finish(stream, "stopped", this.#heardMs(data.seconds));
    } else if (data.finished !== undefined) {
      this.#whenHeard(() => this.#finish(stream, "finished", Math.round(data.seconds * 1000)));
    }
  }

  // Rendered is not heard yet: the output's own latency lies between.
  #whenHeard(act) {
    setTimeout(act, (this.context.outputLatency ?? 0) * 1000);
  }

  #heardMs(seconds) {
    return Math.max(0, Math.round((seconds - (this.context?.outputLatency ?? 0)) * 1000));
  }

  #finish(stream, state, played_ms) {
    if (!this.streams.delete(stream.id)) return;
    stream.stopping = true;
    stream.decoder.close();
    this.report(stream.cue, state, played_ms);
    if (this.streams.size === 0) this.#emit("speaking", null);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
