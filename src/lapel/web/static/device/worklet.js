// The two audio processors of a device. They run on the audio thread: no allocation in the speaker's steady state.

/** Collects the microphone into frames of `samples` at `rate`; posts {frame: Float32Array} or, at the end, {rest}. */
class MicrophoneProcessor extends AudioWorkletProcessor {
  constructor({ processorOptions: { rate, samples } }) {
    super();
    this.step = sampleRate / rate;
    this.position = 0;
    this.sum = 0;
    this.count = 0;
    this.frame = new Float32Array(samples);
    this.filled = 0;
    this.open = true;
    this.port.onmessage = () => {
      this.open = false;
      const rest = this.frame.slice(0, this.filled);
      this.port.postMessage({ rest }, [rest.buffer]);
    };
  }

  process([[channel]]) {
    if (channel && this.open) {
      if (this.step === 1) channel.forEach((sample) => this.#put(sample));
      else channel.forEach((sample) => this.#average(sample));
    }
    return this.open;
  }

  // Where the browser cannot open a context at `rate`: the mean of the samples that fall into one step.
  #average(sample) {
    this.sum += sample;
    this.count += 1;
    this.position += 1;
    if (this.position < this.step) return;
    this.position -= this.step;
    this.#put(this.sum / this.count);
    this.sum = 0;
    this.count = 0;
  }

  #put(sample) {
    this.frame[this.filled] = sample;
    this.filled += 1;
    if (this.filled < this.frame.length) return;
    const frame = this.frame.slice();
    this.port.postMessage({ frame }, [frame.buffer]);
    this.filled = 0;
  }
}

/**
 * Plays streams one after the other and says what was really rendered.
 *
 * In: {put: Float32Array, stream, rate}, {end: stream}, {stop: stream}.
 * Out: {started: stream}, {played: stream, seconds}, {finished: stream, seconds}, {stopped: stream, seconds}.
 */
class SpeakerProcessor extends AudioWorkletProcessor {
  constructor({ processorOptions: { cushion_s } }) {
    super();
    this.cushion = cushion_s;
    this.streams = [];
    this.port.onmessage = ({ data }) => {
      if (data.put) this.#put(data);
      else if (data.end !== undefined) this.#stream(data.end).ended = true;
      else if (data.stop !== undefined) this.#stop(data.stop);
    };
  }

  #stream(id) {
    let stream = this.streams.find((each) => each.id === id);
    if (!stream) {
      stream = {
        id, rate: sampleRate, chunks: [], offset: 0, queued: 0, seconds: 0, ended: false, flowing: false, begun: false, told: 0,
      };
      this.streams.push(stream);
    }
    return stream;
  }

  #put({ put, stream: id, rate }) {
    const stream = this.#stream(id);
    stream.rate = rate;
    stream.chunks.push(put);
    stream.queued += put.length / rate;
  }

  #stop(id) {
    const stream = this.#stream(id);
    this.streams = this.streams.filter((each) => each !== stream);
    this.port.postMessage({ stopped: id, seconds: stream.seconds });
  }

  process(inputs, [[channel]]) {
    let at = 0;
    while (at < channel.length && this.streams.length > 0) {
      const stream = this.streams[0];
      if (!stream.flowing && !stream.ended && stream.queued < this.cushion) return true;
      stream.flowing = true;
      at = this.#render(stream, channel, at);
      if (stream.chunks.length > 0) continue;
      stream.flowing = false;
      if (!stream.ended) return true;
      this.streams.shift();
      this.port.postMessage({ finished: stream.id, seconds: stream.seconds });
    }
    return true;
  }

  #render(stream, channel, from) {
    const step = stream.rate / sampleRate;
    let at = from;
    while (at < channel.length && stream.chunks.length > 0) {
      const chunk = stream.chunks[0];
      const whole = Math.floor(stream.offset);
      if (whole >= chunk.length) {
        stream.offset -= chunk.length;
        stream.chunks.shift();
        continue;
      }
      const here = chunk[whole];
      const next = whole + 1 < chunk.length ? chunk[whole + 1] : (stream.chunks[1]?.[0] ?? here);
      channel[at] = here + (next - here) * (stream.offset - whole);
      stream.offset += step;
      at += 1;
    }
    const seconds = (at - from) / sampleRate;
    stream.seconds += seconds;
    stream.queued -= seconds;
    this.#tell(stream);
    return at;
  }

  #tell(stream) {
    if (!stream.begun && stream.seconds > 0) {
      stream.begun = true;
      this.port.postMessage({ started: stream.id });
    }
    if (stream.seconds - stream.told < 0.1) return;
    stream.told = stream.seconds;
    this.port.postMessage({ played: stream.id, seconds: stream.seconds });
  }
}

registerProcessor("lapel-microphone", MicrophoneProcessor);
registerProcessor("lapel-speaker", SpeakerProcessor);
