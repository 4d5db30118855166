import type { BedHost } from "../bed/bed";
import { inBox } from "./outside";

/** One look at all that a deploy could have left on a box, whatever made it. `self` is this look's own shell. */
const look = `self=$$
docker ps -a --format 'container {{.Names}}'
docker network ls --format 'network {{.Name}}'
docker volume ls --format 'volume {{.Name}}'
find /var/lib/hello-devops -mindepth 1 -printf 'state %P\\n'
find /tmp /root /home/ec2-user -mindepth 1 -printf 'file %p\\n'
here=$(ps -o pidns= -p $self | tr -d ' ')
ps -eo pid=,ppid=,pidns=,user:16=,args= --width 300 | awk -v self=$self -v here=$here '
  $1 != self && $2 != self { where = $3 == here ? "process" : "inside"; user = $4; sub(/^ *[0-9]+ +[0-9]+ +[0-9]+ +[^ ]+ +/, ""); print where, user, $0 }'
true`;

/** What a deploy of the app keeps on purpose. */
const kept = (app: string): readonly RegExp[] => [
  new RegExp(`^container ${app}-[a-z0-9-]+$`),
  new RegExp(`^network hello-devops-${app}$`),
  new RegExp(`^state ${app}(/(current|format|history|holder|lock|releases|run|run/admin\\.sock))?$`),
  new RegExp(`^state ${app}/releases/[a-z0-9-]+(/(release\\.json|haproxy\\.cfg|slots\\.map))?$`),
  // by which Docker may start a release of the strategy recreate: its own alone
  new RegExp(`^state ${app}/releases/([a-z0-9-]+)/starts(/${app}-\\1)?$`),
];

/** A box's own parts, and what runs in its containers. */
const ofTheBox: readonly RegExp[] = [
  /^network (bridge|host|none)$/,
  /^file \/(root|home\/ec2-user)\/\.(bash\w*|profile|ssh(\/authorized_keys)?)$/,
  /^file \/tmp\/runc-process\d+$/, // containerd's, of an exec that was under way as the power was lost
  /^process root (\/bin\/bash \/usr\/local\/sbin\/bed-init|sshd: \/usr\/sbin\/sshd -D -e \[listener\] 0 of|containerd$|dockerd |socat TCP-LISTEN:|sleep [0-9.]+$)/,
  /^process root \/usr\/(bin|sbin)\/(containerd-shim-runc-v2|docker-proxy) /,
  /^process root (bash -c exec 3<&0; )?docker events /, // the matrix's own look at a strategy that stops before it starts
  /^inside \S+ (haproxy|node) /,
];

const PASSES = 5_000; // milliseconds in which what Docker does by itself, such as a container's own health check, has ended

/** What is there and does not belong, in sentences, once the host has settled; looked for again, for some of it is just ending. */
export async function leftBehind(host: BedHost, apps: readonly string[] = ["web"]): Promise<readonly string[]> {
  const end = performance.now() + PASSES;
  for (;;) {
    const seen = await thereNow(host, apps);
    if (seen.length === 0 || performance.now() > end) return seen;
  }
}

/** The same at one glance. */
export async function thereNow(host: BedHost, apps: readonly string[] = ["web"]): Promise<readonly string[]> {
  const lines = (await inBox(host, "bash", "-c", look)).split("\n");
  const known = [...ofTheBox, ...apps.flatMap(kept)];
  const strange = lines.filter((line) => line !== "" && !known.some((kind) => kind.test(line)));
  const workers = lines.filter((line) => /^inside \S+ haproxy /.test(line)).length;
  return [
    ...strange.map((line) => `left behind: ${line}`),
    ...(workers === 2 * apps.length ? [] : [`${workers} processes of HAProxy, not a master and a worker for each app`]),
  ];
}
