// Runs a program with words, never a shell line. Its chatter is kept, and shown only when it fails.
import { spawn } from "node:child_process";

export interface RunOptions {
  input?: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

export class RunError extends Error {
  constructor(
    readonly words: string[],
    readonly code: number | null,
    readonly output: string,
  ) {
    super(`${words.slice(0, 6).join(" ")} ... ended with ${code}:\n${output.trim().split("\n").slice(-25).join("\n")}`);
  }
}

export function run(program: string, args: string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    let out = "";
    let all = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      all += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      all += text;
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(out.trim()) : reject(new RunError([program, ...args], code, all)),
    );
    if (options.input !== undefined) child.stdin?.end(options.input);
  });
}

export const docker = (args: string[], options: RunOptions = {}): Promise<string> => run("docker", args, options);

export const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

export async function succeeds(running: Promise<unknown>): Promise<boolean> {
  return running.then(
    () => true,
    () => false,
  );
}

const started = Date.now();

/** Says on stderr what is being done; stdout belongs to the JSON. */
export function say(text: string): void {
  process.stderr.write(`bed ${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}\n`);
}
