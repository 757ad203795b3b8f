// One beat a second for everything on the page that must keep time while the tab is hidden.

const listeners = new Set();
let worker = null;

/** Calls `listener` about once a second until the returned function is called. */
export function everySecond(listener) {
  listeners.add(listener);
  if (worker === null) {
    worker = new Worker(new URL("./ticker_worker.js", import.meta.url));
    worker.onmessage = () => {
      for (const each of listeners) each();
    };
  }
  return () => listeners.delete(listener);
}
