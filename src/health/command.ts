import { spawn } from "node:child_process";

/**
 * Runs the user's own check on the runner, as `bash -c`, with `URL` in its environment. It has a process group of its
 * own, so that all it started ends with it: at its limit, or with the deploy.
 *
 * @returns how it ended: "exit status 0", "killed by SIGKILL", "no end within 120 s"
 */
export function runVerifyCommand(
  command: string,
  url: string,
  timeout: number,
  signal: AbortSignal,
  onText: (text: string) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", command], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: environment(url),
    });
    const endGroup = () => {
      try {
        if (child.pid) process.kill(-child.pid, "SIGKILL");
      } catch {
        // it has ended already
      }
    };
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      endGroup();
    }, timeout);
    const onAbort = () => {
      endGroup();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", onText);
    }
    child.once("error", reject);
    child.once("exit", endGroup); // what it left running would hold its output open, and `close` would not come
    child.once("close", (code, killer) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      if (late) resolve(`no end within ${timeout / 1000} s`);
      else resolve(killer ? `killed by ${killer}` : `exit status ${code}`);
    });
  });
}

/** The inputs of this action hold secrets; the command has no need of them. */
const environment = (url: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("INPUT_") && !name.startsWith("STATE_")),
  ),
  URL: url,
});
