// The pages in a real browser: headless Chromium, driven step by step as a person, a scanner and an app would.
//
//   node run.mjs           all of it
//   node run.mjs scanner   the checks with that word in their names
//
// Needs a built server, Debian's chromium, `npm ci` here and, for the app of docs/sign-in.md, .tools/venv (./check has all of it).
// Pictures of every page are in target/screenshots afterwards.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { checks as account } from "./checks/account.mjs";
import { checks as app } from "./checks/app.mjs";
import { checks as approvals } from "./checks/approvals.mjs";
import { checks as looks } from "./checks/looks.mjs";
import { checks as scanner } from "./checks/scanner.mjs";
import { checks as signIn } from "./checks/sign_in.mjs";
import { Door } from "./door.mjs";
import { TARGET, onPath, program, startServer, stopAll } from "./server.mjs";

const AT_ONCE = 3;
/** A check that takes so long hangs. The page of all operations, looked at four times by axe beside other work, has taken a minute and a half. */
const LONGEST = 180_000;
const wanted = process.argv[2] ?? "";
const shots = join(TARGET, "screenshots");

// What waits longest begins first.
const all = [...signIn, ...scanner, ...account, ...approvals, ...app, ...looks];
const queue = all.filter(([name]) => name.includes(wanted)).sort(([one], [other]) => other.includes("counts") - one.includes("counts"));
const result = { passed: 0, failed: 0 };

function inTime(promise) {
  let late;
  const ended = new Promise((_, reject) => {
    late = setTimeout(() => reject(new Error(`nothing after ${LONGEST / 1000} s`)), LONGEST);
  });
  return Promise.race([promise, ended]).finally(() => clearTimeout(late));
}

async function work(browser, base) {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [name, steps] = next;
    const door = new Door(browser, base, shots);
    const from = performance.now();
    try {
      // What a browser complained of explains most failures: both are said.
      const failed = await inTime(steps(door)).then(() => null, (error) => error);
      const complained = await inTime(door.end()).then(() => null, (error) => error);
      const why = [failed, complained].filter(Boolean);
      if (why.length > 0) throw new Error(why.map((error) => error.message).join("\n    "));
      result.passed += 1;
      console.log(`ok      ${name} (${((performance.now() - from) / 1000).toFixed(1)} s)`);
    } catch (error) {
      result.failed += 1;
      console.log(`FAILED  ${name}\n    ${error.message}`);
    }
  }
}

let browser;

// Whoever stops this stops what it began.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await browser?.close();
    await stopAll();
    process.exit(1);
  });
}

try {
  const executablePath = program(
    onPath("chromium", "chromium-browser", "google-chrome"),
    "there is no Chromium: apt-get install chromium",
  );
  if (!wanted) rmSync(shots, { recursive: true, force: true });
  const base = await startServer();
  // No page may ask elsewhere; if one did, it would not get there.
  browser = await chromium.launch({ executablePath, handleSIGINT: false, handleSIGTERM: false, args: ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"] });
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(browser, base)));
} catch (error) {
  result.failed += 1;
  console.log(`FAILED  ${error.message}`);
} finally {
  await browser?.close();
  await stopAll();
}
if (result.passed + result.failed === 0) {
  result.failed += 1;
  console.log(`FAILED  no check is called ${wanted}`);
}
console.log(`test result: ${result.failed ? "FAILED" : "ok"}. ${result.passed} passed; ${result.failed} failed`);
process.exitCode = result.failed ? 1 : 0;
