import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../bed/bed";

export interface SavedObject {
  readonly type: string;
  readonly id: string;
  readonly attributes: Record<string, unknown> & {
    title: string;
    kibanaSavedObjectMeta?: { searchSourceJSON: string };
  };
  readonly references: readonly { name: string; type: string; id: string }[];
}

export const savedObjects = readFileSync(join(checkout, "monitoring/kibana/saved-objects.ndjson"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as SavedObject);

export const queryOf = ({ attributes }: SavedObject): string =>
  (JSON.parse(attributes.kibanaSavedObjectMeta?.searchSourceJSON ?? "{}") as { query?: { query: string } }).query
    ?.query ?? "";

export const savedSearch = (title: string): string => {
  const found = savedObjects.find(({ type, attributes }) => type === "search" && attributes.title === title);
  if (!found) throw new Error(`no saved search "${title}"`);
  return queryOf(found);
};
