import type { IngressRule, Tags } from "./security-group";

/** Who keeps a door open: one step of one job. */
export interface Holder {
  /** its own: two jobs of one run are two holders. Letters, digits, ".", "_", "-"; at most 100 */
  readonly name: string;
  /** of the run, for a person who reads the tags */
  readonly url: string;
}

// The tags of a rule that is ours:
//   hello-devops:run         = URL of the run that made it
//   hello-devops:run:HOLDER  = when that holder counts as dead, or "closing" and when its closing does (ISO 8601)
const OURS = "hello-devops:run";
const OF_HOLDER = `${OURS}:`;
const CLOSING = "closing ";

export const isOurs = ({ tags }: IngressRule): boolean => OURS in tags;

export const keyOf = ({ name }: Holder): string => `${OF_HOLDER}${name}`;

/** Tag values may hold no other characters (EC2 User Guide, "Tag restrictions"). */
export const madeBy = ({ url }: Holder): Tags => ({ [OURS]: url.replace(/[^\w+\-=.:/@ ]/g, " ").slice(0, 256) });

/** @param until milliseconds since 1970, as all times here */
export const holding = (holder: Holder, until: number): Tags => ({ [keyOf(holder)]: new Date(until).toISOString() });

export const closing = (holder: Holder, until: number): Tags => ({
  [keyOf(holder)]: `${CLOSING}${new Date(until).toISOString()}`,
});

/** Somebody other than `me` needs the rule. */
export const isHeld = (rule: IngressRule, now: number, me: Holder): boolean =>
  others(rule, me).some((value) => !value.startsWith(CLOSING) && Date.parse(value) > now);

/** Somebody other than `me` is about to take the rule away, unless it died over it. */
export const isClosing = (rule: IngressRule, now: number, me: Holder): boolean =>
  others(rule, me).some((value) => value.startsWith(CLOSING) && Date.parse(value.slice(CLOSING.length)) > now);

const others = ({ tags }: IngressRule, me: Holder): string[] =>
  Object.entries(tags).flatMap(([key, value]) => (key.startsWith(OF_HOLDER) && key !== keyOf(me) ? [value] : []));
