// The microphone: getUserMedia, an AudioWorklet that cuts frames, and Opus by WebCodecs where the link agreed on it.

const WORKLET = new URL("./worklet.js", import.meta.url);
const OPUS_BITS = 24000;

function encoderConfig({ rate, frame_ms }) {
  return {
    codec: "opus",
    sampleRate: rate,
    numberOfChannels: 1,
    bitrate: OPUS_BITS,
    opus: { format: "opus", frameDuration: frame_ms * 1000, application: "voip" },
  };
}

/** The format to offer for this browser's microphone: Opus where it can encode it, else PCM. */
export async function offeredUp(wanted = null) {
  const opus = { codec: "opus", rate: 16000, frame_ms: 20 };
  const pcm = { codec: "pcm16", rate: 16000, frame_ms: 20 };
  if (wanted === "pcm16" || typeof AudioEncoder === "undefined") return pcm;
  try {
    return (await AudioEncoder.isConfigSupported(encoderConfig(opus))).supported ? opus : pcm;
  } catch {
    return pcm;
  }
}

/** Why this page cannot have a microphone, or null. */
export function microphoneObstacle() {
  if (window.isSecureContext && navigator.mediaDevices?.getUserMedia) return null;
  return "The browser gives a microphone only to https pages and to this machine.";
}

async function contextFor(rate, media) {
  for (const options of [{ sampleRate: rate }, {}]) {
    const context = new AudioContext(options);
    try {
      await context.audioWorklet.addModule(WORKLET);
      return { context, source: context.createMediaStreamSource(media) };
    } catch (error) {
      await context.close();
      if (!options.sampleRate) throw error;
    }
  }
  throw new Error("unreachable");
}

/** An open microphone. `onFrame({payload, last})` gets every encoded frame in order, `onLevel` a loudness of 0 to 1. */
export class Microphone {
  static async open({ format, onFrame, onLevel = () => {} }) {
    const media = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
    });
    try {
      const { context, source } = await contextFor(format.rate, media);
      return new Microphone({ format, onFrame, onLevel, media, context, source });
    } catch (error) {
      for (const track of media.getTracks()) track.stop();
      throw error;
    }
  }

  constructor({ format, onFrame, onLevel, media, context, source }) {
    Object.assign(this, { format, onFrame, onLevel, media, context });
    this.samples = (format.rate * format.frame_ms) / 1000;
    this.taken = 0;
    this.given = 0;
    this.lastFrame = null;
    this.encoder = format.codec === "opus" ? this.#makeEncoder() : null;
    this.node = new AudioWorkletNode(context, "lapel-microphone", {
      numberOfInputs: 1,
      numberOfOutputs: 0,
      processorOptions: { rate: format.rate, samples: this.samples },
    });
    this.rest = new Promise((resolve) => {
      this.node.port.onmessage = ({ data }) => (data.frame ? this.#take(data.frame) : resolve(data.rest));
    });
    source.connect(this.node);
    context.resume();
  }

  /** Stops, and hands out the last frame (padded with silence) before it returns. */
  async close() {
    if (this.context.state === "running") {
      this.node.port.postMessage("stop");
      const rest = await this.rest;
      const padded = new Float32Array(this.samples);
      padded.set(rest);
      this.lastFrame = this.taken;
      this.#take(padded);
      if (this.encoder?.state === "configured") await this.encoder.flush();
    }
    for (const track of this.media.getTracks()) track.stop();
    if (this.encoder?.state === "configured") this.encoder.close();
    await this.context.close();
    this.onLevel(0);
  }

  #makeEncoder() {
    const encoder = new AudioEncoder({
      output: (chunk) => {
        const payload = new ArrayBuffer(chunk.byteLength);
        chunk.copyTo(payload);
        this.#give(payload);
      },
      error: () => {},
    });
    encoder.configure(encoderConfig(this.format));
    return encoder;
  }

  #take(frame) {
    this.#measure(frame);
    const timestamp = this.taken * this.format.frame_ms * 1000;
    this.taken += 1;
    if (!this.encoder) {
      const samples = new Int16Array(frame.length);
      frame.forEach((value, index) => {
        samples[index] = Math.round(Math.max(-1, Math.min(1, value)) * 32767);
      });
      this.#give(samples.buffer);
      return;
    }
    if (this.encoder.state !== "configured") return;
    const audio = new AudioData({
      format: "f32",
      sampleRate: this.format.rate,
      numberOfFrames: frame.length,
      numberOfChannels: 1,
      timestamp,
      data: frame,
    });
    this.encoder.encode(audio);
    audio.close();
  }

  #give(payload) {
    // Flushed, an Opus encoder adds a frame with its own look-ahead: silence after the padding.
    if (this.lastFrame !== null && this.given > this.lastFrame) return;
    const last = this.given === this.lastFrame;
    this.given += 1;
    this.onFrame({ payload, last });
  }

  #measure(frame) {
    let sum = 0;
    for (const value of frame) sum += value * value;
    const decibels = 10 * Math.log10(sum / frame.length + 1e-9);
    this.onLevel(Math.max(0, Math.min(1, (decibels + 60) / 50)));
  }
}
