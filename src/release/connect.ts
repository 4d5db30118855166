import { FolderAbsent, GuardLost } from "../host/guard/failures";
import type { Found } from "../host/guard/guard";
import { UserError } from "../user-error";
import { type Fleet, type Member, of } from "./fleet";
import { type Queue, takeOrMakeLock } from "./lock";
import type { DeployRequest } from "./request";
import { sendScout } from "./scout";
import { lockRequest, type World } from "./world";

/** Resolves when a host's guard holds its lock. */
export type Locking = (member: Member) => Promise<void>;

/** Nothing on a host waits for another thing: its Docker is greeted while the guard starts and the scout asks. */
export async function connect(request: DeployRequest, world: World, fleet: Fleet): Promise<Locking> {
  await fleet.each(fleet.members, (member) => open(request, member));
  const locking = takeLocks(request, world, fleet);
  await fleet.each(fleet.members, greet);
  return locking;
}

async function greet(member: Member): Promise<void> {
  const version = await of(member, "host").engine.greet();
  member.say(`connected, Docker ${version.Version}, ${version.Arch}`);
}

async function open(request: DeployRequest, member: Member): Promise<void> {
  const host = await member.target.open();
  member.host = host;
  member.scout = sendScout(request, host);
  void host.connection.closed.then(() => {
    if (member.host === host) member.stop.abort(new GuardLost("the connection to the host was lost"));
  });
}

/** Side by side but for the locks: those are taken one after the other, in an order that every deploy shares. */
function takeLocks(request: DeployRequest, world: World, fleet: Fleet): Locking {
  const inOrder = [...fleet.members].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  let before: Promise<unknown> = Promise.resolve();
  const locking = new Map<Member, Promise<void>>();
  for (const member of inOrder) {
    let locked = () => {};
    const turn = { turn: "first" as const, before, locked: () => locked() };
    before = new Promise<void>((resolve) => {
      locked = resolve;
    });
    const taking = takeGuard(request, world, member, turn);
    taking.catch(() => {}); // reported by the phase that awaits it
    locking.set(member, taking);
  }
  return async (member) => locking.get(member);
}

/** The same for a host by whatever name it is reached. */
const keyOf = (member: Member): string => `${of(member, "host").connection.hostKey} ${member.name}`;

/** No guard = a dry run before the first deploy: there is nothing on the host to look at. */
async function takeGuard(request: DeployRequest, world: World, member: Member, queue: Queue): Promise<void> {
  const { log, stop } = member;
  const host = of(member, "host");
  const lock = lockRequest(request, world);
  try {
    const { guard, found } = await takeOrMakeLock(host, request, lock, log, world.clock, stop.signal, queue);
    member.guard = guard;
    member.found = found;
    refuseStuck(found);
    void guard.lost.then((lost) => {
      if (member.guard === guard) stop.abort(lost);
    });
  } catch (error) {
    if (!(error instanceof FolderAbsent)) throw error;
    queue.locked();
  }
}

/** What an earlier deploy left must be put right first: a new transaction over it would take back the wrong thing. */
function refuseStuck({ stuck, current }: Found): void {
  if (!stuck) return;
  throw new UserError(
    `An earlier deploy died on the host, and its guard could not do "${stuck}". ${current || "Nothing"} is committed. ` +
      "Look at the host (docker ps -a, docker info, df), mend what is in the way, and run this again: it is tried anew.",
  );
}
