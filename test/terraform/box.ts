// A container that plays a new EC2 instance (box/Dockerfile).
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { debian13, ensureDebian, hubAnswers } from "../bed/base-images";
import { cacheName, localImage } from "../bed/bed";
import { ensureImage } from "../bed/build";
import { ensureEngine } from "../bed/engine";
import { docker, lines, RunError } from "../bed/run";

const tag = localImage("new-instance");

export async function ensureBoxImage(): Promise<void> {
  await ensureEngine();
  await ensureDebian(await hubAnswers(), debian13);
  const context = join(__dirname, "box");
  await ensureImage({ tag, context, args: { BASE: debian13 }, base: debian13, owner: cacheName });
}

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

export class Box {
  private constructor(readonly name: string) {}

  /** On this machine's own network, where what plays AWS listens on loopback. */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<Box> {
    const name = `hello-devops-box-${randomUUID().slice(0, 8)}`;
    const env = Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
    await docker(["run", "--detach", "--rm", "--init", "--name", name, "--network", "host", ...env, tag]);
    return new Box(name);
  }

  /** @throws what it said, when it fails */
  run(...words: readonly string[]): Promise<string> {
    return docker(["exec", this.name, ...words]);
  }

  async ended(...words: readonly string[]): Promise<Ended> {
    return this.run(...words).then(
      (output) => ({ code: 0, output }),
      (error: unknown) => {
        if (error instanceof RunError) return { code: error.code, output: error.output };
        throw error;
      },
    );
  }

  async write(path: string, content: string): Promise<void> {
    const script = 'mkdir -p "$(dirname "$0")" && cat >"$0"';
    await docker(["exec", "--interactive", this.name, "bash", "-c", script, path], { input: content });
  }

  /** The first boot of an instance with this user data: cloud-init reads it and carries it out. */
  async boot(userData: string): Promise<void> {
    const seed = "/var/lib/cloud/seed/nocloud";
    await this.write(`${seed}/user-data`, userData);
    await this.write(`${seed}/meta-data`, "instance-id: i-0123456789abcdef0\n");
    for (const stage of ["init --local", "init", "modules --mode=config", "modules --mode=final"])
      await this.run("cloud-init", ...stage.split(" "));
  }

  /** How the stand-ins were called, in order. */
  async calls(): Promise<readonly string[]> {
    return lines(await this.run("bash", "-c", "cat /calls 2>/dev/null || true"));
  }

  /** Each file below these folders, by what it holds. */
  files(...folders: readonly string[]): Promise<string> {
    return this.run("bash", "-c", 'find "$@" -type f -exec sha256sum {} + | sort -k 2', "files", ...folders);
  }

  async end(): Promise<void> {
    await docker(["rm", "--force", this.name]);
  }
}
