// Something that opens the link of a mail in a real browser, runs its scripts and presses whatever there is.
import { ask, ensure, isSignedIn, mayEnter } from "../door.mjs";

const PRESSED = "a[href], button, summary, input[type=submit], [role=button], [onclick]";

/** Presses everything on the page of the link, and on each page that comes of it. */
async function pressEverything(page, link) {
  const count = async () => {
    await page.goto(link);
    return page.locator(PRESSED).count();
  };
  let pressed = 0;
  for (let at = 0; at < (await count()); at += 1) {
    await press(page, at);
    pressed += 1;
    const behind = page.url();
    if (behind.split("#")[0] === link) continue;
    for (let next = 0; next < (await page.locator(PRESSED).count()); next += 1) {
      await press(page, next);
      await page.goto(behind);
    }
  }
  return pressed;
}

async function press(page, at) {
  // What is pressed may lead to another page, or nowhere.
  const arrived = page.waitForEvent("load", { timeout: 2000 }).catch(() => {});
  // By script, as scanners do: what is hidden is pressed as well.
  await page.locator(PRESSED).nth(at).evaluate((element) => element.click());
  await arrived;
}

async function submit(page, how) {
  const arrived = page.waitForEvent("load");
  await how();
  await arrived;
}

/** Sends every form there is, and one that is on no page. */
async function sendEverything(page, link) {
  await page.goto(link);
  for (let at = 0; at < (await page.locator("form").count()); at += 1) {
    await submit(page, () => page.locator("form").nth(at).evaluate((form) => form.submit()));
    await page.goto(link);
  }
  await submit(page, () =>
    page.evaluate(() => {
      const form = document.createElement("form");
      form.method = "post";
      form.action = location.pathname;
      document.body.append(form);
      form.submit();
    }),
  );
}

export const checks = [
  ["a scanner uses no link up and signs nobody in", async (door) => {
    const address = door.someone();
    const third = await door.open();
    await ask(third, address);
    await door.mail(address);
    const person = await door.open();
    await ask(person, address);
    const { link } = await door.mail(address, 2);

    const scanner = await door.open(link);
    ensure((await pressEverything(scanner, link)) > 0, "there was something to press");
    await sendEverything(scanner, link);
    ensure(!(await mayEnter(scanner, door.base)), "the scanner is not signed in");
    ensure(!(await mayEnter(third, door.base)), "nor is another browser that had asked");

    await person.goto(link);
    await person.click("main form button");
    await isSignedIn(person, address);
    ensure(!(await mayEnter(scanner, door.base)), "nor is the scanner afterwards");
    ensure(!(await mayEnter(third, door.base)), "nor the other browser");
  }],
];
