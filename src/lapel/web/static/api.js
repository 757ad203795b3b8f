// Lapel's HTTP API as its pages use it.

/** What an API call was refused with; `status` is HTTP's, 0 when Lapel could not be reached. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
    this.code = status === 401 ? "signed_out" : status === 0 || status >= 500 ? "unreachable" : "refused";
  }
}

/** What happened, what it cost and what can be done, as one text; null without an error in words. */
function whole(error) {
  if (!error?.message) return null;
  const cost = error.cost === "Nothing" ? "It cost nothing" : error.cost;
  const parts = [error.message, cost, error.remedy].filter(Boolean).map((part) => part.replaceAll("`", "").replace(/[.]$/, ""));
  return `${parts.map((part) => part[0].toUpperCase() + part.slice(1)).join(". ")}.`;
}

async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: body === undefined ? {} : { "content-type": body instanceof Blob ? body.type : "application/json" },
      body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, "Lapel cannot be reached. Nothing was changed. If it does not run, start it with: lapel up");
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    // An answer that is not JSON is an error page; its status says enough.
  }
  if (!response.ok) {
    throw new ApiError(response.status, whole(answer?.error) ?? `Lapel answered ${response.status}. Nothing is known to have changed. Load the page again.`);
  }
  return answer;
}

const part = encodeURIComponent;

export const api = {
  session: () => call("GET", "/api/session"),
  orders: () => call("GET", "/api/orders"),
  devices: () => call("GET", "/api/devices"),
  revoke: (id) => call("DELETE", `/api/devices/${part(id)}`),
  showCode: () => call("POST", "/api/devices/pair"),
  enterCode: (code) => call("POST", "/api/devices/enter", { code }),
  addresses: () => call("GET", "/api/addresses"),
  saveAddress: (label, address) => call("PUT", `/api/addresses/${part(label)}`, address),
  removeAddress: (label) => call("DELETE", `/api/addresses/${part(label)}`),
  contacts: () => call("GET", "/api/contacts"),
  scan: (picture) => call("POST", "/api/scan", picture),
  ceilings: () => call("GET", "/api/limits"),
  setCeiling: (kind, most) => call("PUT", `/api/limits/${part(kind)}`, most),
  limits: () => call("GET", "/api/mandates"),
  askLimit: (limit) => call("POST", "/api/mandates", limit),
  revokeLimit: (id) => call("DELETE", `/api/mandates/${part(id)}`),
  passkeys: () => call("GET", "/api/passkeys"),
  offerPasskey: () => call("POST", "/api/passkeys/offer"),
  addPasskey: (made) => call("POST", "/api/passkeys", made),
  dropPasskey: (id) => call("DELETE", `/api/passkeys/${part(id)}`),
  askPasskey: (kind, id) => call("POST", `/api/passkeys/ask/${part(kind)}/${part(id)}`),
  agreePasskey: (kind, id, assertion) => call("POST", `/api/passkeys/agree/${part(kind)}/${part(id)}`, assertion),
  menus: () => call("GET", "/api/menus"),
  ledger: (limit) => call("GET", `/api/ledger?limit=${limit}`),
  checkLedger: () => call("GET", "/api/ledger/check"),
  merchants: () => call("GET", "/api/merchants"),
  addMerchant: (url) => call("POST", "/api/merchants", { url }),
  checkMerchant: (url) => call("POST", "/api/merchants/check", { url }),
  removeMerchant: (id) => call("DELETE", `/api/merchants/${part(id)}`),
  reminders: () => call("GET", "/api/reminders"),
  addReminder: (reminder) => call("POST", "/api/reminders", reminder),
  dropReminder: (id) => call("DELETE", `/api/reminders/${part(id)}`),
  notes: () => call("GET", "/api/notes"),
  addNote: (note) => call("POST", "/api/notes", note),
  dropNote: (id) => call("DELETE", `/api/notes/${part(id)}`),
  keys: () => call("GET", "/api/keys"),
  rotateKey: () => call("POST", "/api/keys/rotate"),
  receiptPath: (id) => `/api/orders/${part(id)}/receipt`,
};
