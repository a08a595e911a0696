// @turnkey/sdk-server, of the generation that is named: 4, 5 or 8. Each sends other versions of the same activities.

import { encryptOtpCodeToBundle } from "@turnkey/crypto";
import { ApiKeyStamper, SignatureFormat } from "@turnkey/api-key-stamper";
import { journey, ORGANIZATION, pinned, PRIVATE_KEY, PUBLIC_KEY, SERVER, tokens } from "./journey.mjs";

const generation = process.argv[2];
const { Turnkey } = await import(`sdk-server-${generation}`);

const signing = (apiPublicKey, apiPrivateKey, defaultOrganizationId) =>
  new Turnkey({ apiBaseUrl: SERVER, apiPublicKey, apiPrivateKey, defaultOrganizationId }).apiClient();

const parent = signing(PUBLIC_KEY, PRIVATE_KEY, ORGANIZATION);

// From 5 on a token is bound to a key, which signs for what it is spent on; from 8 on the code is encrypted.
const bound = generation !== "4";
const encrypted = generation === "8";
// From 5 on a message names the app.
const named = bound ? { appName: "Acme" } : {};

async function clientSignature(token, device, publicKey) {
  const { id } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
  const message = JSON.stringify({ login: { publicKey }, tokenId: id, type: "USAGE_TYPE_LOGIN" });
  const signer = new ApiKeyStamper({ apiPublicKey: device.publicKey, apiPrivateKey: device.privateKey });
  const signature = await signer.sign(message, SignatureFormat.Raw);
  return { publicKey: device.publicKey, scheme: "CLIENT_SIGNATURE_SCHEME_API_P256", message, signature };
}

// Which key a token is bound to.
let holder;

const client = {
  name: `server-${generation}`,
  bound: encrypted,

  async signUp(email) {
    const user = { userName: email, userEmail: email, apiKeys: [], authenticators: [], oauthProviders: [] };
    const made = await parent.createSubOrganization({ subOrganizationName: email, rootUsers: [user], rootQuorumThreshold: 1 });
    return { organization: made.subOrganizationId, user: made.rootUserIds[0] };
  },

  async start(organizationId, contact, { digits }) {
    const shape = digits ? { otpLength: digits, alphanumeric: false } : {};
    return (await parent.initOtpAuth({ organizationId, otpType: "OTP_TYPE_EMAIL", contact, ...named, ...shape })).otpId;
  },

  redeem: (organizationId, { otpId, code, target, seconds }) =>
    parent.otpAuth({ organizationId, otpId, otpCode: code, targetPublicKey: target, expirationSeconds: seconds }),

  as(organizationId, publicKey, privateKey) {
    const theirs = signing(publicKey, privateKey, organizationId);
    return {
      whoami: () => theirs.getWhoami(),
      keys: async (userId) => (await theirs.getApiKeys({ userId })).apiKeys,
      async addKey(userId, key) {
        const apiKeys = [{ apiKeyName: "second", publicKey: key, curveType: "API_KEY_CURVE_P256" }];
        return (await theirs.createApiKeys({ userId, apiKeys })).apiKeyIds[0];
      },
      deleteKeys: async (userId, apiKeyIds) => (await theirs.deleteApiKeys({ userId, apiKeyIds })).apiKeyIds,
    };
  },

  startToken: (contact) => parent.initOtp({ otpType: "OTP_TYPE_EMAIL", contact, ...named }),

  async verify({ otpId, otpEncryptionTargetBundle }, code, device) {
    holder = device;
    const publicKey = bound ? device.publicKey : undefined;
    const entry = encrypted
      ? { encryptedOtpBundle: await encryptOtpCodeToBundle(code, otpEncryptionTargetBundle, device.publicKey, await pinned("verification")) }
      : { otpCode: code, publicKey };
    return (await parent.verifyOtp({ otpId, ...entry })).verificationToken;
  },

  async login(organizationId, verificationToken, { publicKey }) {
    const signed = bound ? { clientSignature: await clientSignature(verificationToken, holder, publicKey) } : {};
    return (await parent.otpLogin({ organizationId, verificationToken, publicKey, ...signed })).session;
  },
};

await journey(client);
await tokens(client);
