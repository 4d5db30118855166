import { safeText } from "./hostile-text";

/** What of an octokit this needs; `getOctokit(token)` of @actions/github fits. */
export interface CommitComparison {
  readonly rest: {
    readonly repos: {
      compareCommitsWithBasehead(request: {
        owner: string;
        repo: string;
        basehead: string;
        request?: { signal: AbortSignal };
      }): Promise<{ readonly data: Compared }>;
    };
  };
}

interface Compared {
  readonly ahead_by: number;
  readonly behind_by: number;
  readonly commits: readonly { readonly sha: string; readonly commit: { readonly message: string } }[];
}

export interface Commits {
  /** commits that the new release has and the one before has not */
  readonly ahead: number;
  /** commits that only the one before has */
  readonly behind: number;
  /** the newest first */
  readonly newest: readonly Commit[];
  readonly url: string;
}

export interface Commit {
  readonly sha: string;
  readonly subject: string;
  readonly url: string;
}

export interface Repository {
  /** `https://github.com` */
  readonly server: string;
  /** `owner/name` */
  readonly name: string;
}

const fullSha = /^[0-9a-f]{40}$/;
const mostCommits = 20;
const patience = 5000;

/**
 * The commits between two releases, when both are named by commits. It is a nicety: whatever goes wrong is a debug
 * line, and the deploy's report goes on without it.
 */
export async function commitsBetween(
  releases: { readonly previous: string | undefined; readonly next: string },
  repository: Repository,
  { octokit, debug }: { readonly octokit: CommitComparison; readonly debug: (line: string) => void },
): Promise<Commits | undefined> {
  const { previous, next } = releases;
  const [owner, repo] = repository.name.split("/");
  if (!owner || !repo || previous === undefined || previous === next) return undefined;
  if (!fullSha.test(previous) || !fullSha.test(next)) return undefined;
  const basehead = `${previous}...${next}`;
  try {
    const signal = AbortSignal.timeout(patience);
    const { data } = await octokit.rest.repos.compareCommitsWithBasehead({
      owner,
      repo,
      basehead,
      request: { signal },
    });
    const url = `${repository.server}/${repository.name}`;
    return {
      ahead: data.ahead_by,
      behind: data.behind_by,
      newest: data.commits.slice(-mostCommits).reverse().map(commitAt(url)),
      url: `${url}/compare/${basehead}`,
    };
  } catch (error) {
    debug(`The commits between the releases can't be listed: ${safeText(String(error))}`);
    return undefined;
  }
}

const commitAt =
  (repository: string) =>
  ({ sha, commit }: Compared["commits"][number]): Commit => ({
    sha,
    subject: safeText(commit.message.split("\n", 1)[0] ?? ""),
    url: `${repository}/commit/${sha}`,
  });
