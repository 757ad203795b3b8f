// Press, double press or long press, told apart by time alone. No clock and no timer inside.

export const LONG_S = 0.6;
export const DOUBLE_S = 0.28;

/**
 * Feed it `down`, `up` and `wake` with the time in seconds; each answers the gesture that is now certain, or null.
 * `wakeAt` says when it wants to be woken next (null: not at all).
 */
export class PressRecogniser {
  constructor({ doubles = true, longS = LONG_S, doubleS = DOUBLE_S } = {}) {
    this.doubles = doubles;
    this.longS = longS;
    this.doubleS = doubleS;
    this.downAt = null;
    this.pendingSince = null;
    this.second = false;
    this.wakeAt = null;
  }

  down(now) {
    if (this.downAt !== null) return null;
    this.downAt = now;
    this.second = this.pendingSince !== null;
    this.pendingSince = null;
    this.wakeAt = now + this.longS;
    return null;
  }

  up(now) {
    if (this.downAt === null) return null;
    const held = now - this.downAt;
    const second = this.second;
    this.downAt = null;
    this.second = false;
    this.wakeAt = null;
    if (held >= this.longS) return "long_press";
    if (second) return "double_press";
    if (!this.doubles) return "press";
    this.pendingSince = now;
    this.wakeAt = now + this.doubleS;
    return null;
  }

  wake(now) {
    if (this.wakeAt === null || now < this.wakeAt) return null;
    this.wakeAt = null;
    if (this.downAt !== null) {
      this.downAt = null;
      this.second = false;
      return "long_press";
    }
    this.pendingSince = null;
    return "press";
  }

  cancel() {
    this.downAt = null;
    this.pendingSince = null;
    this.second = false;
    this.wakeAt = null;
  }
}

/** Lets a button be pressed by pointer or keyboard; `onGesture` gets the gesture, `onHold` whether it is held now. */
export function listenForPresses(button, { doubles = true, onGesture, onHold = () => {} }) {
  const recogniser = new PressRecogniser({ doubles });
  let timer = null;
  const seconds = () => performance.now() / 1000;
  const settle = (gesture) => {
    clearTimeout(timer);
    timer = recogniser.wakeAt === null
      ? null
      : setTimeout(() => settle(recogniser.wake(seconds())), Math.max(0, (recogniser.wakeAt - seconds()) * 1000) + 1);
    onHold(recogniser.downAt !== null);
    if (gesture) onGesture(gesture);
  };
  const keys = new Set(["Enter", " "]);
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    settle(recogniser.down(seconds()));
  });
  button.addEventListener("pointerup", () => settle(recogniser.up(seconds())));
  button.addEventListener("pointercancel", () => settle(recogniser.cancel()));
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if (!keys.has(event.key)) return;
    event.preventDefault();
    if (!event.repeat) settle(recogniser.down(seconds()));
  });
  button.addEventListener("keyup", (event) => {
    if (!keys.has(event.key)) return;
    event.preventDefault();
    settle(recogniser.up(seconds()));
  });
  button.addEventListener("blur", () => settle(recogniser.cancel()));
}
