// @turnkey/http: callers write the whole activity. Once by its poller, as its pages show it.

import { TurnkeyClient, createActivityPoller } from "@turnkey/http";
import { ApiKeyStamper } from "@turnkey/api-key-stamper";
import { journey, mailed, ORGANIZATION, pause, PRIVATE_KEY, PUBLIC_KEY, say, SERVER } from "./journey.mjs";

const signing = (apiPublicKey, apiPrivateKey) =>
  new TurnkeyClient({ baseUrl: SERVER }, new ApiKeyStamper({ apiPublicKey, apiPrivateKey }));

const activity = (name, organizationId, parameters) => ({
  type: `ACTIVITY_TYPE_${name}`,
  timestampMs: String(Date.now()),
  organizationId,
  parameters,
});

const parent = signing(PUBLIC_KEY, PRIVATE_KEY);

const client = {
  name: "http",

  async signUp(email) {
    const poll = createActivityPoller({ client: parent, requestFn: parent.createSubOrganization });
    const user = { userName: email, userEmail: email, apiKeys: [], authenticators: [], oauthProviders: [] };
    const parameters = { subOrganizationName: email, rootUsers: [user], rootQuorumThreshold: 1 };
    const { result } = await poll(activity("CREATE_SUB_ORGANIZATION_V7", ORGANIZATION, parameters));
    const made = result.createSubOrganizationResultV7;
    return { organization: made.subOrganizationId, user: made.rootUserIds[0] };
  },

  async start(organization, contact, { digits }) {
    const shape = digits ? { otpLength: digits, alphanumeric: false, appName: "Acme" } : {};
    const parameters = { otpType: "OTP_TYPE_EMAIL", contact, ...shape };
    const { activity: done } = await parent.initOtpAuth(activity(`INIT_OTP_AUTH${digits ? "_V3" : ""}`, organization, parameters));
    return (done.result.initOtpAuthResultV2 ?? done.result.initOtpAuthResult).otpId;
  },

  async redeem(organization, { otpId, code, target, seconds }) {
    const parameters = { otpId, otpCode: code, targetPublicKey: target, expirationSeconds: seconds };
    const { activity: done } = await parent.otpAuth(activity("OTP_AUTH", organization, parameters));
    return done.result.otpAuthResult;
  },

  as(organizationId, publicKey, privateKey) {
    const client = signing(publicKey, privateKey);
    return {
      whoami: () => client.getWhoami({ organizationId }),
      keys: async (userId) => (await client.getApiKeys({ organizationId, userId })).apiKeys,
      async addKey(userId, key) {
        const apiKeys = [{ apiKeyName: "second", publicKey: key, curveType: "API_KEY_CURVE_P256" }];
        const { activity: done } = await client.createApiKeys(activity("CREATE_API_KEYS_V2", organizationId, { userId, apiKeys }));
        return done.result.createApiKeysResult.apiKeyIds[0];
      },
      async deleteKeys(userId, apiKeyIds) {
        const { activity: done } = await client.deleteApiKeys(activity("DELETE_API_KEYS", organizationId, { userId, apiKeyIds }));
        return done.result.deleteApiKeysResult.apiKeyIds;
      },
    };
  },
};

await journey(client);

// What became of a mail, which is written once it has left.
const email = "events.http@example.com";
const { organization } = await client.signUp(email);
await client.start(organization, email, {});
await mailed(email);
let events = [];
while (events.length === 0) {
  const asked = { organizationId: organization, email, eventType: "Send", paginationOptions: { limit: "10" } };
  events = (await parent.listEmailEvents(asked)).emailEvents;
  await pause(0.05);
}
say(`mail: ${events.map((it) => `${it.eventType}, ${it.organizationId === organization && it.toAddress === email}`)}`);
