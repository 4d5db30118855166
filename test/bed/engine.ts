// Makes sure that a Docker engine answers; where it may (Debian, root), installs and starts one.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheFolder } from "./bed";
import { docker, run, say, succeeds } from "./run";

/** A docker client may be on PATH without an engine behind it, so the engine itself is asked. */
const engineAnswers = (): Promise<boolean> => succeeds(docker(["version", "--format", "{{.Server.Version}}"]));

export async function ensureEngine(): Promise<void> {
  if (await engineAnswers()) return;
  if (process.env.DOCKER_HOST)
    throw new Error(
      `No Docker engine answers at DOCKER_HOST=${process.env.DOCKER_HOST}. The bed needs one on this very machine.`,
    );
  if (process.platform !== "linux")
    throw new Error(
      "No Docker engine answers. Start one (Docker Desktop will not do: its containers' addresses can't be reached); the bed needs Linux.",
    );
  if (!existsSync("/etc/debian_version") || process.getuid?.() !== 0)
    throw new Error(
      "No Docker engine answers (`docker version`). Start it (`sudo systemctl start docker`), install it " +
        "(https://docs.docker.com/engine/install/), or be allowed to use it (`sudo usermod -aG docker $USER`, then log in again). On Debian as root, this command does it by itself.",
    );
  if (!existsSync("/usr/sbin/dockerd") && !existsSync("/usr/bin/dockerd")) await installEngine();
  await startEngine();
}

export async function apt(...packages: string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-q"], { env });
  await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], { env });
}

async function installEngine(): Promise<void> {
  say("no Docker engine here: installing Debian's docker.io");
  await apt("docker.io", "iptables", "ca-certificates");
  // From Debian 13 on the client is a package of its own.
  if (!(await succeeds(run("docker", ["--version"])))) await apt("docker-cli");
}

/** An engine that was killed leaves its pid behind; where another process has that pid by now, dockerd would not start. */
function forgetDead(pidFile: string, program: string): void {
  try {
    const pid = readFileSync(pidFile, "utf8").trim();
    const name = existsSync(`/proc/${pid}/comm`) ? readFileSync(`/proc/${pid}/comm`, "utf8").trim() : "";
    if (name !== program) rmSync(pidFile);
  } catch {
    // there is none
  }
}

async function startEngine(): Promise<void> {
  if (existsSync("/run/systemd/system")) {
    say("starting the Docker engine (systemctl start docker)");
    await run("systemctl", ["start", "docker"]);
  } else {
    mkdirSync(cacheFolder, { recursive: true });
    const log = join(cacheFolder, "dockerd.log");
    say(`starting dockerd; its log is in ${log}`);
    forgetDead("/var/run/docker.pid", "dockerd");
    forgetDead("/var/run/docker/containerd/containerd.pid", "containerd");
    const out = openSync(log, "a");
    spawn("dockerd", [], { detached: true, stdio: ["ignore", out, out] }).unref();
  }
  const deadline = performance.now() + 60_000;
  while (!(await engineAnswers())) {
    if (performance.now() > deadline) throw new Error("The Docker engine was started, but did not answer within 60 s.");
    await sleep(300);
  }
}
