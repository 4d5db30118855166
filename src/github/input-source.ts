import { workspaceReader } from "./workspace-file";

/** Where an action's inputs come from: as narrow as the parser needs, so that a test writes one in a line. */
export interface InputSource {
  /** the input as the runner passed it, untrimmed; '' when it was not given */
  input(name: string): string;
  /** the runner's GITHUB_* variables */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** a file's text; throws a UserError for one that is not there or not in the workspace */
  readWorkspaceFile(path: string): string;
}

/** The inputs of the running action: the runner puts `health-path` into `INPUT_HEALTH-PATH`. */
export function inputsOfRunner(env: Readonly<Record<string, string | undefined>>): InputSource {
  return {
    input: (name) => env[`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`] ?? "",
    env,
    readWorkspaceFile: workspaceReader(env.GITHUB_WORKSPACE),
  };
}
