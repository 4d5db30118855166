// What a box must be allowed so that a Docker engine runs in it. --privileged where the machine can give it;
// a machine that lacks a capability itself can't, and then each is named.

import { debian, machineFile } from "./base-images";
import { readJson, writeJson } from "./bed";
import { docker, say, succeeds } from "./run";

// All but SYS_RESOURCE, SYS_RAWIO, SYS_BOOT and WAKE_ALARM; names newer than engine 20.10 are left out, it refuses them.
const capabilities =
  "AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL " +
  "LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW SETFCAP SETGID SETPCAP SETUID " +
  "SYSLOG SYS_ADMIN SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_TIME SYS_TTY_CONFIG";

const named = [
  ...capabilities.split(" ").flatMap((name) => ["--cap-add", name]),
  ...["seccomp", "apparmor", "systempaths"].flatMap((name) => ["--security-opt", `${name}=unconfined`]),
  "--device-cgroup-rule=a *:* rwm",
];

let privileges: Promise<string[]> | undefined;

/** Probed once per machine. */
export function boxPrivileges(): Promise<string[]> {
  privileges ??= probe();
  return privileges;
}

async function probe(): Promise<string[]> {
  const engine = await docker(["info", "--format", "{{.ID}}"]);
  const known = readJson<{ engine: string; privileged: boolean }>(machineFile);
  let privileged = known?.engine === engine ? known.privileged : undefined;
  if (privileged === undefined) {
    privileged = await succeeds(docker(["run", "--rm", "--network=none", "--privileged", debian, "true"]));
    say(privileged ? "boxes run --privileged" : "--privileged can't be had here: boxes get their capabilities by name");
    writeJson(machineFile, { engine, privileged });
  }
  return privileged ? ["--privileged"] : named;
}
