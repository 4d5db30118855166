import { expect, test } from "@jest/globals";
import { readDeployInputs } from "../../../src/github/inputs";
import { deploy, follow } from "../../../src/release/deploy";
import type { Log } from "../../../src/release/log";
import type { Outcome } from "../../../src/release/outcome";
import type { DeployRequest } from "../../../src/release/request";
import { rollback } from "../../../src/release/rollback";
import type { World } from "../../../src/release/world";
import { source } from "../github/deploy-inputs";
import { DEPLOY, type Draft, IN_STEPS, ROLLBACK } from "./program";
import { RecordingHost } from "./recording-host";

const quiet: Log = {
  info: () => {},
  debug: () => {},
  warning: () => {},
  quote: () => {},
  phase: (_name, body) => body(),
};

const quick = (request: DeployRequest): DeployRequest => ({
  ...request,
  app: "shop",
  version: "r2",
  bakeTime: 1,
  health: { ...request.health, interval: 1, threshold: 1 },
});

/** What the runner really does, in the model's words; the folder's files are one `write release` there. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^BEGIN r2$/, "begin begin"],
  [/^UNDO forget r2$/, "undo forget candidate"],
  [/^UNDO remove shop-r2 \d+$/, "undo remove candidate"],
  [/^UNDO rest shop-r2 \d+$/, "undo rest candidate"],
  [/^docker create shop-r2$/, "docker create candidate"],
  [/^docker start shop-r2$/, "docker start candidate"],
  [/^DO write releases\/r2\/release\.json /, "do write release"],
  [/^UNDO vacate green \d+$/, "undo vacate green"],
  [/^DO fill green shop-r2 /, "do fill green"],
  [/^UNDO ready blue shop-r1$/, "undo ready blue"],
  [/^DO share green blue 172\.18\.0\.3 10$/, "do share with green"],
  [/^DO shift green blue\b/, "do shift to green"],
  [/^UNDO policy shop-r2 no$/, "undo policy candidate no"],
  [/^DO policy shop-r2 always$/, "do policy candidate always"],
  [/^RETIRE policy shop-r1 no$/, "retire policy old no"],
  [/^RETIRE vacate blue 5$/, "retire vacate blue"],
  [/^RETIRE stop shop-r1 10$/, "retire stop old"],
  [/^COMMIT$/, "commit"],
  [/^FINISH$/, "finish"],
];

/** Not in the model: other files of the release, the history line, and the end. */
const APART = /^(DO write releases\/r2\/(haproxy\.cfg|slots\.map) |DO check r2$|UNDO tried |RETIRE history |BYE$)/;

function worldOf(host: RecordingHost): World {
  const clock = { now: () => performance.now(), sleep: () => new Promise<void>((resolve) => setTimeout(resolve, 1)) };
  const hosts = [{ name: "host", address: "host", open: async () => host.host() }];
  return { hosts, log: quiet, clock, transaction: "t2", cancel: new AbortController().signal, conceal: () => {} };
}

const deployTo = (host: RecordingHost, request: DeployRequest): Promise<Outcome> => deploy(request, worldOf(host));

function inTheModelsWords(host: RecordingHost): string[] {
  const sent = host.notes.filter((note) => !APART.test(note));
  return sent.map((note) => WORDS.find(([pattern]) => pattern.test(note))?.[1] ?? note);
}

const modelled = (drafts: readonly Draft[]): string[] =>
  drafts.filter(([kind]) => kind !== "look").map((row) => row.join(" ").replace(/^and /, "").trim());

test("the model sends what a deploy sends, in its order", async () => {
  const request = quick(readDeployInputs(source()).request);
  const host = new RecordingHost(request);
  const outcome = await deployTo(host, request);
  host.close();
  expect(outcome).toMatchObject({ status: "deployed", failure: undefined });
  expect(inTheModelsWords(host)).toEqual(modelled(DEPLOY));
});

test("the model sends what a deploy in steps sends, in its order", async () => {
  const request = quick(readDeployInputs(source({ "traffic-steps": "10, 100", "step-duration": "1s" })).request);
  const host = new RecordingHost(request);
  const outcome = await deployTo(host, request);
  host.close();
  expect(outcome).toMatchObject({ status: "deployed", failure: undefined });
  expect(inTheModelsWords(host)).toEqual(modelled(IN_STEPS));
  expect(outcome.phases.map(({ name }) => name)).toContain("shift 10 %");
});

test("a host that only follows others takes all traffic at once, whatever traffic-steps says", async () => {
  const request = quick(readDeployInputs(source({ "traffic-steps": "10, 100", "step-duration": "1s" })).request);
  const host = new RecordingHost(request);
  const outcome = await follow(request, worldOf(host));
  host.close();
  expect(outcome).toMatchObject({ status: "deployed", failure: undefined });
  expect(inTheModelsWords(host)).toEqual(modelled(DEPLOY));
});

test("the model sends what a rollback sends, in its order", async () => {
  const { app, verify, waveSize, safety, run, ...request } = quick(readDeployInputs(source()).request);
  const host = new RecordingHost({ app, verify, waveSize, safety, run, ...request });
  host.keepsR2 = true;
  const asked = {
    app,
    verify,
    waveSize,
    safety,
    run,
    to: "",
    reason: "",
    list: false,
    health: {},
    bakeTime: undefined,
  };
  const outcome = await rollback(asked, worldOf(host));
  host.close();
  expect(outcome).toMatchObject({ change: "rollback", status: "deployed", release: "r2", failure: undefined });
  expect(inTheModelsWords(host)).toEqual(modelled(ROLLBACK));
});

test("believes no pull after which the image is not there", async () => {
  const request = quick(readDeployInputs(source()).request);
  const host = new RecordingHost(request);
  const pinned = { ...request, image: { ...request.image, digest: `sha256:${"a".repeat(64)}` } };
  host.imageIsGone = true;
  const outcome = await deployTo(host, pinned);
  host.close();
  expect(outcome.failure).toMatchObject({
    gate: "pull",
    reason: expect.stringContaining("is not on the host after its pull"),
  });
  expect(host.notes).not.toContain("docker create shop-r2");
});
