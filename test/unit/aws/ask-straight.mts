// Asks a URL as the runner's address is asked for, and prints the answer.
// Usage: node --import tsx ask-straight.mts URL
import { askStraight } from "../../../src/aws/runner-address";

const [, , url = ""] = process.argv;
void askStraight(new URL(url), AbortSignal.timeout(5_000))
  .catch(String)
  .then((answer) => process.stdout.write(answer));
