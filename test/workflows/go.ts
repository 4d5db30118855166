// The Go that builds tools from source: this machine's, where it is new enough, else the one in a Python package.
import { tmpdir } from "node:os";
import { run } from "../bed/run";
import { tool } from "./tools";

const OLDEST = 25; // 1.25: what act's go.mod asks for

export async function goProgram(): Promise<string> {
  const env = { ...process.env, GOTOOLCHAIN: "local" }; // its own version, and none that it would fetch
  const here = await run("go", ["env", "GOVERSION"], { cwd: tmpdir(), env }).catch(() => "");
  const [, minor] = /^go1\.(\d+)/.exec(here) ?? [];
  return Number(minor) >= OLDEST ? "go" : tool("go");
}
