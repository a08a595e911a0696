// What the checks have in common: browsers that are watched, mails, and the steps that a person takes. Whatever a browser complains
// of, and every request to a host that is not ours, fails the check in which it happened.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";

const LOOKS = [390, 1280].flatMap((width) => ["light", "dark"].map((scheme) => ({ width, scheme })));
const PATIENCE = 20_000;

export function ensure(holds, message) {
  if (!holds) throw new Error(message);
}

export function same(is, wanted, what) {
  ensure(is === wanted, `${what}: ${JSON.stringify(is)}, and not ${JSON.stringify(wanted)}`);
}

/** One check's view of the server. */
export class Door {
  #browser;
  #contexts = [];
  #known;
  #shots;
  static #addresses = 0;

  constructor(browser, base, shots) {
    this.#browser = browser;
    this.base = base;
    this.#known = new Set([base]);
    this.#shots = shots;
    this.complaints = [];
    mkdirSync(shots, { recursive: true });
  }

  /** An address that nobody else uses. */
  someone() {
    return `ada${(Door.#addresses += 1)}@example.com`;
  }

  /** From now on browsers may ask there as well. */
  allow(origin) {
    this.#known.add(origin);
  }

  /** A browser of its own: with its language, with or without scripts. */
  async open(path = "/signin", { locale = "en-GB", script = true } = {}) {
    const context = await this.#browser.newContext({ locale, javaScriptEnabled: script, viewport: { width: 1280, height: 900 } });
    this.#contexts.push(context);
    context.setDefaultTimeout(PATIENCE);
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: this.base });
    if (script) {
      await context.exposeBinding("policyComplains", (_, what) => this.complaints.push(`policy: ${what}`));
      await context.addInitScript(() =>
        document.addEventListener("securitypolicyviolation", (event) =>
          window.policyComplains(`${event.violatedDirective} ${event.blockedURI}`),
        ),
      );
    }
    const page = await context.newPage();
    this.#watch(context, page);
    await page.goto(new URL(path, this.base).href);
    return page;
  }

  #watch(context, page) {
    const refused = new Set();
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (!["data:", "about:", "blob:"].includes(url.protocol) && !this.#known.has(url.origin)) {
        this.complaints.push(`a request to elsewhere: ${request.url()}`);
      }
    });
    context.on("response", (response) => {
      if (response.request().isNavigationRequest() && response.status() >= 400) refused.add(response.url());
    });
    context.on("console", (message) => {
      // A page that says no has a status that says so, and Chromium mentions that.
      const mentioned = message.text().startsWith("Failed to load resource") && refused.has(message.location().url);
      if (["error", "warning"].includes(message.type()) && !mentioned) this.complaints.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`script: ${error}`));
  }

  /** The newest mail to an address, once there are so many. */
  async mail(to, count = 1) {
    for (let tries = 0; tries < 100; tries += 1) {
      const mails = await (await fetch(`${this.base}/dev/inbox.json?to=${encodeURIComponent(to)}`)).json();
      if (mails.length >= count) return mails[0];
      await new Promise((later) => setTimeout(later, 50));
    }
    throw new Error(`no mail to ${to}`);
  }

  /** Looks at a page narrow and wide, light and dark: takes its picture, and lets axe judge it. */
  async look(page, name, { judge = true } = {}) {
    const before = page.viewportSize();
    if (judge) await page.evaluate(axe.source);
    for (const { width, scheme } of LOOKS) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 900 });
      const [wide, high] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]);
      if (wide > width) this.complaints.push(`${name}, ${width} px: ${wide - width} px wider than the window`);
      const clip = { x: 0, y: 0, width, height: Math.min(Math.max(high, 900), 4000) };
      await page.screenshot({ path: join(this.#shots, `${name}-${width}-${scheme}.png`), fullPage: true, clip });
      if (judge) await this.#judge(page, scheme, `${name}, ${width} px, ${scheme}`);
    }
    await page.emulateMedia({ colorScheme: null });
    await page.setViewportSize(before);
  }

  async #judge(page, scheme, where) {
    // Dark differs from light in its colours. Captured mails lie in frames without scripts, where axe would wait for ever.
    const options = { iframes: false, resultTypes: ["violations"] };
    if (scheme === "dark") options.runOnly = ["color-contrast"];
    const { violations } = await page.evaluate((how) => window.axe.run(how), options);
    for (const { id, help, nodes } of violations) {
      this.complaints.push(`axe, ${where}: ${id} (${help}): ${nodes.map((node) => node.html).join(" ")}`);
    }
  }

  /** Closes the browsers; fails if one of them complained. */
  async end() {
    for (const context of this.#contexts) await context.close();
    ensure(this.complaints.length === 0, [...new Set(this.complaints)].join("\n    "));
  }
}

/** Asks for a code, at the page that wants an address. */
export async function ask(page, address) {
  await page.fill("#email", address);
  await page.click('form[action="/signin"] button');
  await page.waitForURL("**/signin/code");
}

/** Sends a code, at the page that wants one. */
export async function enter(page, code) {
  await page.fill("#code", code);
  await page.click('form[action="/signin/code"] button');
}

/** Another code of the same form. */
export function not(code) {
  return code.replace(/^./, (digit) => String((Number(digit) + 1) % 10));
}

export async function isSignedIn(page, address) {
  await page.waitForURL("**/account");
  ensure((await page.textContent("main")).includes(address), `the account is of ${address}`);
}

/** Whether the account page is shown to this browser. */
export async function mayEnter(page, base) {
  await page.goto(`${base}/account`);
  return new URL(page.url()).pathname === "/account";
}

/** Signs in by code, in a browser of its own. */
export async function signIn(door, address, options) {
  const page = await door.open("/signin", options);
  const had = await (await fetch(`${door.base}/dev/inbox.json?to=${encodeURIComponent(address)}`)).json();
  await ask(page, address);
  await enter(page, (await door.mail(address, had.length + 1)).code);
  await isSignedIn(page, address);
  return page;
}
