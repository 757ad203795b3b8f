// Browsers slow the timers of a hidden page to one a minute, which is longer than a heartbeat; a worker's are left alone.
setInterval(() => postMessage(0), 1000);
