// The pages that nobody signs in by, and those for whoever builds on the server.
import { ask, ensure, same } from "../door.mjs";

export const checks = [
  ["the first page", async (door) => door.look(await door.open("/"), "landing")],
  ["the page about the API", async (door) => door.look(await door.open("/docs"), "docs")],

  ["the pages for what fails", async (door) => {
    const page = await door.open("/signin?client_id=x&redirect_uri=https://evil.example/&response_type=code");
    same(new URL(page.url()).origin, door.base, "where one is");
    await door.look(page, "failure");
    const arabic = await door.open("/signin?client_id=x&redirect_uri=https://evil.example/", { locale: "ar-EG" });
    await door.look(arabic, "failure-ar");
  }],

  ["the dev inbox and a message", async (door) => {
    const address = door.someone();
    const page = await door.open("/dev/inbox?to=nobody@example.com");
    await door.look(page, "inbox-empty");
    for (const locale of ["en-GB", "ar-EG"]) {
      const asker = await door.open("/signin", { locale });
      await ask(asker, locale === "en-GB" ? address : `other.${address}`);
    }
    const { code } = await door.mail(address);
    await door.mail(`other.${address}`);
    await page.goto(`${door.base}/dev/inbox`);
    await door.look(page, "inbox");
    await page.fill("#q", address);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/dev/inbox?q=**");
    await page.locator("article h2 a").last().click();
    await page.waitForURL("**/dev/inbox/*");
    await page.locator("[data-copy]").click();
    same(await page.evaluate(() => navigator.clipboard.readText()), code, "the clipboard");
    await door.look(page, "message");
    for (const view of ["text", "headers"]) {
      await page.click(`.tabs a[href="?view=${view}"]`);
      await page.waitForURL(`**view=${view}`);
      await door.look(page, `message-${view}`);
    }
    ensure((await page.textContent("pre")).includes("Subject:"), "the headers of the mail");
  }],

  // Not judged twice: for whoever looks at the pictures.
  ...["de-DE", "es-ES", "fr-FR", "ja-JP", "pt-BR", "zh-CN"].map((locale) => [`the code page, ${locale}`, async (door) => {
    const page = await door.open("/signin", { locale });
    await ask(page, door.someone());
    await door.look(page, `code-${locale}`, { judge: false });
  }]),
];
