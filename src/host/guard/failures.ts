import { UserError } from "../../user-error";
import { NO_CLIENT } from "../docker";

export interface GuardFacts {
  /** the group of /var/run/docker.sock */
  readonly dockerGroup: string;
  /** bytes */
  readonly memoryFree: number;
}

/** The app's folder is not on the host yet: this is the first deploy. */
export class FolderAbsent extends Error {
  constructor(readonly facts: GuardFacts) {
    super("the app has no state folder on the host");
  }
}

/** The guard is gone or silent. Whether the host was taken back is for the next guard to say. */
export class GuardLost extends Error {
  override readonly name = "GuardLost";
}

/** A deed that the host could not do; `detail` is what it said. */
export class DeedFailed extends Error {
  override readonly name = "DeedFailed";
  constructor(
    readonly deed: string,
    readonly detail: string,
  ) {
    super(`${deed}: ${detail || "failed"}`);
  }
}

/** What the guard says before it is ready, as a sentence for a person. */
export function refusal(app: string, facts: GuardFacts, reason: string, detail: string): Error {
  const folder = `/var/lib/hello-devops/${app}`;
  switch (reason) {
    case "absent":
      return new FolderAbsent(facts);
    case "rights":
      return new UserError(
        `This user may not write ${detail}. Add it to the group that owns the folder (docker, as a rule).`,
      );
    case "format":
      return new UserError(
        `${folder} was written by a newer hello-devops (format ${detail}). Use that version or a later one; nothing was changed.`,
      );
    case "client":
      return new UserError(NO_CLIENT);
    case "kill-user-processes":
      return new UserError(
        "systemd-logind on the host has KillUserProcesses=yes, which would kill the guard with the connection. Set KillUserProcesses=no in /etc/systemd/logind.conf and restart systemd-logind.",
      );
    case "twice":
      return new UserError(
        "hosts names this machine twice, by two names or addresses: this very deploy holds its lock already. Name it once.",
      );
    case "damage":
      return new UserError(
        `The undo journal of an earlier deploy is damaged: ${detail}. Nothing was changed. Look at what runs (docker ps) and what is committed (readlink ${folder}/current), put right what differs, and delete ${folder}/journal.`,
      );
    default:
      return new UserError(`The guard could not start (${reason}): ${detail}. Nothing was changed.`);
  }
}
