// npm run prove:full, as root: the profile full with the sample app beside it, on any machine with Docker, Compose, the internet and
// 8 GiB. Runs each proof, prints a line for each, and takes all of it down. Says at once when the machine can't.
//   --keep   leaves it up, to look at
import { parseArgs } from "node:util";
import { bold, dim, green, red, say } from "./demo/screen";
import { refusal, thisMachine } from "./prove/machine";
import { proofs } from "./prove/proofs";
import { Stack } from "./prove/stack";

const { values } = parseArgs({ options: { keep: { type: "boolean" } } });

async function main(): Promise<number> {
  const why = await refusal(thisMachine);
  if (why) {
    say(red(`prove:full can't run here: ${why}`));
    return 2;
  }
  say(dim("Images are pulled (about 4 GB at the first time), then everything starts: some minutes."));
  const stack = await Stack.named("prove-full");
  try {
    await stack.up();
    return await report(stack);
  } finally {
    if (values.keep) say(dim(`Left up. Passwords: ${stack.secrets}. Away with it: ${stack.downCommand}`));
    else await stack.down();
  }
}

async function report(stack: Stack): Promise<number> {
  let failed = 0;
  for (const { claim, prove } of proofs)
    try {
      await prove(stack);
      say(`${green("proved")}  ${claim}`);
    } catch (error) {
      failed++;
      say(`${red("FAILED")}  ${claim}: ${error instanceof Error ? error.message : error}`);
    }
  say(bold(failed === 0 ? `All ${proofs.length} proved.` : `${failed} of ${proofs.length} failed.`));
  return failed === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error) => {
    say(red(String(error instanceof Error ? error.message : error)));
    process.exit(1);
  },
);
