// The app of docs/sign-in.md, as it stands there.
import { ask, ensure, enter, same, signIn } from "../door.mjs";
import { appAddress, startApp } from "../server.mjs";
import { makeKey } from "./account.mjs";

async function call(door, key, path, body) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const answer = await fetch(door.base + path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  ensure(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

let running;

/** Sets the app up as its page says, once: a key, the list, the id. Gives its address. */
async function theApp(door) {
  running ??= (async () => {
    const key = await makeKey(await signIn(door, door.someone()), "App");
    const client = (await call(door, key, "/v1/orgs")).data[0].id;
    const base = await appAddress();
    await call(door, key, "/v1/redirects", { uri: `${base}/callback` });
    await startApp(base, door.base, client);
    return base;
  })();
  const base = await running;
  door.allow(base);
  return base;
}

async function begin(door, script) {
  const base = await theApp(door);
  const address = door.someone();
  const page = await door.open(base, { script });
  await page.click('a[href="/login"]');
  await page.waitForURL("**/signin?**");
  if (script) await door.look(page, "app-address");
  await ask(page, address);
  return { base, page, address, mail: await door.mail(address) };
}

async function arrived(page, base, address) {
  await page.waitForURL(`${base}/callback?**`);
  same((await page.textContent("body")).trim(), `Signed in as ${address}`, "what the app says");
}

export const checks = [
  ...[true, false].flatMap((script) => {
    const how = script ? "with scripts" : "without scripts";
    return [
      [`an app is told who signed in by code, ${how}`, async (door) => {
        const { base, page, address, mail } = await begin(door, script);
        await enter(page, mail.code);
        await arrived(page, base, address);
      }],

      [`an app is told who signed in by link, ${how}`, async (door) => {
        const { base, page, address, mail } = await begin(door, script);
        await page.goto(mail.link);
        await page.click("main form button");
        await arrived(page, base, address);
      }],

      [`an app is told who read the code elsewhere, ${how}`, async (door) => {
        const { base, page, address, mail } = await begin(door, script);
        const phone = await door.open(mail.link, { script });
        await enter(page, (await phone.textContent("#code")).trim());
        await arrived(page, base, address);
      }],
    ];
  }),

  ["an app takes no callback that its browser did not begin", async (door) => {
    const { base, page, address, mail } = await begin(door, true);
    // The code is entered, and the browser held before it goes where it is sent.
    let callback;
    await page.route("**/signin/code", async (route) => {
      const answer = await route.fetch({ maxRedirects: 0 });
      callback = answer.headers().location;
      await route.fulfill({ status: 200, contentType: "text/html", body: "held" });
    });
    await enter(page, mail.code);
    await page.getByText("held").waitFor();
    ensure(callback?.startsWith(`${base}/callback?`), `where it is sent: ${callback}`);
    const victim = await door.open(base);
    await victim.click('a[href="/login"]');
    await victim.waitForURL("**/signin?**");
    const refused = await victim.goto(callback);
    same(refused.status(), 400, "the status for another browser's callback");
    const forged = await page.goto(callback.replace(/([?&]iss=)[^&]*/, "$1http%3A%2F%2Fevil.example"));
    same(forged.status(), 400, "the status for another issuer");
    same((await page.goto(callback)).status(), 200, "the status of the right one");
    same((await page.textContent("body")).trim(), `Signed in as ${address}`, "what the app says");
    same((await page.goto(callback)).status(), 400, "the status the second time");
  }],
];
