import type { BedHost } from "../bed/bed";
import { docker } from "../bed/run";
import { cutWire, Fault, findProxy, heal, killGuard, killGuardAtBirth, killProxy } from "../support/faults";
import { settled } from "../support/judge";
import { inBox } from "../support/outside";
import type { Phase } from "../support/phases";
import type { Step } from "../support/runner";
import type { Fault as Kind } from "./table";

/** A fault that waits for its moment. */
export interface Strike {
  /** Resolves when the fault has run its course: the box is up again, dockerd answers, the proxy runs. */
  now(step: Step): Promise<void>;
  /** What takes a lasting fault away while the deploy still runs ... */
  meanwhile?(step: Step): Promise<void>;
  /** ... and when it has ended. */
  afterwards?(): Promise<unknown>;
}

const inTheBox = async (host: BedHost, script: string, before?: string): Promise<Strike> => {
  const fault = await Fault.primed(host, script, before);
  return { now: () => fault.strike() };
};

const strikes: Record<Kind, (host: BedHost, phase: Phase) => Promise<Strike>> = {
  "dockerd restarted": (host) => inTheBox(host, "bed-ctl dockerd restart"),
  "host rebooted": async (host) => {
    const fault = await Fault.primed(host, "kill -TERM 1");
    return {
      now: async () => {
        fault.strike().catch(() => {}); // the box goes down under it
        await docker(["restart", host.container]);
      },
    };
  },
  "runner SIGKILLed": async () => ({
    now: async (step) => step.kill("SIGKILL"),
  }),
  "wire cut silently": async (host, phase) => ({
    ...(await inTheBox(host, cutWire)),
    meanwhile: async (step) => {
      // Before the guard has all of its program, the runner alone notices; the host's sshd does once the wire is back.
      await (phase === "connect" || phase === "guard" ? step.ended : settled(host));
      await heal(host);
    },
  }),
  // In connect there is none: killed is what is there.
  "guard SIGKILLed": (host, phase) => inTheBox(host, phase === "connect" ? `${killGuard}; true` : killGuardAtBirth),
  "proxy killed": (host) => inTheBox(host, killProxy(), findProxy()),
  "disk filled": async (host) => ({
    ...(await inTheBox(host, "bed-ctl disk fill")),
    afterwards: () => inBox(host, "bed-ctl", "disk", "clear"),
  }),
  "connection reset": (host) => inTheBox(host, "bed-ctl sshd drop"),
};

export const primed = (fault: Kind, host: BedHost, phase: Phase): Promise<Strike> => strikes[fault](host, phase);
