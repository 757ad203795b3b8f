// The binary audio frame of the device protocol, section 4: an eight byte header, then one frame of sound.

export const HEADER_BYTES = 8;
const VERSION = 1;
const LAST = 1;

/** Bytes of one frame. `payload` is an ArrayBuffer or a view of one. */
export function packFrame({ stream, sequence, last = false, payload }) {
  const body = payload instanceof ArrayBuffer
    ? new Uint8Array(payload)
    : new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  const bytes = new Uint8Array(HEADER_BYTES + body.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, last ? LAST : 0);
  view.setUint16(2, stream & 0xffff);
  view.setUint32(4, sequence);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

/** The parts of a frame, or null when it is none of this version. */
export function unpackFrame(buffer) {
  if (buffer.byteLength < HEADER_BYTES) return null;
  const view = new DataView(buffer);
  if (view.getUint8(0) !== VERSION) return null;
  return {
    last: (view.getUint8(1) & LAST) !== 0,
    stream: view.getUint16(2),
    sequence: view.getUint32(4),
    payload: new Uint8Array(buffer, HEADER_BYTES),
  };
}
