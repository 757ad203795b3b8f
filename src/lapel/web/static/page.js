// What a page owes its devices: sound after the first gesture, and one microphone at a time.

/** Browsers let a page be heard only after a gesture: the first one anywhere opens every speaker. */
export function unlockOnGesture(devices) {
  const speakers = devices.map((device) => device.speaker).filter(Boolean);
  const unlock = async () => {
    const open = await Promise.all(speakers.map((speaker) => speaker.unlock()));
    if (!open.every(Boolean)) return;
    for (const type of ["pointerdown", "keydown"]) removeEventListener(type, unlock);
  };
  for (const type of ["pointerdown", "keydown"]) addEventListener(type, unlock);
}

/** A page has one microphone: opening it on one device closes it on the others. */
export function oneMicrophone(devices) {
  for (const device of devices) {
    device.addEventListener("listening", ({ detail }) => {
      if (!detail) return;
      for (const other of devices) if (other !== device) other.stopListening();
    });
  }
}
