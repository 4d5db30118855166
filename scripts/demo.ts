// npm run demo: what this project is for, on a host in a box, with the committed bundle run as GitHub's runner runs it.
//   --keep           leaves the bed up and says how to look at it
//   --deploy IMAGE   one deploy by hand on the bed that --keep left (good1, good2, broken, turnsbad, ...)
import { parseArgs } from "node:util";
import { type Bed, type BedHost, sshTo } from "../test/bed/bed";
import { down } from "../test/bed/down";
import { resetHost } from "../test/bed/hosts";
import { up } from "../test/bed/up";
import { basicInputs, startStep } from "../test/support/runner";
import { Play, runDemo, status } from "./demo/play";
import { bold, dim, say } from "./demo/screen";

const BED = "demo";
const { values } = parseArgs({ options: { keep: { type: "boolean" }, deploy: { type: "string" } } });

async function main(): Promise<number> {
  say(bold("hello-devops: a deploy is a transaction on the host"));
  say(dim("An EC2 host in a box, a registry and images are made first; the second time they are there already."));
  const bed = await up({ name: BED, hosts: 1 });
  const host = bed.hosts[0] as BedHost;
  if (values.deploy) return deployByHand(bed, host, values.deploy);
  await resetHost(host);
  try {
    const play = new Play(bed, host);
    await firstDeploy(play);
    await deployUnderLoad(play);
    await brokenDeploy(play);
    await killedRunner(play);
    await rollback(play);
    return play.close();
  } finally {
    if (values.keep) howToLook(host);
    else await down(BED);
  }
}

async function firstDeploy(play: Play): Promise<void> {
  play.scene(
    "The first deploy",
    "Nothing is on the host but Docker and sshd. v1 is pulled by digest, started, probed, and committed.",
  );
  const ended = await play.start("good1", "v1").ended;
  play.claim(
    "v1 is deployed and serves",
    `${status(ended)}, ${(await play.look()).serves} answers`,
    ended.code === 0 && (await play.look()).serves === "v1",
  );
}

async function deployUnderLoad(play: Play): Promise<void> {
  play.scene(
    "A deploy under load",
    "20 clients ask without a pause, on kept and on new connections, while v2 takes over.",
  );
  const { failed } = await play.underLoad(async (timeline, load) => {
    await load.answeredBy("v1");
    const step = play.start("good2", "v2", { "bake-time": "3s" });
    await step.reaches("bake");
    timeline.mark("shift");
    await step.ended;
    timeline.mark("v1 stopped");
  });
  const seen = await play.look();
  play.claim(
    "v2 serves, v1 is kept, stopped",
    `${seen.serves}; ${seen.containers.join(", ")}`,
    seen.serves === "v2" && seen.running.length === 1,
  );
  play.claim("requests failed while v2 took over", failed, failed === 0);
}

async function brokenDeploy(play: Play): Promise<void> {
  play.scene(
    "A release that is broken",
    "v3 starts, but its /health answers 500. It never gets traffic, and the job is red.",
  );
  const { failed } = await play.underLoad(async () => {
    const ended = await play.start("broken", "v3", { "start-timeout": "3s" }).ended;
    say(`  ${dim("deploy:")} ${ended.outputs.reason}`);
    play.claim(
      "the deploy is rolled back, and red",
      status(ended),
      ended.outputs.status === "rolled-back" && ended.code === 1,
    );
  });
  const seen = await play.look();
  play.claim(
    "v2 still serves, nothing of v3 is left",
    `${seen.serves}; ${seen.running.join(", ")}`,
    seen.serves === "v2" && !seen.containers.join().includes("v3"),
  );
  play.claim("requests failed while v3 came and went", failed, failed === 0);
}

async function killedRunner(play: Play): Promise<void> {
  play.scene(
    "The runner dies in the middle",
    "v4 has all the traffic and is watched when its runner is killed (SIGKILL). Nobody helps the host.",
  );
  let back = 0;
  let settled = 0;
  const { failed } = await play.underLoad(async (timeline, load) => {
    const step = play.start("good1", "v4", { "bake-time": "60s" });
    await step.reaches("bake");
    await load.answeredBy("v4");
    const killedAt = performance.now();
    step.kill("SIGKILL");
    timeline.mark("killed");
    await step.ended;
    await play.settled();
    back = (load.lastAnswerOf("v4") - killedAt) / 1000;
    settled = (performance.now() - killedAt) / 1000;
    timeline.mark("settled");
  });
  const seen = await play.look();
  play.claim("all traffic is back on v2 within 2 s of the kill", `${back.toFixed(1)} s`, back < 2);
  play.claim(
    "the host has settled on v2 by itself",
    `${seen.serves}, after ${settled.toFixed(1)} s`,
    seen.serves === "v2" && seen.current === "v2",
  );
  play.claim(
    "no lock, no journal, no container of v4 is left",
    seen.containers.join(", "),
    !seen.locked && !seen.journal && !seen.containers.join().includes("v4"),
  );
  play.claim("requests failed while the runner died", failed, failed === 0);
}

async function rollback(play: Play): Promise<void> {
  play.scene(
    "A rollback, without arguments",
    "v2 passed every gate, and is bad all the same. What served before it was kept: nothing is pulled, nothing is built.",
  );
  let seconds = 0;
  const { failed } = await play.underLoad(async (timeline, load) => {
    await load.answeredBy("v2");
    const startedAt = performance.now();
    const step = play.rollBack({ reason: "the demo says so" });
    await step.reaches("bake");
    timeline.mark("shift");
    const ended = await step.ended;
    seconds = (load.lastAnswerOf("v2") - startedAt) / 1000;
    play.claim("the rollback is green", status(ended), ended.outputs.status === "deployed" && ended.code === 0);
  });
  const seen = await play.look();
  play.claim(
    "v1 serves again, in its own container; v2 is kept",
    `${seen.serves}; ${seen.containers.join(", ")}`,
    seen.serves === "v1" && seen.running.join() === "web-v1" && seen.containers.join().includes("web-v2 exited"),
  );
  play.claim("all traffic is on v1 within 5 s of the rollback's start", `${seconds.toFixed(1)} s`, seconds < 5);
  play.claim("requests failed while v1 came back", failed, failed === 0);
}

async function deployByHand(bed: Bed, host: BedHost, image: string): Promise<number> {
  const step = startStep("deploy-ec2", basicInputs(bed, host, image), { GITHUB_RUN_ID: String(Date.now()) });
  step.child.stdout?.pipe(process.stdout);
  return (await step.ended).code ?? 1;
}

function howToLook(host: BedHost): void {
  say();
  say("The bed stays up.");
  say(`  the app:           ${host.url}`);
  say(`  the host:          ${sshTo(host)} ${host.user}@${host.address}`);
  say("  a deploy by hand:  npm run demo -- --deploy good1     (or good2, broken, turnsbad, exits, silent ...)");
  say(`  take it away:      npm run bed -- down --name ${BED}`);
}

runDemo(main);
