import { expect, test } from "@jest/globals";
import { JobLog, type LogClock } from "../../../src/github/job-log";
import { maskOf } from "../../../src/github/mask";
import { durationText } from "../../../src/github/time-text";

const esc = "\u001b";
const noClock: LogClock = { now: () => 0, date: () => new Date("2026-11-24T02:18:00Z") };

const hostile: readonly [what: string, text: string, shown: string[]][] = [
  ["a workflow command", "::set-env name=A::b", ["| ::set-env name=A::b"]],
  ["a workflow command after spaces", " ::add-mask::x", ["|  ::add-mask::x"]],
  ["an old command", "a ##[error] b", ["| a ## [error] b"]],
  ["an old command that a dropped character joins", "#\u0000#\u200b[error]", ["| ## [error]"]],
  ["a command behind a carriage return", "ok\r::error::x", ["| ok", "| ::error::x"]],
  ["CRLF line ends", "a\r\n\r\nb\r\n", ["| a", "| ", "| b"]],
  ["line ends of Unicode", "a\u2028::error::x\u0085b\u000bc", ["| a", "| ::error::x", "| b", "| c"]],
  ["colours", `${esc}[31;1mred${esc}[0m`, ["| red"]],
  ["a cleared screen", `${esc}[2J${esc}[H${esc}cx`, ["| x"]],
  ["a link of a terminal", `${esc}]8;;http://evil${esc}\\click${esc}]8;;${esc}\\`, ["| click"]],
  ["a window title", `${esc}]0;title\u0007x`, ["| x"]],
  ["an escape sequence that never ends", `${esc}]8;;abc`, ["| 8;;abc"]],
  ["C1 controls", "\u009b31mred\u009d8;;x\u009cy", ["| redy"]],
  ["turned text and characters without width", "a\u202eb\u2066c\u200bd\ufeffe\u{e0041}f", ["| abcdef"]],
  ["tabs and bells", "\tat x\u0007", ["|     at x"]],
  ["half a character", "a\ud800b", ["| a\ufffdb"]],
  ["HTML", "<script>alert(1)</script>", ["| <script>alert(1)</script>"]],
  ["nothing", "", []],
];

test.each(hostile)("quotes %s as harmless lines", (_what, text, shown) => {
  const { log, lines } = recorded();
  log.quote(text);
  expect(lines).toEqual(shown.map((line) => `info ${line}`));
});

test.each(hostile)("puts %s into one line of its own that the runner does not obey", (_what, text) => {
  const { log, lines } = recorded();
  log.info(text);
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/^info\s*::|##\[|\p{Cc}/u);
});

test("cuts a line that is too long, and says so", () => {
  const { log, lines } = recorded();
  log.quote("x".repeat(1200));
  expect(lines).toEqual([`info | ${"x".repeat(1000)}… (200 more characters)`]);
});

test("keeps the last of very many lines", () => {
  const { log, lines } = recorded();
  log.quote(Array.from({ length: 600 }, (_, index) => `line ${index}`).join("\n"));
  expect(lines).toHaveLength(501);
  expect(lines[0]).toBe("info | … 100 lines before these are left out");
  expect(lines.at(-1)).toBe("info | line 599");
});

test("reads a megabyte of unfinished escape sequences at once", () => {
  const { log, lines } = recorded();
  log.quote(`${esc}]\u009d`.repeat(350_000));
  expect(lines).toEqual(["info | "]);
}, 2000);

test("masks a secret before it is cut or broken", () => {
  const secret = `##[${"s".repeat(990)}\tend`;
  const { log, lines } = recorded([secret, "s3cret"]);
  log.quote(`key=${"x".repeat(900)}${secret}`);
  log.info("a s3cret b");
  expect(lines).toEqual([`info | key=${"x".repeat(900)}***`, "info a *** b"]);
});

test("folds a phase and tells how long it took", async () => {
  const { log, lines } = recorded([], [0, 3210]);
  expect(await log.phase("probe", async () => log.info("healthy") ?? 7)).toBe(7);
  expect(lines).toEqual(["group probe", "info healthy", "end", "info probe done in 3.2 s"]);
});

test("says that a phase failed, and lets its error through", async () => {
  const { log, lines } = recorded([], [0, 90_000]);
  await expect(log.phase("pull", async () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(lines).toEqual(["group pull", "end", "info pull failed after 1 min 30 s"]);
});

test("opens no fold inside another, which GitHub would close with it", async () => {
  const { log, lines } = recorded();
  await log.phase("start", () => log.phase("hook", async () => log.info("x")));
  expect(lines).toEqual(["group start", "info x", "info hook done in 0 ms", "end", "info start done in 0 ms"]);
});

test("leaves one of GitHub's ten warnings to the edge", () => {
  const { log, lines } = recorded();
  for (let count = 1; count <= 11; count++) log.warning(`w${count}`);
  expect(lines.filter((line) => line.startsWith("warning "))).toHaveLength(9);
  expect(lines.slice(-2)).toEqual(["info Warning: w10", "info Warning: w11"]);
});

test("gives each debug line its time", () => {
  const { log, lines } = recorded();
  log.debug("GET /info 4 ms");
  expect(lines).toEqual(["debug 2026-11-24T02:18:00.000Z GET /info 4 ms"]);
});

test.each([
  [0, "0 ms"],
  [999.4, "999 ms"],
  [999.6, "1.0 s"],
  [59_949, "59.9 s"],
  [59_951, "1 min 0 s"],
  [3_599_600, "1 h 0 min"],
  [7_380_000, "2 h 3 min"],
])("writes %d milliseconds as %s", (milliseconds, text) => {
  expect(durationText(milliseconds)).toBe(text);
});

function recorded(secrets: string[] = [], times: number[] = []): { log: JobLog; lines: string[] } {
  const lines: string[] = [];
  const writer = {
    startGroup: (name: string) => void lines.push(`group ${name}`),
    endGroup: () => void lines.push("end"),
    info: (line: string) => void lines.push(`info ${line}`),
    debug: (line: string) => void lines.push(`debug ${line}`),
    warning: (line: string) => void lines.push(`warning ${line}`),
  };
  const clock = { ...noClock, now: () => times.shift() ?? 0 };
  return { log: new JobLog(writer, maskOf(secrets), clock), lines };
}
