import { readFileSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { UserError } from "../user-error";
import { shown } from "./values/shown";

const maxBytes = 1024 * 1024;

/**
 * Reads text files of the workspace and of nothing else: both ends are compared after their links are followed, so
 * that a pull request cannot have a link in the checkout carry a file of the runner into a container.
 */
export function workspaceReader(workspace: string | undefined): (path: string) => string {
  return (path) => {
    if (workspace === undefined || workspace === "")
      throw new UserError(
        `The file ${shown(path)} cannot be read: there is no workspace (GITHUB_WORKSPACE is not set).`,
      );
    const file = existing(resolve(workspace, path), path);
    const way = relative(realpathSync(workspace), file);
    if (way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way))
      throw new UserError(`${shown(path)} leads out of the workspace; name a file inside it.`);
    return text(file, path);
  };
}

function existing(file: string, path: string): string {
  try {
    return realpathSync(file);
  } catch (cause) {
    throw new UserError(
      `There is no file ${shown(path)} in the workspace; is actions/checkout a step before this one?`,
      {
        cause,
      },
    );
  }
}

function text(file: string, path: string): string {
  const stat = statSync(file);
  if (!stat.isFile()) throw new UserError(`${shown(path)} is not a file; name a text file.`);
  if (stat.size > maxBytes) throw new UserError(`${shown(path)} is larger than 1 MiB; name a text file of settings.`);
  try {
    // fatal: a byte that is not UTF-8 would arrive in the container as another one
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    throw new UserError(`${shown(path)} cannot be read as UTF-8 text; save it as UTF-8.`, { cause });
  }
}
