import { FolderAbsent, GuardLost } from "../host/guard/failures";
import type { Found } from "../host/guard/guard";
import { UserError } from "../user-error";
import { type Fleet, type Member, of } from "./fleet";
import { type MakeHome, type Queue, takeOrMakeLock } from "./lock";
import type { ChangeRequest } from "./request";
import { lockRequest, type World } from "./world";

/** Resolves when a host's guard holds its lock. */
export type Locking = (member: Member) => Promise<void>;

/** What a change does as it comes to a host. */
export interface Arrival {
  /** there is a connection: what needs no lock may be asked */
  readonly connected: (member: Member) => void;
  /** the app has no folder on the host yet; undefined = the host is left without a guard then */
  readonly makeHome: MakeHome | undefined;
}

/** Nothing on a host waits for another thing: its Docker is greeted while the guard starts and the scout asks. */
export async function connect(request: ChangeRequest, world: World, fleet: Fleet, arrival: Arrival): Promise<Locking> {
  await fleet.each(fleet.members, (member) => open(arrival, member));
  const locking = takeLocks(request, world, fleet, arrival);
  await fleet.each(fleet.members, greet);
  return locking;
}

async function greet(member: Member): Promise<void> {
  const version = await of(member, "host").engine.greet();
  member.say(`connected, Docker ${version.Version}, ${version.Arch}`);
}

async function open(arrival: Arrival, member: Member): Promise<void> {
  const host = await member.target.open();
  member.host = host;
  arrival.connected(member);
  void host.connection.closed.then(() => {
    if (member.host === host) member.stop.abort(new GuardLost("the connection to the host was lost"));
  });
}

/** Side by side but for the locks: those are taken one after the other, in an order that every deploy shares. */
function takeLocks(request: ChangeRequest, world: World, fleet: Fleet, { makeHome }: Arrival): Locking {
  const inOrder = [...fleet.members].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  let before: Promise<unknown> = Promise.resolve();
  const locking = new Map<Member, Promise<void>>();
  for (const member of inOrder) {
    let locked = () => {};
    const turn = { turn: "first" as const, before, locked: () => locked() };
    before = new Promise<void>((resolve) => {
      locked = resolve;
    });
    const taking = takeGuard(request, world, member, turn, makeHome);
    taking.catch(() => {}); // reported by the phase that awaits it
    locking.set(member, taking);
  }
  return async (member) => locking.get(member);
}

/** The same for a host by whatever name it is reached. */
const keyOf = (member: Member): string => `${of(member, "host").connection.hostKey} ${member.name}`;

/** No guard = the app was never deployed to this host: there is nothing on it to look at. */
async function takeGuard(
  request: ChangeRequest,
  world: World,
  member: Member,
  queue: Queue,
  makeHome: MakeHome | undefined,
): Promise<void> {
  const { log, stop } = member;
  const host = of(member, "host");
  const lock = lockRequest(request, world);
  try {
    const { guard, found, waited } = await takeOrMakeLock(host, lock, makeHome, log, world.clock, stop.signal, queue);
    member.guard = guard;
    member.found = found;
    member.waited = waited;
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
