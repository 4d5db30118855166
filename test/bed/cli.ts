// The test bed: EC2 hosts in a box. See README.md.
import { parseArgs } from "node:util";
import { sshTo } from "./bed";
import { down, downAll } from "./down";
import { resetHost } from "./hosts";
import { checkKind } from "./kinds";
import { say } from "./run";
import { up } from "./up";

const usage = `Usage:
  npm run -s bed -- up [--hosts N] [--more docker26,live-restore] [--latency MS] [--name X] [--json]
  npm run -s bed -- down [--name X | --all]
  npm run -s bed -- reset HOST [--images] [--name X]
`;

function number(option: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`--${option}: expected a whole number from ${least} to ${most}, got "${text}".`);
}

async function main(): Promise<void> {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    hosts: text,
    more: text,
    latency: text,
    name: text,
    json: flag,
    all: flag,
    images: flag,
    help: flag,
  };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [command, host] = positionals;
  const name = values.name ?? "default";
  if (values.help || command === undefined) process.stderr.write(usage);
  else if (command === "up") {
    const hosts = number("hosts", values.hosts, 1, 100);
    const latency = number("latency", values.latency, 0, 60_000);
    const bed = await up({
      name,
      ...(hosts === undefined ? {} : { hosts }),
      ...(values.more === undefined ? {} : { more: values.more.split(",").filter(Boolean).map(checkKind) }),
      ...(latency === undefined ? {} : { latency }),
    });
    if (values.json) process.stdout.write(`${JSON.stringify(bed)}\n`);
    else for (const it of bed.hosts) say(`${sshTo(it)} ${it.user}@${it.address}`);
  } else if (command === "down") await (values.all ? downAll() : down(name));
  else if (command === "reset" && host)
    await resetHost({ container: `hello-devops-bed-${name}-${host}` }, { images: values.images ?? false });
  else throw new Error(`unknown command "${positionals.join(" ")}"\n${usage}`);
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`bed: ${message}\n`);
  process.exitCode = 1;
});
