// Passkeys: made and used by the browser, judged by Lapel.

import { api } from "./api.js";

/** Browsers bind passkeys to a name: at another address of the same Lapel they do not work. */
function here(origin) {
  if (!window.PublicKeyCredential) throw new Error("This browser has no passkeys.");
  if (location.origin !== origin) throw new Error(`Passkeys work at ${origin} only: open Lapel there.`);
}

async function asked(work) {
  try {
    return await work();
  } catch (error) {
    if (error.name === "NotAllowedError") throw new Error("The passkey was not used. Try again.");
    if (error.name === "InvalidStateError") throw new Error("There is a passkey of yours on this device already.");
    throw error;
  }
}

/** Makes a passkey on this device. */
export async function addPasskey(name) {
  const { origin, options } = await api.offerPasskey();
  here(origin);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await asked(() => navigator.credentials.create({ publicKey }));
  return api.addPasskey({ name, credential: credential.toJSON() });
}

/** Agrees to the question of a card, whose topic is `approval:ID`, `limit:ID` or `plan:ID`. */
export async function agreeWithPasskey(topic) {
  const [kind, ...rest] = topic.split(":");
  const id = rest.join(":");
  const { origin, options } = await api.askPasskey(kind, id);
  here(origin);
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const assertion = await asked(() => navigator.credentials.get({ publicKey }));
  await api.agreePasskey(kind, id, assertion.toJSON());
}
