import type { Aws } from "../aws/session";
import type { Log } from "../release/log";
import { proxyOf } from "./proxy";

/** What of AWS an action uses. Its clients are 4 MB: they are read where the inputs need them, and nowhere else. */
export interface AwsAtHand {
  readonly aws: Aws;
  readonly access: typeof import("../aws/access");
}

export type AskAws = () => Promise<AwsAtHand>;

/** @param region undefined = the environment's */
export function awsOnDemand(region: string | undefined, log: Log): AskAws {
  let opened: Promise<AwsAtHand> | undefined;
  const open = async () => {
    const access = await import("../aws/access");
    return { access, aws: await access.openAws({ region, proxyOf, debug: (line) => log.debug(line) }) };
  };
  return () => {
    opened ??= open();
    return opened;
  };
}
