// What each device of the lab is: the DeviceProfile that it sends in `hello`.

const UP = [
  { codec: "opus", rate: 16000, frame_ms: 20 },
  { codec: "pcm16", rate: 16000, frame_ms: 20 },
];
const DOWN = [
  { codec: "opus", rate: 24000, frame_ms: 20 },
  { codec: "pcm16", rate: 24000, frame_ms: 20 },
];

const microphone = { id: "mic", formats: UP, push_to_talk: true, echo_cancelled: true };

const PROFILES = {
  glasses: {
    model: "Lab Glasses",
    name: "Glasses",
    microphones: [microphone],
    displays: [{ id: "hud", width: 576, height: 288, lines: 7, columns: 32, color: false, layouts: ["card"] }],
    inputs: [{ id: "temple", kind: "touch", gestures: ["swipe_forward", "swipe_back"] }],
    wear: { detects: true, on_body: true },
  },
  ring: {
    model: "Lab Ring",
    name: "Ring",
    inputs: [{ id: "pad", kind: "touch", gestures: ["press", "double_press", "long_press"] }],
    haptics: [{ patterns: ["pulse", "double", "long"] }],
    wear: { detects: true, on_body: true },
  },
  earbuds: {
    model: "Lab Earbuds",
    name: "Earbuds",
    speakers: [{ id: "ears", formats: DOWN, private: true }],
    inputs: [{ id: "stem", kind: "touch", gestures: ["press", "long_press"] }],
    wear: { detects: true, on_body: true },
  },
  pendant: {
    model: "Lab Pendant",
    name: "Pendant",
    microphones: [microphone],
    wear: { detects: true, on_body: true },
  },
  phone: {
    model: "Lab Phone",
    name: "Phone",
    displays: [{ id: "screen", width: 360, height: 720, lines: 40, columns: 40, color: true, layouts: ["card", "map"] }],
    inputs: [{ id: "screen", kind: "touch", gestures: ["press"] }],
    haptics: [{ patterns: ["pulse", "double", "long"] }],
    wear: { detects: false, on_body: true },
  },
};

export const FAMILIES = Object.keys(PROFILES);

/** The profile of one family, as sent; `onBody` is the wear switch's position. */
export function profileOf(family, { onBody = true } = {}) {
  const profile = PROFILES[family];
  if (!profile) throw new Error(`no device family ${JSON.stringify(family)}; one of ${FAMILIES.join(", ")}`);
  return {
    family,
    firmware: "lab 1",
    microphones: [],
    speakers: [],
    displays: [],
    inputs: [],
    haptics: [],
    ...profile,
    wear: { ...profile.wear, on_body: profile.wear.detects ? onBody : true },
  };
}
