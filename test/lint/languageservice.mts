// What GitHub's own language service says of workflows and of action.yml files: a program, for the service is made of modules
// that jest can't load.
// stdin: {"path": "text", ...}; stdout: ["path:line: what is wrong", ...]. Run it in the repository that the paths are of.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FeatureFlags } from "@actions/expressions";
import { registerLogger, type ValidationConfig, validate } from "@actions/languageservice";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parse } from "yaml";

type Reference = Parameters<NonNullable<ValidationConfig["fileProvider"]>["getFileContent"]>[0];

const isOurs = (reference: Reference): boolean =>
  !("repository" in reference) || (reference.owner === "org" && reference.repository === "hello-devops");

const texts = JSON.parse(readFileSync(0, "utf8")) as Record<string, string>;
/** A file as it is looked at, or as it is on the disk. */
function textOf(path: string): string | undefined {
  return texts[path] ?? (existsSync(path) ? readFileSync(path, "utf8") : undefined);
}

const config: ValidationConfig = {
  featureFlags: new FeatureFlags({ all: true }),
  fileProvider: {
    async getFileContent(reference) {
      const content = isOurs(reference) ? textOf(reference.path) : undefined;
      if (content === undefined) throw new Error(`There is no ${reference.path} here.`);
      return { name: reference.path, content };
    },
  },
  actionsMetadataProvider: {
    async fetchActionMetadata({ owner, name, path = "" }) {
      if (owner !== "org" || name !== "hello-devops") return { name: "", description: "" }; // no inputs = none is judged
      const text = textOf(join(path, "action.yml"));
      return text === undefined ? undefined : parse(text);
    },
  },
};

// It swallows what goes wrong inside of it, and would find nothing then.
const ignored = () => {};
registerLogger({
  log: ignored,
  info: ignored,
  warn: ignored,
  error: (what) => {
    throw new Error(what);
  },
});

const found: string[] = [];
for (const [path, text] of Object.entries(texts)) {
  const document = TextDocument.create(`file:///${path}`, "yaml", 1, text);
  for (const { range, message } of await validate(document, config))
    found.push(`${path}:${range.start.line + 1}: ${message}`);
}
process.stdout.write(JSON.stringify(found));
