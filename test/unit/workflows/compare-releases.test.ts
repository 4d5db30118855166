import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { root } from "./files";
import { bash, playing } from "./script-step";

const api = "https://api.github.com/repos/acme/shop/deployments";
const [a, b, c] = ["a", "b", "c"].map((letter) => letter.repeat(40)) as [string, string, string];
const id = (commit: string) => commit.slice(0, 12);

interface Seen {
  /** newest first: the commit, and the states of its deployment */
  readonly deployments?: readonly (readonly [commit: string, ...states: string[]])[];
  readonly hosts?: readonly object[];
  readonly releases?: readonly object[];
}

function compared({ deployments = [[a, "success"]], hosts = [], releases = [] }: Seen) {
  const all = deployments.map(([sha], n) => ({ id: n, sha }));
  const statuses = deployments.map(([, ...states], n) => [n, states.map((state) => ({ state }))] as const);
  const branches = [
    `*" ${api}?environment=live%20%26%20well&per_page=100") echo '${JSON.stringify(all)}' ;;`,
    ...statuses.map(([n, of]) => `*" ${api}/${n}/statuses?per_page=100") echo '${JSON.stringify(of)}' ;;`),
  ];
  const env = {
    ...{ GITHUB_API_URL: "https://api.github.com", GITHUB_REPOSITORY: "acme/shop", TOKEN: "ghs_1" },
    ...{ ENVIRONMENT: "live & well", HOSTS: JSON.stringify(hosts), RELEASES: JSON.stringify(releases) },
  };
  return playing("curl", branches, (PATH) =>
    bash([join(root, ".github/actions/compare-releases/compare.sh")], { ...env, PATH }),
  );
}

const host = (release: string, name = "web") => ({ host: "i-0123456789abcdef0", name, release });

test.each<[string, Seen]>([
  ["each host serves the commit that was deployed last", { hosts: [host(id(a)), host(id(a), "web2")] }],
  ["it was deployed again with other options", { hosts: [host(`${id(a)}-2`)] }],
  [
    "a later deploy failed",
    {
      deployments: [
        [b, "failure"],
        [a, "inactive", "success"],
      ],
      hosts: [host(id(a))],
    },
  ],
  ["nothing was ever deployed, and nothing is served", { deployments: [], hosts: [host("")] }],
])("hosts have not drifted where %s", (_, seen) => {
  expect(compared(seen)).toMatchObject({ code: 0, outputs: { reason: "" }, log: "" });
});

const back = { result: "rolled-back", when: "2026-11-26T03:00:00Z", who: "octocat", reason: "it sells\n::less" };

test.each<[string, Seen, string]>([
  [
    "one of them serves another commit",
    { hosts: [host(id(a)), host(id(b), "web2")] },
    `web2 serves ${id(b)}; the last deploy was ${id(a)}.`,
  ],
  ["one serves nothing", { hosts: [host("")] }, `web serves nothing; the last deploy was ${id(a)}.`],
  [
    "a release only begins like it",
    { hosts: [{ host: "203.0.113.7", release: `${id(a)}f` }] },
    `203.0.113.7 serves ${id(a)}f; the last deploy was ${id(a)}.`,
  ],
  [
    "GitHub knows of no deploy",
    { deployments: [[b, "failure"]], hosts: [host(id(c))] },
    `web serves ${id(c)}; GitHub knows of no deploy that succeeded.`,
  ],
  [
    "somebody rolled back by hand",
    { hosts: [host(id(b))], releases: [{ ...back, result: "failed" }, back] },
    `web serves ${id(b)}; the last deploy was ${id(a)}. It was rolled back at 2026-11-26T03:00:00Z by octocat: it sells?::less`,
  ],
  [
    "a host's name speaks to the runner",
    { hosts: [host(id(b), "a\n::b")] },
    `a?::b serves ${id(b)}; the last deploy was ${id(a)}.`,
  ],
])("hosts have drifted where %s, and that is said in one sentence", (_, seen, reason) => {
  const { code, log, outputs, summary } = compared(seen);
  expect([code, log, outputs]).toEqual([1, `::error title=Hosts have drifted::${reason}\n`, { reason }]);
  expect(summary).toBe(`### ❌ Hosts have drifted\n\n${reason}\n`);
});

test("where GitHub does not answer, nothing is compared, and the token is in no argument", () => {
  const { code, outputs, asked } = compared({ deployments: Array(3).fill([a]) as [string][], hosts: [host(id(a))] });
  expect([code, outputs.reason]).toEqual([1, `web serves ${id(a)}; GitHub knows of no deploy that succeeded.`]);
  expect(asked).toHaveLength(4);
  expect(asked.join()).not.toContain("ghs_1");
  const none = playing("curl", [], (PATH) =>
    bash([join(root, ".github/actions/compare-releases/compare.sh")], {
      ...{
        GITHUB_API_URL: "x",
        GITHUB_REPOSITORY: "acme/shop",
        TOKEN: "t",
        ENVIRONMENT: "e",
        HOSTS: "[]",
        RELEASES: "[]",
        PATH,
      },
    }),
  );
  expect(none.code).not.toBe(0);
  expect(none.outputs).toEqual({});
});
