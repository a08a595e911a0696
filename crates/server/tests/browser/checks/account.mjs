// The page of somebody who is signed in: keys, and where else they are.
import { ensure, mayEnter, same, signIn } from "../door.mjs";

async function status(door, key) {
  return (await fetch(`${door.base}/v1/keys`, { headers: { authorization: `Bearer ${key}` } })).status;
}

/** Makes a key with all rights; gives it. */
export async function makeKey(page, name) {
  await page.fill("#key-name", name);
  await page.check('input[type=radio][value="admin"]');
  await page.click('form[action="/account/keys"] button');
  await page.waitForSelector("#key");
  return (await page.textContent("#key")).trim();
}

async function keys(door, script) {
  const page = await signIn(door, door.someone(), { script });
  const key = await makeKey(page, "Deployment");
  if (script) await door.look(page, "account-new-key");
  same(await status(door, key), 200, "the status with the new key");

  const copy = page.locator('[data-copy="key"]');
  same(await copy.isVisible(), script, "whether there is a button that copies");
  if (script) {
    await copy.click();
    await page.locator(".copied:not(:empty)").waitFor();
    same(await page.evaluate(() => navigator.clipboard.readText()), key, "the clipboard");
  }

  await page.goto(`${door.base}/account`);
  ensure(!(await page.content()).includes(key), "the key is shown once");
  // There is another one, which the account began with.
  const row = page.locator("tr", { hasText: "Deployment" });
  await row.locator("summary").click();
  if (script) await door.look(page, "account-revoking");
  await row.locator('form[action="/account/keys/revoke"] button').click();
  await page.waitForSelector("[role=status].note");
  if (script) await door.look(page, "account-revoked");
  same(await row.count(), 0, "the rows of the revoked key");
  same(await status(door, key), 401, "the status with the revoked key");
}

async function sessions(door, script) {
  const address = door.someone();
  const here = await signIn(door, address, { script });
  const [first, second] = [await signIn(door, address, { script }), await signIn(door, address, { script })];
  await here.reload();
  same(await here.locator('form[action="/account/sessions/end"]').count(), 2, "sessions that can be ended");
  if (script) await door.look(here, "account-sessions");
  // The newest comes first.
  await here.locator('form[action="/account/sessions/end"] button').first().click();
  await here.waitForSelector("[role=status].note");
  const [one, other] = [await mayEnter(first, door.base), await mayEnter(second, door.base)];
  ensure(one !== other, "one of the two is signed out, and the other is not");
  ensure(await mayEnter(here, door.base), "who ended it is still there");
  await here.click('form[action="/account/sessions/end-all"] button');
  await here.waitForURL("**/signin");
  for (const page of [here, first, second]) ensure(!(await mayEnter(page, door.base)), "everybody is signed out");
}

export const checks = [
  ...[true, false].flatMap((script) => {
    const how = script ? "with scripts" : "without scripts";
    return [
      [`makes, copies and revokes a key, ${how}`, (door) => keys(door, script)],
      [`ends another session, and all of them, ${how}`, (door) => sessions(door, script)],
    ];
  }),

  ["says what is wrong with the name of a key", async (door) => {
    const page = await signIn(door, door.someone());
    await page.fill("#key-name", "   ");
    await page.click('form[action="/account/keys"] button');
    await page.waitForSelector("#key-problem");
    same(await page.evaluate(() => document.activeElement.id), "key-name", "the field with the cursor: it is far down the page");
    await door.look(page, "account-key-problem");
  }],

  ["signs out", async (door) => {
    const page = await signIn(door, door.someone());
    await page.click('form[action="/account/sign-out"] button');
    await page.waitForURL("**/signin");
    ensure(!(await mayEnter(page, door.base)), "out");
    await page.goBack();
    ensure(!(await mayEnter(page, door.base)), "the way back is none");
  }],
];
