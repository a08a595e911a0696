// Starts the server under test and the app of docs/sign-in.md, each on a free port of this machine with its data in a temporary
// folder, and stops both by their process ids.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
export const TARGET = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target");
const PYTHON = join(ROOT, ".tools/venv/bin/python");

const folder = mkdtempSync(join(tmpdir(), "doorcode-pages-"));
const running = [];

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first of these files that can be run; else says what is missing. */
export function program(paths, missing) {
  const found = paths.find(isProgram);
  if (!found) throw new Error(missing);
  return found;
}

/** Where a program of one of these names may be. */
export function onPath(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name)));
}

/** A process that is stopped in the end, with what it wrote to standard error. */
function start(path, args, env) {
  const child = spawn(path, args, { cwd: folder, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const process_ = { child, log: "" };
  child.stderr.on("data", (data) => (process_.log += data));
  child.on("error", (error) => (process_.log += error));
  running.push(child);
  return process_;
}

/** Starts the server; gives its address. */
export async function startServer() {
  const path = program(
    [join(TARGET, "release/doorcode"), join(TARGET, "debug/doorcode")],
    "there is no server to test: cargo build --release --package doorcode",
  );
  console.log(`tried: ${relative(ROOT, path)}`);
  // Everybody here comes from one address, and more often than a person would.
  const many = Object.fromEntries(
    ["GUESS__NETWORK", "GUESS__WIDE", "SEND__NETWORK", "SEND__WIDE"].map((name) => [`DOORCODE_LIMITS__${name}_HOUR`, "100000"]),
  );
  const server = start(path, ["serve", "--dev", "--data", join(folder, "data"), "--listen", "127.0.0.1:0"], many);
  for await (const line of createInterface({ input: server.child.stdout })) {
    const listening = line.match(/^listening on (http:\S+)$/);
    if (listening) return listening[1];
  }
  throw new Error(`the server does not start: ${server.log}`);
}

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  await new Promise((closed) => listener.close(closed));
  return port;
}

/** The app, as whoever reads the page would copy it. */
function appSource() {
  const page = readFileSync(join(ROOT, "docs/sign-in.md"), "utf8");
  const source = page.match(/^```python\n([^]*?)^```$/m);
  if (!source) throw new Error("docs/sign-in.md has no app in it");
  return source[1];
}

/** An address for an app that is not there yet. */
export async function appAddress() {
  return `http://127.0.0.1:${await freePort()}`;
}

/** Starts the app at an address, and waits until it answers. */
export async function startApp(base, server, client) {
  const python = program([PYTHON], "there is no .tools/venv: ./check makes it");
  const path = join(folder, "app.py");
  writeFileSync(path, appSource());
  const app = start(python, [path], { DOORCODE: server, CLIENT_ID: client, CALLBACK: `${base}/callback` });
  for (let tries = 0; tries < 100 && app.child.exitCode === null; tries += 1) {
    if (await fetch(base).then((answer) => answer.ok, () => false)) return;
    await new Promise((later) => setTimeout(later, 100));
  }
  throw new Error(`the app of docs/sign-in.md does not start: ${app.log}`);
}

/** Stops everything that was started here, and removes its data. */
export async function stopAll() {
  for (const child of running) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) continue;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await gone;
    clearTimeout(late);
  }
  rmSync(folder, { recursive: true, force: true });
}
