import type { BedHost } from "../bed/bed";
import { inBox, whoServes } from "./outside";

/** What must hold on a host that no deploy is at work on. It shares no code with the deploy, and takes no lock. */
export interface Verdict {
  /** the committed release's version, by `current` and its record; '' = none */
  readonly version: string;
  /** the committed release's id */
  readonly release: string;
  /** what is not as it must be, in sentences; empty = exactly one release, the committed one, and no leftovers */
  readonly wrong: readonly string[];
  /** of journal, locked, guard: what is there */
  readonly busy: readonly string[];
}

interface Container {
  readonly name: string;
  readonly running: boolean;
  readonly policy: string;
}

// Bits of srv_admin_state: maintenance and drain, forced, inherited or for want of an address (HAProxy management guide).
const MAINT = 1;
const NOT_READY = 1 | 2 | 8 | 16 | 32;

const busy = (app: string) => `
cd /var/lib/hello-devops/${app} 2>/dev/null || { echo "absent"; exit 0; }
[ ! -e journal ] || echo "journal"
grep -q "FLOCK.*:$(stat -c %i lock) " /proc/locks && echo "locked"
pgrep -f '[b]ash --norc --noprofile -s -- ${app} ' | sed 's/^/guard /'
true`;

const facts = (app: string) => `${busy(app)}
echo "current $(readlink current)"
echo "record $(cat current/release.json 2>/dev/null | tr '\\n' ' ')"
for r in releases/*; do echo "folder $r $([ -e "$r/release.json" ] && echo whole || echo torn)"; done
ids=$(docker ps -aq --filter label=hello-devops.app=${app})
[ -z "$ids" ] || docker inspect -f 'container {{slice .Name 1}} {{.State.Running}} {{.HostConfig.RestartPolicy.Name}}' $ids
docker exec ${app}-proxy bash -c 'exec 3<>/dev/tcp/127.0.0.1/9999; echo "show servers state app" >&3; cat <&3' 2>/dev/null |
  awk '$2 == "app" { print "slot", $4, $7, $18 }'
true`;

async function read(host: BedHost, script: string) {
  const lines = (await inBox(host, "bash", "-c", script)).split("\n");
  const all = (kind: string) =>
    lines.filter((line) => line === kind || line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1));
  return {
    all,
    busy: ["journal", "locked", "guard"].filter((kind) => all(kind).length > 0),
    absent: all("absent").length > 0,
  };
}

/** Waits, in the box, until no guard runs, no lock is held and no journal is left: the host has come to rest by itself. */
export async function settled(host: BedHost, limit = 60_000, app = "web"): Promise<void> {
  const quiet = `! (${busy(app)}) | grep -Eq "^(journal|locked|guard)"`;
  const loop = `for ((i = 0; i < ${limit / 200}; i++)); do ${quiet} && exit 0; sleep 0.2; done; exit 1`;
  await inBox(host, "bash", "-c", loop).catch((cause) => {
    throw new Error(`not within ${limit / 1000} s: the host settles by itself`, { cause });
  });
}

/** The judge: exactly one release serves, it is the committed one, and nothing else is left but what is kept on purpose. */
export async function judge(host: BedHost, app = "web"): Promise<Verdict> {
  const [{ all, busy, absent }, serves] = await Promise.all([read(host, facts(app)), whoServes(host)]);
  if (absent) {
    const wrong = serves ? [`${serves} answers, but there is no state folder`] : [];
    return { version: "", release: "", wrong, busy };
  }
  const release = (all("current")[0] ?? "").replace("releases/", "");
  const wrong = busy.map((what) => `there is a ${what}`);
  const expect = (holds: boolean, sentence: string) => {
    if (!holds) wrong.push(sentence);
  };
  const torn = all("folder").filter((folder) => folder.endsWith(" torn") && folder !== "releases/none torn");
  expect(torn.length === 0, `left behind: ${torn.join(", ")}`);
  if (release === "none" || release === "") {
    expect(serves === undefined, `${serves} answers, but nothing is committed`);
    return { version: "", release: "", wrong, busy };
  }
  const record = JSON.parse(all("record")[0] || "{}") as { version?: string; container?: string; slot?: string };
  expect(serves === record.version, `${serves ?? "nothing"} answers, but ${record.version} is committed`);
  wrong.push(...strangers(all("container").map(container), record.container ?? "", app, all("folder")));
  const slots = all("slot").map((line) => line.split(" "));
  expect(slots.length === 2, "the proxy does not say what its slots are");
  for (const [slot, admin, name] of slots) {
    const out = Number(admin) & NOT_READY;
    if (slot === record.slot) expect(out === 0 && name === record.container, `${slot} is ${admin} for ${name}`);
    else expect((out & MAINT) === MAINT, `the empty slot ${slot} is ${admin} for ${name}, not in maintenance`);
  }
  return { version: record.version ?? "", release, wrong, busy };
}

function strangers(containers: Container[], live: string, app: string, folders: readonly string[]): string[] {
  const known = new Set(folders.map((folder) => `${app}-${folder.replace(/^releases\/(\S+) .*$/, "$1")}`));
  return containers.flatMap(({ name, running, policy }) => {
    const is = `${name} is ${running ? "running" : "stopped"}, restart policy ${policy}`;
    if (name === live || name === `${app}-proxy`) return running && policy === "always" ? [] : [is];
    if (!known.has(name)) return [`left behind: ${is}`];
    return running || policy !== "no" ? [is] : [];
  });
}

const container = (line: string): Container => {
  const [name = "", running, policy = ""] = line.split(" ");
  return { name, running: running === "true", policy };
};
