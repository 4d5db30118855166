import { expect } from "@jest/globals";
import type { BedHost } from "../bed/bed";
import { resetHost } from "../bed/hosts";
import { bed } from "./bad-day";
import { heal } from "./faults";
import { judge, settled } from "./judge";
import { Load } from "./load";
import { inBox, until } from "./outside";
import { basicInputs, type Ended, type Inputs, type Step, startStep } from "./runner";

/** Two hosts that no worker has for its own: one file of tests may use them. */
export const fleet: readonly [BedHost, BedHost] = [bed.hosts[2] as BedHost, bed.hosts[3] as BedHost];
const [a, b] = fleet;

export const freshFleet = async (): Promise<void> => {
  await Promise.all(
    fleet.map(async (host) => {
      await heal(host);
      await release(host);
      await resetHost(host);
    }),
  );
};

export const inputs = (image: string, more: Inputs = {}): Inputs => ({
  ...basicInputs(bed, a, image),
  hosts: fleet.map(({ address, port }) => `${address}:${port}`).join(", "),
  app: "web",
  "bake-time": "0s",
  "connect-timeout": "3s",
  "drain-timeout": "5s",
  "stop-timeout": "5s",
  lease: "5s",
  ...more,
});

export const start = (image: string, more: Inputs = {}, env: Inputs = {}): Step =>
  startStep("deploy-ec2", inputs(image, more), env);
export const deploy = (image: string, more: Inputs = {}): Promise<Ended> => start(image, more).ended;

export async function deployed(image: string, more: Inputs = {}): Promise<Ended> {
  const ended = await deploy(image, more);
  if (ended.outputs.status !== "deployed") throw new Error(`${image} should have been deployed:\n${ended.log}`);
  return ended;
}

/** Both hosts come to rest by themselves, on exactly one release each; which. */
export async function theyServe(): Promise<string[]> {
  await Promise.all(fleet.map((host) => settled(host)));
  const verdicts = await Promise.all(fleet.map((host) => judge(host)));
  expect(verdicts.map(({ wrong }) => wrong)).toEqual([[], []]);
  return verdicts.map(({ version }) => version);
}

export const loads = (): Load[] => fleet.map(({ url }) => new Load(url, { keepAlive: 3, fresh: 2, pause: 20 }));

export async function noneFailed(running: readonly Load[]): Promise<void> {
  for (const { failed, failures } of await Promise.all(running.map((load) => load.stop())))
    expect({ failed, failures }).toEqual({ failed: 0, failures: [] });
}

/** What each host ended as: the output `hosts`. */
export const hostsOf = ({ outputs }: Ended): { status: string; release: string }[] => JSON.parse(outputs.hosts ?? "[]");

const JOURNAL = "/var/lib/hello-devops/web/journal";

/** What its guard calls in a message, and so where in the deploy it is held: the tool waits there until it is released. */
const places = {
  /** the entry is written and not yet fsynced: the other host is prepared, and none commits */
  PREPARE: "sync",
  /** it has the message, and `current` is not renamed yet: the other host commits */
  COMMIT: "ln",
} as const;

export async function holdIn(message: keyof typeof places, host: BedHost): Promise<void> {
  const tool = places[message];
  const slow = `#!/bin/sh
if [ -e /run/bed/hold-${tool} ] && grep -aqs '^prepared' ${JOURNAL}; then
  touch /tmp/held
  while [ -e /run/bed/hold-${tool} ]; do sleep 0.02; done
fi
exec /bin/${tool} "$@"`;
  const script =
    'printf "%s\n" "$1" >"/usr/local/bin/$2"; chmod 755 "/usr/local/bin/$2"; rm -f /tmp/held; touch "/run/bed/hold-$2"';
  await inBox(host, "bash", "-c", script, "hold", slow, tool);
}

export const held = (host: BedHost): Promise<void> =>
  until(
    "its guard is held",
    async () => (await inBox(host, "bash", "-c", "[ ! -e /tmp/held ] || echo held")) === "held",
  );

export const release = (host: BedHost): Promise<string> =>
  inBox(host, "rm", "-f", "/run/bed/hold-sync", "/run/bed/hold-ln", "/tmp/held");

export const journalIsGone = (host: BedHost): Promise<void> =>
  until(
    "it goes back by itself",
    async () => (await inBox(host, "bash", "-c", `[ -e ${JOURNAL} ] || echo gone`)) === "gone",
  );
export { a, b };
