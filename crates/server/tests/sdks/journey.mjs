// What each client does, in the calls of its own: a person signs up, their code becomes a key that is sealed to their device, and the key
// signs. Says a line for each thing that was seen; turnkey_sdks.rs knows which lines there must be. Refuses to know how a client is called.

import {
  decryptCredentialBundle,
  generateP256KeyPair,
  getPublicKey,
  verifyOtpVerificationToken,
  verifySessionJwtSignature,
} from "@turnkey/crypto";

// Where the server is, the parent organisation, and the key that signs for it.
export const { SERVER, ORGANIZATION, PUBLIC_KEY, PRIVATE_KEY } = process.env;

export const say = (line) => console.log(line);

export const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

// The code in the newest of so many mails to an address, from the inbox of --dev.
export async function mailed(to, count = 1) {
  for (;;) {
    const mails = await (await fetch(`${SERVER}/dev/inbox.json?to=${encodeURIComponent(to)}`)).json();
    if (mails.length >= count) return mails[0].code;
    await pause(0.05);
  }
}

const publicHalf = (privateKey) => Buffer.from(getPublicKey(privateKey)).toString("hex");

// A code that is another one.
export const another = (code) => (code[0] === "7" ? "8" : "7") + code.slice(1);

// What a client throws, as its caller sees it.
export async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return error.message;
  }
  throw new Error("that was to be refused");
}

// The key that this server signs with for a use, as clients can be told to expect it.
export async function pinned(use) {
  const { keys } = await (await fetch(`${SERVER}/public/v1/keys`)).json();
  return keys.find((key) => key.use === use).public_key;
}

// A person of an organisation of their own, whom `client` has signed up and sent a code.
async function person(client, name, options = {}) {
  const email = `${name}.${client.name}@example.com`;
  const { organization, user } = await client.signUp(email);
  const otpId = await client.start(organization, email, options);
  return { email, organization, user, otpId, code: await mailed(email) };
}

// What a person's device gets for a code.
async function redeem(client, { organization, otpId, code }, seconds) {
  const device = generateP256KeyPair();
  const got = await client.redeem(organization, { otpId, code, target: device.publicKeyUncompressed, seconds });
  const privateKey = decryptCredentialBundle(got.credentialBundle, device.privateKey);
  return { ...got, signer: client.as(organization, publicHalf(privateKey), privateKey) };
}

export async function journey(client) {
  const ada = await person(client, "ada");
  say(`code: ${ada.code.length} characters`);
  const key = await redeem(client, ada);
  say(`sealed: for ${key.userId === ada.user ? "the user" : "somebody else"}`);
  const who = await key.signer.whoami();
  say(`whoami: ${who.userId === ada.user && who.organizationId === ada.organization ? "the user" : "somebody else"}`);

  const keys = await key.signer.keys(ada.user);
  say(`keys: ${keys.map((it) => `${it.credential.type}, ${it.expirationSeconds} s`)}`);
  const second = generateP256KeyPair();
  const secondId = await key.signer.addKey(ada.user, second.publicKey);
  say(`added: ${(await key.signer.keys(ada.user)).length} keys`);
  const other = client.as(ada.organization, second.publicKey, second.privateKey);
  const gone = await other.deleteKeys(ada.user, [key.apiKeyId]);
  say(`deleted: ${gone[0] === key.apiKeyId ? "that one" : "another"}`);
  say(`left: ${(await other.keys(ada.user)).map((it) => (it.apiKeyId === secondId ? "the second" : "another"))}`);
  say(`deleted key: ${await refusal(() => key.signer.whoami())}`);

  const brief = await redeem(client, await person(client, "brief"), "1");
  await pause(1.1);
  say(`expired key: ${await refusal(() => brief.signer.whoami())}`);

  const clumsy = await person(client, "clumsy", { digits: 6 });
  say(`digits: ${/^\d{6}$/.test(clumsy.code)}`);
  const wrong = { ...clumsy, code: another(clumsy.code) };
  for (const time of ["first", "second", "third"]) {
    say(`wrong code, ${time}: ${await refusal(() => redeem(client, wrong))}`);
  }
  say(`right code, locked: ${await refusal(() => redeem(client, clumsy))}`);
}

// The way of the wallets: a contact is verified with the parent, and the token is exchanged for a session of a key that the device has.
export async function tokens(client) {
  const email = `tess.${client.name}@example.com`;
  const { organization, user } = await client.signUp(email);
  const device = generateP256KeyPair();
  const started = await client.startToken(email);
  const token = await client.verify(started, await mailed(email), device);
  if (client.bound) {
    const claims = await verifyOtpVerificationToken(token, await pinned("verification"));
    say(`token: ${claims.contact === email && claims.public_key === device.publicKey ? "of the contact, for the key" : "of another"}`);
  }
  const session = await client.login(organization, token, device);
  const said = JSON.parse(Buffer.from(session.split(".")[1], "base64url"));
  say(`session: ${said.session_type}, ${said.user_id === user && said.organization_id === organization && said.public_key === device.publicKey}`);
  say(`signature of the session: ${await verifySessionJwtSignature(session, await pinned("session"))}`);
  const signer = client.as(organization, device.publicKey, device.privateKey);
  say(`whoami: ${(await signer.whoami()).userId === user ? "the user" : "somebody else"}`);
  say(`token again: ${await refusal(() => client.login(organization, token, generateP256KeyPair()))}`);
}
