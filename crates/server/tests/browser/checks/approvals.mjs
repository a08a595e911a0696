// The page on which a person says yes or no to their agents: live with a script, and the same without one. Agents are made at the command
// line's door of the API, with the key of whoever signed in.
import { createHmac, generateKeyPairSync } from "node:crypto";
import { ask as askCode, ensure, enter, same, signIn } from "../door.mjs";
import { makeKey } from "./account.mjs";

const PUBLIC = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "der" }).toString("base64");

/** An agent of whoever is signed in; gives its key. */
async function makeAgent(door, admin, name) {
  const answer = await fetch(`${door.base}/v1/agents`, {
    method: "POST",
    headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  const body = await answer.json();
  ensure(answer.ok, `an agent: ${answer.status} ${JSON.stringify(body)}`);
  return body.api_key ?? body.apiKey ?? body.key;
}

async function request(door, key, { reason, sender, ttl = 60, sources = ["email"] }) {
  const answer = await fetch(`${door.base}/v1/otp/request`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ reason, publicKey: PUBLIC, filter: { sources, senderPattern: sender }, ttl }),
  });
  const body = await answer.json();
  same(answer.status, 202, `a request: ${JSON.stringify(body)}`);
  return body.id;
}

async function stateOf(door, key, id) {
  return (await (await fetch(`${door.base}/v1/otp/${id}`, { headers: { authorization: `Bearer ${key}` } })).json()).status;
}

async function three(door, script) {
  const page = await signIn(door, door.someone(), { script });
  const admin = await makeKey(page, "Admin");
  const key = await makeAgent(door, admin, "Travel bot");
  await page.goto(`${door.base}/approvals`);
  ensure(await page.isVisible("#nothing"), "nothing waits");
  if (script) await door.look(page, "approvals-empty");
  const wanted = [
    { reason: "Sign in to the airline, to change the seat that you asked for", sender: "*@airline.example" },
    { reason: "Pay the hotel", sender: "*@paypal.com" },
    { reason: "Nobody will answer this", sender: "late@acme.com", ttl: 8 },
  ];
  const ids = [];
  for (const one of wanted) ids.push(await request(door, key, one));
  if (!script) await page.reload();
  await page.waitForFunction?.(() => document.querySelectorAll("[data-card]").length === 3).catch(() => {});
  const card = (id) => page.locator(`[data-card="${id}"]`);
  for (const id of ids) await card(id).waitFor();
  if (script) {
    ensure((await page.title()).startsWith("(3)"), `the title counts: ${await page.title()}`);
    const before = await card(ids[2]).locator(".clock").textContent();
    await page.waitForFunction(([id, was]) => document.querySelector(`[data-card="${id}"] .clock`)?.textContent !== was, [ids[2], before]);
    await door.look(page, "approvals-three");
  }
  await card(ids[0]).locator('form[action="/approvals/approve"] button').click();
  await page.waitForSelector(".note[role=status]");
  same(await stateOf(door, key, ids[0]), "approved", "the first");
  await card(ids[1]).locator('form[action="/approvals/deny"] button').click();
  await page.waitForFunction?.(() => true).catch(() => {});
  await page.waitForURL("**/approvals/deny");
  same(await stateOf(door, key, ids[1]), "denied", "the second");
  if (script) {
    // It ends before one's eyes, in its place.
    await page.locator(`[data-card="${ids[2]}"].over`).waitFor();
    same(await card(ids[2]).locator("button").count(), 0, "buttons of what is over");
    await door.look(page, "approvals-over");
  } else {
    await new Promise((later) => setTimeout(later, 9000));
    await page.goto(`${door.base}/approvals`);
    same(await card(ids[2]).count(), 0, "cards of what is over");
  }
  same(await stateOf(door, key, ids[2]), "expired", "the third");
  ensure((await page.textContent("#history")).includes("late@acme.com"), "the history has it");
}

async function anyMessage(door) {
  const page = await signIn(door, door.someone());
  const key = await makeAgent(door, await makeKey(page, "Admin"), "Curious bot");
  const id = await request(door, key, { reason: "Whatever comes next", sender: undefined });
  await page.goto(`${door.base}/approvals?request=${id}`);
  await door.look(page, "approvals-any-card");
  await page.click('form[action="/approvals/approve"] button');
  await page.waitForURL("**/approvals/approve");
  same(await stateOf(door, key, id), "pending_approval", "after one yes");
  await door.look(page, "approvals-any");
  await page.click('form[action="/approvals/approve"] button');
  await page.waitForSelector(".note[role=status]");
  same(await stateOf(door, key, id), "approved", "after two");
}

/** A phone of whoever is signed in pushes an SMS. */
async function pushSms(door, admin, from, text) {
  const made = await fetch(`${door.base}/v1/hooks`, {
    method: "POST",
    headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
    body: JSON.stringify({ kind: "sms" }),
  });
  const { hook, secret } = await made.json();
  const body = JSON.stringify({ id: "1", nonce: "n1", from, text, received_at: Date.now() + 2000 });
  const at = Math.floor(Date.now() / 1000);
  const mac = createHmac("sha256", secret).update(`${at}.${body}`).digest("hex");
  const headers = { "content-type": "application/json", "x-doorcode-signature": `t=${at},v1=${mac}` };
  const pushed = await fetch(door.base + new URL(hook.url).pathname, { method: "POST", headers, body });
  same(pushed.status, 200, "the pushed message");
}

/** A code of a message about a new device waits for a second yes, and the card says so in the person's words. */
async function held(door, locale, name, words) {
  const page = await signIn(door, door.someone(), { locale });
  const admin = await makeKey(page, "Admin");
  const key = await makeAgent(door, admin, "Travel bot");
  const id = await request(door, key, { reason: "Sign in to the airline", sender: "+15551234567", sources: ["sms"] });
  await page.goto(`${door.base}/approvals`);
  await page.click('form[action="/approvals/approve"] button');
  await page.waitForSelector(".note[role=status]");
  await pushSms(door, admin, "+15551234567", "New device: 482913 is your Acme login code");
  await page.goto(`${door.base}/approvals`);
  const card = page.locator(`[data-card="${id}"]`);
  ensure((await card.textContent()).includes(words), `what it is about: ${await card.textContent()}`);
  await door.look(page, `approvals-held-${name}`);
  same(await stateOf(door, key, id), "approved", "a code that is held");
  await card.locator('form[action="/approvals/approve"] button').click();
  await page.waitForSelector(".note[role=status]");
  same(await stateOf(door, key, id), "otp_received", "one that was let go");
}

async function settings(door, locale, name) {
  const page = await signIn(door, door.someone(), { locale });
  const admin = await makeKey(page, "Admin");
  const key = await makeAgent(door, admin, "Travel bot");
  await request(door, key, { reason: "Sign in to the airline", sender: "*@airline.example" });
  await page.goto(`${door.base}/approvals`);
  await door.look(page, `approvals-${name}`);
  const let_in = page.locator('form[action="/approvals/unverified"] button');
  ensure(!(await let_in.isVisible()), "to take unverified mail is nothing that one presses by chance");
  await page.click(".also > summary");
  await door.look(page, `approvals-let-${name}`);
  await let_in.click();
  await page.waitForSelector(".note[role=status]");
  same(await page.locator('form[action="/approvals/unverified"] input[name="on"]').inputValue(), "0", "what a press does next");
  await door.look(page, `approvals-unverified-${name}`);
  await page.goto(`${door.base}/approvals/settings`);
  ensure(await page.isVisible("#push"), "this browser can be told");
  await page.fill("#collector-name", "Home");
  await page.click('form[action="/approvals/devices/collector"] button');
  await page.waitForSelector("#secret");
  await page.click("details > summary:not([aria-label])");
  await door.look(page, `approvals-settings-${name}`);
  await page.click('a[href^="/approvals/agents/"]');
  await page.fill("#identity", "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  await page.click('form[action$="/identity"] button');
  await page.waitForSelector(".note[role=status]");
  same(await page.locator("dl.facts .print").count(), 1, "fingerprints to compare");
  await page.fill("#senders", "*@airline.example");
  await page.click('form[action$="/rules"] button');
  await page.waitForSelector(".note[role=status]");
  await door.look(page, `approvals-agent-${name}`);
}

export const checks = [
  ["approves one, denies one and sees the third expire, live", (door) => three(door, true)],
  ["approves one, denies one and sees the third expire, without scripts", (door) => three(door, false)],
  ["asks twice before any message goes to an agent", anyMessage],
  ["settings of agents", (door) => settings(door, "en-GB", "en")],
  ["settings of agents, from the right", (door) => settings(door, "ar-EG", "ar")],
  ["lets a held code go", (door) => held(door, "en-GB", "en", "a new device")],
  ["lets a held code go, in German", (door) => held(door, "de-DE", "de", "ein neues Gerät")],
  ["signs in on the way to a request", async (door) => {
    const page = await door.open("/approvals");
    same(new URL(page.url()).pathname, "/signin", "where one is led");
    const address = door.someone();
    await askCode(page, address);
    await enter(page, (await door.mail(address)).code);
    await page.waitForURL("**/approvals");
  }],
];
