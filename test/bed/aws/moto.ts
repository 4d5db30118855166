// AWS in a process: moto's server, the one on PATH or one in a Python venv of the bed's own.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../bed";
import { apt } from "../engine";
import { locked } from "../lock";
import { run, say, succeeds } from "../run";

/** As https://pypi.org/project/moto/ lists it; what the tests were written against. */
const version = "5.2.1";
const venv = join(cacheFolder, `moto-${version}`);

let program: Promise<string> | undefined;

export class Moto {
  private constructor(
    readonly endpoint: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<Moto> {
    program ??= ensureMoto();
    // bash ends the server at the end of its own input: so it ends with this process, however that ends.
    const script = '"$0" -H 127.0.0.1 -p 0 & cat; kill $!; wait $!';
    const child = spawn("bash", ["-c", script, await program], { stdio: ["pipe", "ignore", "pipe"] });
    return new Moto(await whereItRuns(child), child);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = new Promise((resolve) => this.child.once("close", resolve));
    this.child.stdin?.end();
    await closed;
  }
}

function whereItRuns(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const give = (error: Error) => {
      child.stdin?.end();
      reject(error);
    };
    const limit = setTimeout(() => give(new Error(`moto_server did not say its port within 60 s:\n${said}`)), 60_000);
    child.once("error", give).once("close", () => give(new Error(`moto_server ended:\n${said}`)));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = `${said}${text}`.slice(-4000); // it writes a line for every request, too
      const [, url] = /Running on (http:\S+)/.exec(said) ?? [];
      if (!url) return;
      clearTimeout(limit);
      resolve(url);
    });
  });
}

/** @returns the program's name or path. A name on PATH may be a shim without anything behind it, so it is run. */
async function ensureMoto(): Promise<string> {
  if (await succeeds(run("moto_server", ["--help"]))) return "moto_server";
  const server = join(venv, "bin", "moto_server");
  await locked("moto", async () => {
    if (!existsSync(server)) await install();
  });
  return server;
}

/** The program is the last thing that pip puts there: a half-made venv is made anew. */
async function install(): Promise<void> {
  say(`no moto_server here: installing moto ${version} from PyPI into ${venv}`);
  await makeVenv(venv);
  await run(join(venv, "bin", "pip"), ["install", "--quiet", `moto[server]==${version}`]);
}

async function makeVenv(folder: string): Promise<void> {
  const make = () => run("python3", ["-m", "venv", "--clear", folder]);
  if (await succeeds(make())) return;
  if (existsSync("/etc/debian_version") && process.getuid?.() === 0) await apt("python3-venv");
  await make();
}
