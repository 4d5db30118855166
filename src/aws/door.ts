import { UserError } from "../user-error";
import { closing, type Holder, holding, isClosing, isHeld, isOurs, keyOf, madeBy } from "./holders";
import { type IngressRule, SecurityGroup } from "./security-group";
import type { Aws } from "./session";

/** Wall-clock milliseconds: what one job writes, another one reads. */
export interface WallClock {
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

export interface DoorOptions {
  /** "sg-..." */
  readonly groupId: string;
  readonly port: number;
  /** the runner's addresses, "203.0.113.7/32" */
  readonly cidrs: readonly string[];
  readonly holder: Holder;
  readonly clock: WallClock;
  /** milliseconds after which the holder counts as dead; left out: 6 h, the longest that GitHub lets a job run */
  readonly lifetime?: number;
}

export interface Door {
  /** the rules that this holder keeps; a rule made by a person is none of them */
  readonly ruleIds: readonly string[];
  /** what could not be tidied up; the door is open all the same */
  readonly warnings: readonly string[];
  /** @returns warnings: what is still open, and what to do */
  close(): Promise<string[]>;
}

export interface Closing {
  readonly groupId: string;
  /** undefined = not known, for the holder died as it opened them: what carries its tag is closed anyway */
  readonly ruleIds: readonly string[] | undefined;
  readonly holder: Holder;
  readonly clock: WallClock;
}

const LIFETIME = 6 * 60 * 60_000;
const CLOSING_LIMIT = 120_000; // a closer that takes longer is dead: its three calls may be sent again, being throttled
const PAUSE = 2_000;
const ROUNDS = 75; // 150 s: so a dead closer is outwaited
const LOOK_AGAIN = [1_000, 2_000, 4_000];

/**
 * Lets the runner in: one rule for each of its addresses, tagged with who holds it and until when. Rules that dead runs
 * left in this group go first.
 *
 * For AWS a rule is its ports and its source, so two jobs with one address share a rule: each has a tag of its own on it,
 * and the last to go takes it away. Whoever closes marks that before it looks for others, and whoever joins looks for
 * such a mark after its own tag is there: so one of the two always sees the other. (AWS promises no order between calls
 * of two clients; what is left of the race is its delay.)
 *
 * @throws {UserError} after closing what was opened; what AWS kept it from closing, `closeDoor` finds by the holder's tag
 */
export async function openDoor(aws: Aws, options: DoorOptions): Promise<Door> {
  const { groupId, cidrs, holder, clock } = options;
  const group = new SecurityGroup(aws, groupId);
  const warnings = await sweep(group, options);
  const opened = await Promise.allSettled(cidrs.map((cidr) => letIn(group, cidr, options)));
  const ruleIds = opened.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
  const close = () => closeDoor(aws, { groupId, ruleIds, holder, clock });
  const failed = opened.find((one) => one.status === "rejected");
  if (!failed) return { ruleIds, warnings, close };
  await close();
  throw failed.reason;
}

/** Closes what `holder` holds in the group. @returns warnings: what is still open, and what to do */
export async function closeDoor(aws: Aws, { groupId, ruleIds, holder, clock }: Closing): Promise<string[]> {
  const group = new SecurityGroup(aws, groupId);
  const stillOpen = (which: string) => (cause: Error) => [
    `ssh-security-group: ${which} in ${groupId} could not be closed: ${cause.message} The next deploy sweeps it once it has expired; to close it now, revoke what is tagged ${keyOf(holder)}.`,
  ];
  try {
    const { rules, mine } = await seen(group, ruleIds, holder, clock);
    const unseen = (ruleIds ?? []).filter((id) => !rules.some((rule) => rule.id === id)); // gone
    const ids = [...mine, ...unseen];
    const warnings = await Promise.all(ids.map((id) => letGo(group, id, holder, clock).then(() => [], stillOpen(id))));
    return warnings.flat();
  } catch (cause) {
    return stillOpen("what this job opened")(cause as Error);
  }
}

/** What was made a moment ago may not be listed yet (EC2 developer guide, "Eventual consistency"): then it is looked for again. */
async function seen(group: SecurityGroup, ruleIds: Closing["ruleIds"], holder: Holder, clock: WallClock) {
  for (const pause of [...LOOK_AGAIN, 0]) {
    const rules = await group.rules();
    const mine = rules.filter((rule) => isOurs(rule) && keyOf(holder) in rule.tags).map(({ id }) => id);
    const whole = ruleIds ? ruleIds.every((id) => mine.includes(id)) : mine.length > 0;
    if (whole || pause === 0) return { rules, mine };
    await clock.sleep(pause);
  }
  throw new Error("the last look has no pause behind it");
}

/** @returns the id of the rule that lets `cidr` in and is held now; undefined = a person's rule does, and stays theirs. */
async function letIn(group: SecurityGroup, cidr: string, options: DoorOptions): Promise<string | undefined> {
  const { port, holder, clock, lifetime = LIFETIME } = options;
  const description = `hello-devops: SSH from the runner of ${holder.url}`.replace(/[^\w .:/()#,@[\]+=&;{}!$*-]/g, " ");
  for (let round = 0; round < ROUNDS; round++) {
    const mark = holding(holder, clock.now() + lifetime);
    const rule = { port, cidr, description: description.slice(0, 255), tags: { ...madeBy(holder), ...mark } };
    const made = await group.authorize(rule);
    if (made) return made;
    const there = (await group.rules()).find((one) => opens(one, port, cidr));
    if (there && !isOurs(there)) return undefined;
    if (there) {
      await group.tag(there.id, mark);
      const joined = await find(group, there.id);
      if (joined && !isClosing(joined, clock.now(), holder)) return joined.id;
    }
    await clock.sleep(PAUSE); // it is being closed, or was between two calls
  }
  throw new UserError(
    `ssh-security-group: port ${port} for ${cidr} in ${group.id} is neither open nor can it be opened: its rule is being closed again and again by other jobs. Run this job again.`,
  );
}

/** Takes the holder's tag off, and the rule away when nobody else needs it. */
async function letGo(group: SecurityGroup, ruleId: string, holder: Holder, clock: WallClock): Promise<void> {
  await group.tag(ruleId, closing(holder, clock.now() + CLOSING_LIMIT));
  const rule = await find(group, ruleId);
  if (rule && isHeld(rule, clock.now(), holder)) await group.untag(ruleId, keyOf(holder));
  else await group.revoke(ruleId);
}

/** @returns warnings: a dead run's rule that stays does not keep this run from its work. */
async function sweep(group: SecurityGroup, { holder, clock }: DoorOptions): Promise<string[]> {
  const rules = await group.rules();
  const held = (rule: IngressRule) => keyOf(holder) in rule.tags || isHeld(rule, clock.now(), holder);
  const dead = rules.filter((rule) => isOurs(rule) && !held(rule));
  const warning =
    ({ id }: IngressRule) =>
    (cause: Error) => [
      `ssh-security-group: the rule ${id} of a run that is over could not be taken out of ${group.id}: ${cause.message}`,
    ];
  const swept = await Promise.all(
    dead.map((rule) => letGo(group, rule.id, holder, clock).then(() => [], warning(rule))),
  );
  return swept.flat();
}

const find = async (group: SecurityGroup, id: string): Promise<IngressRule | undefined> =>
  (await group.rules()).find((rule) => rule.id === id);

const opens = (rule: IngressRule, port: number, cidr: string): boolean =>
  rule.fromPort === port && rule.toPort === port && rule.cidr === cidr;
