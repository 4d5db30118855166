// AWS in a process, where an alarm goes off: moto evaluates none. It compares the average of all data of a metric's name with the
// threshold, and knows neither dimensions nor "3 of 5": good for one crossing, and for what is told of it.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tool } from "../workflows/tools";

export class Ministack {
  private constructor(
    readonly endpoint: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Ministack> {
    const program = await tool("ministack");
    const port = String(await freePort());
    const folder = mkdtempSync(join(tmpdir(), "hello-devops-ministack-"));
    const own = { GATEWAY_PORT: port, BIND_HOST: "127.0.0.1", MINISTACK_HOST: "127.0.0.1", TMPDIR: folder };
    const apart = { DOCKER_HOST: `unix://${folder}/no-engine.sock` }; // it would look for containers of its own
    // bash ends the server at the end of its own input: so it ends with this process, however that ends.
    const script = '"$0" & cat; kill $!; wait $!';
    const child = spawn("bash", ["-c", script, program], {
      stdio: ["pipe", "ignore", "pipe"],
      env: { ...process.env, ...own, ...apart },
    });
    await itRuns(child);
    return new Ministack(`http://127.0.0.1:${port}`, child, folder);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.child.once("close", resolve));
    this.child.stdin?.end();
    await closed;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function itRuns(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const give = (why: string) => {
      child.stdin?.end();
      reject(new Error(`ministack ${why}:\n${said}`));
    };
    const limit = setTimeout(() => give("did not start within 60 s"), 60_000);
    child.once("error", reject).once("close", () => give("ended"));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = `${said}${text}`.slice(-4000); // it writes a line for every request, too
      if (!said.includes("Running on http://")) return;
      clearTimeout(limit);
      resolve();
    });
  });
}
