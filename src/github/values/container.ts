import { UserError } from "../../user-error";
import { items, type Parse } from "./parse";
import { shown } from "./shown";

const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
// what Docker's json-file driver knows, each with how its value looks
const logOption: Readonly<Record<string, RegExp>> = {
  "max-size": /^[1-9]\d{0,8}[kmg]?$/,
  "max-file": /^[1-9]\d{0,3}$/,
  compress: /^(true|false)$/,
  labels: /^\S+$/,
  "labels-regex": /^\S+$/,
  env: /^\S+$/,
  "env-regex": /^\S+$/,
  tag: /^.+$/,
};

/** `source:target[:ro|rw]`, where the source is an absolute path on the host or the name of a volume. */
export const volumes: Parse<string[]> = (name, text) => {
  const binds = items(text);
  const targets = new Set<string>();
  for (const bind of binds) {
    const [source = "", target = "", mode, ...more] = bind.split(":");
    if (more.length > 0 || !(isPath(source) || volumeName.test(source)) || !isPath(target) || !isMode(mode))
      throw new UserError(
        `${name}: expected source:target or source:target:ro, as in /srv/data:/data:ro or uploads:/data, got ${shown(bind)}.`,
      );
    const place = target.replace(/\/+$/, "");
    if (place === "") throw new UserError(`${name}: ${shown(bind)} would cover the container's whole file system.`);
    if (targets.has(place)) throw new UserError(`${name}: ${shown(place)} is the target of two volumes; keep one.`);
    targets.add(place);
  }
  return binds;
};

const isPath = (text: string): boolean => text.startsWith("/") && !text.split("/").some((part) => /^\.\.?$/.test(part));
const isMode = (text: string | undefined): boolean => text === undefined || text === "ro" || text === "rw";

/** A network that exists on the host; the app's own stays, so those that exclude another are refused. */
export const network: Parse<string> = (name, text) => {
  if (text === "host" || text === "none" || text.startsWith("container:"))
    throw new UserError(
      `${name}: ${shown(text)} can't be joined besides the app's own network; name one made by docker network create.`,
    );
  if (volumeName.test(text)) return text;
  throw new UserError(`${name}: expected the name of a Docker network, got ${shown(text)}.`);
};

/** Options of the json-file driver. A size must be set: uncapped logs fill the host's disk. */
export const logOptions: Parse<Record<string, string>> = (name, text) => {
  const options = new Map<string, string>();
  for (const item of items(text)) {
    const [, key = "", value = ""] = /^([a-z-]+)\s*=\s*(.+)$/.exec(item) ?? [];
    if (!Object.hasOwn(logOption, key) || !logOption[key]?.test(value))
      throw new UserError(
        `${name}: expected options of Docker's json-file log driver, such as max-size=10m,max-file=3, got ${shown(item)}.`,
      );
    options.set(key, value);
  }
  if (options.has("max-size")) return Object.fromEntries(options);
  throw new UserError(`${name}: max-size is missing, and logs without a limit fill the host's disk. Add max-size=10m.`);
};
