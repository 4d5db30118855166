// One `up` or `down` at a time per bed, and one maker of the shared base images.
// A Linux abstract socket is the lock: the kernel frees it however its holder ends.
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { say } from "./run";

export async function locked<T>(what: string, work: () => Promise<T>): Promise<T> {
  const server = createServer();
  const take = () =>
    new Promise<boolean>((resolve) => {
      server.removeAllListeners("listening"); // of a try that failed
      server.once("error", () => resolve(false));
      server.listen(`\0hello-devops-bed-${what}`, () => resolve(true));
    });
  for (let tries = 0; !(await take()); tries++) {
    if (tries === 0) say(`waiting for another run that holds "${what}"`);
    await sleep(300);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}
