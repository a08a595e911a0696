// The peer of `doorcode bench --against better-auth`: sign-in by e-mail OTP with the npm package better-auth, set up
// to promise what Doorcode promises: codes not stored in clear, every commit on disk before the answer.
//
//   node server.mjs [DIRECTORY]     the database goes into DIRECTORY, by default a new temporary one
//
// It prints `listening on http://127.0.0.1:PORT` once it answers. Its rate limit is off, its code is fixed and its
// mail goes nowhere, so that only the journey is measured.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { emailOTP } from "better-auth/plugins";
import Database from "better-sqlite3";

const CODE = "424242";

const given = process.argv[2];
const directory = given ?? mkdtempSync(join(tmpdir(), "better-auth-peer-"));

const database = new Database(join(directory, "peer.sqlite"));
database.pragma("journal_mode = WAL");
database.pragma("synchronous = FULL");

// The port is known only once it is bound, and better-auth wants its own address when it is made.
const server = createServer({ keepAliveTimeout: 60_000 });
await new Promise((bound) => server.listen(0, "127.0.0.1", bound));
const address = `http://127.0.0.1:${server.address().port}`;

const options = {
  baseURL: address,
  secret: randomBytes(32).toString("hex"),
  database,
  logger: { level: "error" },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [emailOTP({ storeOTP: "hashed", generateOTP: () => CODE, sendVerificationOTP: async () => {} })],
};
await (await getMigrations(options)).runMigrations();
server.on("request", toNodeHandler(betterAuth(options)));
console.log(`listening on ${address}`);

function stop() {
  server.close();
  server.closeAllConnections();
  database.close();
  if (given === undefined) rmSync(directory, { recursive: true, force: true });
  process.exit(0);
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
