import { expect, test } from "@jest/globals";
import { type Machine, refusal } from "../../scripts/prove/machine";

const fit: Machine = { uid: () => 0, memory: () => 7800, docker: async () => "", answers: async () => true };

const without =
  (word: string) =>
  async (...words: string[]) => {
    if (words.includes(word)) throw new Error("exit status 1");
    return "";
  };

test("a machine that has all of it is taken", async () => {
  expect(await refusal(fit)).toBe("");
});

const cases: readonly [what: string, lacks: Partial<Machine>, said: string][] = [
  ["a user who is not root", { uid: () => 1000 }, "Run it as root: sudo npm run prove:full"],
  ["a machine too small", { memory: () => 3911.7 }, "full needs 7400 MiB of memory, this machine has 3911 MiB"],
  ["a machine whose memory can't be read", { memory: () => Number.NaN }, "full needs 7400 MiB of memory"],
  ["no Docker", { docker: without("version") }, "no Docker engine answers"],
  ["no Compose", { docker: without("compose") }, "docker compose is missing"],
  [
    "a monitoring that it would take down",
    { docker: async (...words) => (words[0] === "volume" ? "hello-devops-monitoring_grafana" : "") },
    "there is a monitoring on this machine already, which it would take down: hello-devops-monitoring_grafana",
  ],
  [
    "a registry that can't be reached",
    { answers: async (url) => !url.includes("docker.io") },
    "images can't be pulled: registry-1.docker.io can't be reached",
  ],
];

test.each(cases)("prove:full refuses %s, and says so", async (_what, lacks, said) => {
  expect(await refusal({ ...fit, ...lacks })).toContain(said);
});

test("nothing is asked of the network by a machine that is refused anyway", async () => {
  let asked = 0;
  const answers = async () => ++asked > 0;
  await refusal({ ...fit, memory: () => 1000, answers });
  expect(asked).toBe(0);
});
