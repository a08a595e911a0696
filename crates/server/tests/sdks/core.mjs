// @turnkey/core, as a page would have it: by the proxy, with keys in IndexedDB. What makes a browser out of Node stands first.

import "fake-indexeddb/auto";
import { webcrypto } from "node:crypto";
import { ApiKeyStamper } from "@turnkey/api-key-stamper";
import { decryptCredentialBundle, generateP256KeyPair, getPublicKey } from "@turnkey/crypto";
import { another, mailed, ORGANIZATION, pause, say, SERVER } from "./journey.mjs";

const kept = new Map();
const localStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
};
const page = { localStorage, window: globalThis, document: {}, location: { hostname: "localhost" }, crypto: webcrypto };
for (const [name, value] of Object.entries(page)) {
  // Versions of Node differ in which of these they have, and whether it can be assigned to.
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

const { OtpType, TurnkeyClient } = await import("@turnkey/core");

const client = new TurnkeyClient({
  organizationId: ORGANIZATION,
  apiBaseUrl: SERVER,
  authProxyUrl: SERVER,
  authProxyConfigId: ORGANIZATION,
});
await client.init();

// Asks for a code, and comes back with what `typed` makes of it.
async function complete(contact, count, typed = (code) => code) {
  const otpId = await client.initOtp({ otpType: OtpType.Email, contact });
  const code = await mailed(contact, count);
  return client.completeOtp({ otpId, otpCode: typed(code), contact, otpType: OtpType.Email });
}

const email = "ada.core@example.com";
say(`first: ${(await complete(email, 1)).action}`);
const session = await client.getSession();
const who = await client.httpClient.getWhoami();
say(`whoami: ${who.userId === session.userId && who.organizationId === session.organizationId ? "the user" : "somebody else"}`);
say(`organization: ${who.organizationId === ORGANIZATION ? "the parent" : "their own"}`);
const { user } = await client.httpClient.getUser({ userId: session.userId });
say(`user: ${user.userEmail}`);

say(`again: ${(await complete(email, 2)).action}`);
const again = await client.getSession();
say(`the same user: ${again.userId === session.userId && again.organizationId === session.organizationId}`);
const listed = async () => (await client.httpClient.getApiKeys({ userId: session.userId })).apiKeys;
say(`keys: ${(await listed()).map((key) => key.credential.type)}`);
const first = (await listed()).find((key) => key.credential.publicKey === session.publicKey);
await client.httpClient.deleteApiKeys({ userId: session.userId, apiKeyIds: [first.apiKeyId] });
say(`left: ${(await listed()).length} key`);

// A key of the page's own making, sealed by the server.
const device = generateP256KeyPair();
const { otpId } = await client.httpClient.initOtpAuth({ otpType: "OTP_TYPE_EMAIL", contact: email, appName: "Acme" });
const code = await mailed(email, 3);
const sealed = await client.httpClient.otpAuth({ otpId, otpCode: code, targetPublicKey: device.publicKeyUncompressed, expirationSeconds: "5" });
const privateKey = decryptCredentialBundle(sealed.credentialBundle, device.privateKey);
const publicKey = Buffer.from(getPublicKey(privateKey)).toString("hex");
say(`sealed: ${(await listed()).some((key) => key.credential.publicKey === publicKey) ? "a key of the user" : "another key"}`);
// The same client, signing with it in place of a session.
const own = client.apiKeyStamper;
client.apiKeyStamper = new ApiKeyStamper({ apiPublicKey: publicKey, apiPrivateKey: privateKey });
const signing = client.createHttpClient();
client.apiKeyStamper = own;
const by = await signing.getWhoami();
say(`signs: ${by.userId === session.userId && by.organizationId === session.organizationId ? "for the user" : "for somebody else"}`);
await pause(5.1);
say(`expired key: ${await reason(() => signing.getWhoami())}`);

await client.refreshSession({ expirationSeconds: "1" });
await pause(1.1);
say(`expired session: ${await reason(() => client.httpClient.getWhoami())}`);

const wrong = "clumsy.core@example.com";
const started = await client.initOtp({ otpType: OtpType.Email, contact: wrong });
const right = await mailed(wrong, 1);
for (const [time, otpCode] of [["first", another(right)], ["second", another(right)], ["third", another(right)], ["right code, locked", right]]) {
  say(`${time}: ${await reason(() => client.completeOtp({ otpId: started, otpCode, contact: wrong, otpType: OtpType.Email }))}`);
}

// This client names the reason by a code of its own, and hands on what its calls to the API themselves are told.
async function reason(call) {
  try {
    await call();
  } catch (error) {
    return typeof error.code === "string" ? error.code : error.message;
  }
  throw new Error("that was to be refused");
}
