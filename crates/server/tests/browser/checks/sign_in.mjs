// By code, by link on the same device, by link on another one: in three languages, with scripts and without.
import { ask, ensure, enter, isSignedIn, mayEnter, not, same } from "../door.mjs";

const LANGUAGES = [
  { locale: "en-GB", lang: "en", dir: "ltr" },
  { locale: "de-DE", lang: "de", dir: "ltr" },
  { locale: "ar-EG", lang: "ar", dir: "rtl" },
];

async function speaks(page, { lang, dir }) {
  same(await page.getAttribute("html", "lang"), lang, "the language of the page");
  same(await page.getAttribute("html", "dir"), dir, "its direction");
}

async function byCode(door, options, look) {
  const address = door.someone();
  const page = await door.open("/signin", options);
  await speaks(page, options);
  await look(page, "address");
  await ask(page, address);
  await speaks(page, options);
  ensure(!(await page.textContent("main")).includes(address), "the address is masked");
  await look(page, "code");
  const { code } = await door.mail(address);
  await enter(page, not(code));
  await page.waitForSelector("#problem");
  await speaks(page, options);
  await look(page, "code-wrong");
  await enter(page, code);
  await isSignedIn(page, address);
  await speaks(page, options);
  await look(page, "account");
}

async function byLinkHere(door, options, look) {
  const address = door.someone();
  const page = await door.open("/signin", options);
  await ask(page, address);
  const { link } = await door.mail(address);
  await page.goto(link);
  await speaks(page, options);
  await look(page, "link-same");
  await page.click("main form button");
  await isSignedIn(page, address);
  await page.goto(link);
  await speaks(page, options);
  await look(page, "link-dead");
  same(await page.locator("main form").count(), 0, "forms on a link that was used");
}

async function byLinkElsewhere(door, options, look) {
  const address = door.someone();
  const desk = await door.open("/signin", options);
  await ask(desk, address);
  const { link } = await door.mail(address);
  const phone = await door.open(link, options);
  await speaks(phone, options);
  await look(phone, "link-other");
  same(await phone.locator("main form").count(), 0, "forms in a browser that did not ask");
  const shown = (await phone.textContent("#code")).trim();
  await enter(desk, shown);
  await isSignedIn(desk, address);
  ensure(!(await mayEnter(phone, door.base)), "the browser that showed the code is not signed in");
}

export const checks = LANGUAGES.flatMap((language) =>
  [true, false].flatMap((script) =>
    Object.entries({ "by code": byCode, "by link, same device": byLinkHere, "by link, another device": byLinkElsewhere }).map(
      ([how, steps]) => [
        `signs in ${how}, ${language.lang}, ${script ? "with scripts" : "without scripts"}`,
        (door) => {
          const look = (page, name) => {
            const called = language.lang === "en" ? name : `${name}-${language.lang}`;
            // Every language is looked at; structure and colours, which axe judges, are the same in those read from the left.
            return script ? door.look(page, called, { judge: language.lang !== "de" }) : Promise.resolve();
          };
          return steps(door, { ...language, script }, look);
        },
      ],
    ),
  ),
);

checks.push(
  ["says what is wrong with an address", async (door) => {
    // Without scripts and checks of the browser's own: what the server says.
    const page = await door.open();
    await page.evaluate(() => (document.forms[0].noValidate = true));
    await page.fill("#email", "ada@");
    await page.click('form[action="/signin"] button');
    await page.waitForSelector("#problem");
    same(await page.inputValue("#email"), "ada@", "what was typed");
    same(await page.getAttribute("#email", "aria-invalid"), "true", "the mark of the field");
    await door.look(page, "address-wrong");
  }],

  ...[true, false].map((script) => [`takes a code that is pasted with spaces, ${script ? "with scripts" : "without scripts"}`, async (door) => {
    const address = door.someone();
    const page = await door.open("/signin", { script });
    await ask(page, address);
    const { code } = await door.mail(address);
    await page.evaluate((text) => navigator.clipboard.writeText(text), ` ${code.slice(0, 3)} ${code.slice(3)} `);
    await page.focus("#code");
    await page.keyboard.press("Control+V");
    if (script) same(await page.inputValue("#code"), code, "the field after pasting");
    await page.keyboard.press("Enter");
    await isSignedIn(page, address);
  }]),

  ["counts down, and sends the same code again", async (door) => {
    const address = door.someone();
    const page = await door.open();
    await ask(page, address);
    const { code } = await door.mail(address);
    const button = page.locator('form[action="/signin/resend"] button');
    const said = page.locator("[data-countdown]");
    ensure(await button.isDisabled(), "it can't be pressed at once");
    ensure(/0:[23]\d/.test(await said.textContent()), `it says how long: ${await said.textContent()}`);
    const first = await said.textContent();
    await page.waitForFunction((text) => document.querySelector("[data-countdown]").textContent !== text, first);
    await button.and(page.locator(":enabled")).waitFor({ timeout: 40_000 });
    ensure(!/\d:\d\d/.test(await said.textContent()), "it says that it is time");
    await button.click();
    same((await door.mail(address, 2)).code, code, "the code in the second mail");
    await page.waitForSelector('form[action="/signin/resend"] button:disabled');
    await enter(page, code);
    await isSignedIn(page, address);
  }],

  ["holds back a second mail without scripts too", async (door) => {
    const address = door.someone();
    const page = await door.open("/signin", { script: false });
    await ask(page, address);
    await door.mail(address);
    await page.click('form[action="/signin/resend"] button');
    await page.waitForURL("**/signin/code");
    const mails = await (await fetch(`${door.base}/dev/inbox.json?to=${encodeURIComponent(address)}`)).json();
    same(mails.length, 1, "mails");
  }],
);
