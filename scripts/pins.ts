// npm run pins: writes behind each image's tag in monitoring/compose.yaml the digest that its registry says today. What has one already is
// asked again. Nothing is written unless every registry has answered.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../src/user-error";
import { say, table } from "./demo/screen";
import { digestOf } from "./pins/digest";
import { imagesOf, pinned } from "./pins/pinned";

const file = join(__dirname, "..", "monitoring", "compose.yaml");

async function main(): Promise<void> {
  const compose = readFileSync(file, "utf8");
  const images = imagesOf(compose);
  const answers = await Promise.allSettled(images.map((image) => digestOf(image)));
  const wrong = answers.flatMap((answer) => (answer.status === "rejected" ? [String(answer.reason?.message)] : []));
  if (wrong.length > 0) throw new UserError(`Nothing was written.\n${wrong.join("\n")}`);
  const digests = new Map(images.map((image, n) => [image, (answers[n] as PromiseFulfilledResult<string>).value]));
  writeFileSync(file, pinned(compose, digests));
  table([["image", "digest"], ...digests]);
  say("monitoring/compose.yaml is written. Look at it: git diff monitoring/compose.yaml");
}

main().catch((error) => {
  console.error(error instanceof UserError ? error.message : error);
  process.exitCode = 1;
});
