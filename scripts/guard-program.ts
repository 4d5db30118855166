import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(__dirname, "..", "src", "host", "guard", "program");

/** The guard as it is sent to a host: its parts, in the order of their numbers. */
export const guardProgram = (): string =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".sh"))
    .sort()
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("\n");
