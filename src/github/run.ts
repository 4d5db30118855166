import type { Run } from "../release/request";

type Env = Readonly<Record<string, string | undefined>>;

/** The workflow run, as the runner's variables tell it. Outside of Actions there is none. */
export function runOf(env: Env): Run {
  const id = counted(env.GITHUB_RUN_ID);
  const attempt = counted(env.GITHUB_RUN_ATTEMPT) ?? 1;
  return { id, attempt, actor: env.GITHUB_ACTOR ?? "", url: runUrl(env, id, attempt) };
}

function counted(text: string | undefined): number | undefined {
  const value = /^[1-9]\d*$/.test(text ?? "") ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

function runUrl(env: Env, id: number | undefined, attempt: number): string {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = env;
  return server && repository && id !== undefined
    ? `${server}/${repository}/actions/runs/${id}/attempts/${attempt}`
    : "";
}
