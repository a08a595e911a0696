// The page on which a person says yes or no to their agents: live with a script, and the same without one. Agents are made at the command
// line's door of the API, with the key of whoever signed in.
import { generateKeyPairSync } from "node:crypto";
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

async function request(door, key, { reason, sender, ttl = 60 }) {
  const answer = await fetch(`${door.base}/v1/otp/request`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ reason, publicKey: PUBLIC, filter: { sources: ["email"], senderPattern: sender }, ttl }),
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

async function settings(door, locale, name) {
  const page = await signIn(door, door.someone(), { locale });
  const admin = await makeKey(page, "Admin");
  const key = await makeAgent(door, admin, "Travel bot");
  await request(door, key, { reason: "Sign in to the airline", sender: "*@airline.example" });
  await page.goto(`${door.base}/approvals`);
  await door.look(page, `approvals-${name}`);
  await page.click('form[action="/approvals/unverified"] button');
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
  ["signs in on the way to a request", async (door) => {
    const page = await door.open("/approvals");
    same(new URL(page.url()).pathname, "/signin", "where one is led");
    const address = door.someone();
    await askCode(page, address);
    await enter(page, (await door.mail(address)).code);
    await page.waitForURL("**/approvals");
  }],
];
