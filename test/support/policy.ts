import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The actions that a page's policy allows, in order; `mark` is what stands behind "```json". */
export function actionsOf(page: string, mark: string): string[] {
  const text = readFileSync(join(__dirname, "..", "..", page), "utf8");
  const block = new RegExp(`\`\`\`json ${mark}\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? "";
  const policy = JSON.parse(block) as { readonly Statement: readonly { readonly Action: string | string[] }[] };
  return policy.Statement.flatMap(({ Action }) => Action).sort();
}
