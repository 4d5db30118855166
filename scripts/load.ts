// npm run load -- --url http://127.0.0.1:5000: requests to the sample app (app/), so that its graphs move. Ends by itself, or on
// Ctrl-C, and says what it sent and what came back.
//   --url URL      where the app answers
//   --rate N       requests a second (20; 100 at most)
//   --for TIME     how long, such as 90s or 5m (60s; 1h at most)
//   --errors N     percent that get a 500 (5), and
//   --slow N       percent that take 0.3 to 3 s (5), if the app runs with FAULTS=on
import { systemClock } from "../src/health/clock";
import { UserError } from "../src/user-error";
import { say, table } from "./demo/screen";
import { load } from "./load/load";
import { mix } from "./load/mix";
import { readOptions } from "./load/options";
import { remarks, rows } from "./load/report";
import { sender } from "./load/send";

async function main(): Promise<void> {
  const { url, rate, forMs, ...shares } = readOptions(process.argv.slice(2));
  const count = Math.round((rate * forMs) / 1000);
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort()); // once: a second one ends it without a word
  say(`Sends ${count} requests to ${url.origin}, ${rate} a second. Ctrl-C ends it.`);
  const tools = { clock: systemClock, send: sender(url), signal: stop.signal };
  const done = await load({ rate, count, ask: mix(shares) }, tools);
  table(rows(done.answers));
  for (const remark of remarks(done)) say(remark);
  if (!done.answers.some(({ outcome }) => /^\d{3}$/.test(outcome))) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error instanceof UserError ? error.message : error);
  process.exitCode = 1;
});
