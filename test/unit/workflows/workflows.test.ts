import { spawnSync } from "node:child_process";
import { expect, test } from "@jest/globals";
import { actionBy, all, calledBy, callers, type File, type Job, type Permissions, reusable, stepsOf } from "./files";

const each = (files: readonly File[]) => files.map((file) => [file.path, file] as const);
const jobsOf = ({ workflow }: File): readonly [string, Job][] => Object.entries(workflow.jobs);
const callsOf = (file: File): readonly [string, Job & { uses: string }][] =>
  jobsOf(file).flatMap(([name, job]) => (job.uses ? [[name, { ...job, uses: job.uses }] as const] : []));

test.each(each(all))(
  "%s grants nothing at its top; each job has a name, a time limit and its own permissions",
  (_, file) => {
    expect(file.workflow.permissions).toEqual({});
    for (const [name, job] of jobsOf(file)) {
      expect([name, job.name]).toEqual([name, expect.any(String)]);
      expect([name, job.permissions]).toEqual([name, expect.any(Object)]);
      if (!job.uses) expect([name, job["timeout-minutes"]]).toEqual([name, expect.anything()]);
      for (const step of job.steps ?? []) expect([name, step.name]).toEqual([name, expect.any(String)]);
    }
  },
);

test.each(each(all))("%s says why behind each permission", (_, { text }) => {
  const grants = text.split("\n").filter((line) => /^ {6}[a-z-]+: (read|write)\b/.test(line));
  expect(grants.filter((line) => !/ # \S/.test(line))).toEqual([]);
});

test.each(each(all))(
  "%s pins what others wrote by commit, with the version behind it, and refers to our own as it must",
  (path, file) => {
    const refersTo = [...file.text.matchAll(/^ +(?:- )?uses: (\S+)(.*)$/gm)];
    expect(refersTo.length).toBeGreaterThan(0);
    const form = callers.includes(file)
      ? /^(org\/hello-devops(\/[a-z0-9./-]+)?@v1 # zizmor: ignore\[unpinned-uses\]|[a-z-]+\/[a-z/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/
      : /^(\$\/[a-z0-9./-]+|[a-z-]+\/[a-z/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/;
    for (const [, uses = "", rest = ""] of refersTo)
      expect(`${path}: ${uses}${rest}`).toMatch(new RegExp(`^${path}: ${form.source.slice(1)}`));
  },
);

test("one action has one commit everywhere", () => {
  const pinned = all.flatMap(({ text }) => [...text.matchAll(/uses: (\S+)@([0-9a-f]{40} # \S+)$/gm)]);
  const commits = new Map<string, Set<string>>();
  for (const [, name = "", commit = ""] of pinned) commits.set(name, (commits.get(name) ?? new Set()).add(commit));
  expect([...commits].filter(([, found]) => found.size > 1)).toEqual([]);
});

test.each(each(all))("%s puts no expression into a shell, and its scripts pass shellcheck", (_, file) => {
  for (const { name, run } of stepsOf(file)) {
    if (run === undefined) continue;
    expect([name, run.includes("${{")]).toEqual([name, false]);
    const checked = spawnSync("shellcheck", ["--shell=bash", "-"], { input: run, encoding: "utf8" });
    expect([name, checked.stdout]).toEqual([name, ""]);
  }
});

test.each(each(reusable))("%s describes and types each input, secret and output, and uses each", (_, file) => {
  const { inputs = {}, secrets = {}, outputs = {} } = file.workflow.on.workflow_call ?? {};
  for (const [name, input] of Object.entries(inputs)) {
    expect([name, input]).toEqual([name, expect.objectContaining({ description: expect.any(String) })]);
    expect(["string", "boolean", "number"]).toContain(input.type);
    expect([name, input.required === true || "default" in input]).toEqual([name, true]);
    expect([name, new RegExp(`inputs\\.${name}(?![a-z0-9-])`).test(file.text)]).toEqual([name, true]);
  }
  for (const [name, secret] of Object.entries(secrets)) {
    expect([name, secret.description, secret.required]).toEqual([name, expect.any(String), expect.any(Boolean)]);
    expect([name, file.text.includes(`secrets.${name}`)]).toEqual([name, true]);
  }
  for (const [name, output] of Object.entries(outputs))
    expect([name, output]).toEqual([
      name,
      { description: expect.any(String), value: expect.stringMatching(/^\$\{\{ jobs\./) },
    ]);
});

test.each(each(all))("%s gives our actions inputs that they have, and all that they need", (_, file) => {
  for (const { uses = "", with: given = {} } of stepsOf(file)) {
    const action = actionBy(uses);
    if (!action) continue;
    const { inputs = {} } = action;
    expect(Object.keys(given).filter((name) => !(name in inputs))).toEqual([]);
    const needed = Object.entries(inputs).flatMap(([name, { required }]) => (required ? [name] : []));
    expect(needed.filter((name) => !(name in given))).toEqual([]);
  }
});

/** Here a build hands the digest on, and the region is first of all the one to assume the role in. */
const apart = new Set(["digest", "aws-region"]);

test.each(each(reusable))("%s describes an input as the action does that it hands it to", (_, file) => {
  const mine = file.workflow.on.workflow_call?.inputs ?? {};
  for (const { uses = "", with: given = {} } of stepsOf(file)) {
    for (const [name, field] of Object.entries(actionBy(uses)?.inputs ?? {})) {
      if (given[name] !== `\${{ inputs.${name} }}` || apart.has(name)) continue;
      expect([name, mine[name]?.description]).toEqual([name, field.description]);
      expect([name, String(mine[name]?.default ?? "")]).toEqual([name, field.default ?? ""]);
    }
  }
});

test.each(each(all))(
  "%s calls our workflows with inputs and secrets that they have, of their types, and all that they need",
  (_, file) => {
    for (const [, { uses, with: given = {}, secrets: handed = {} }] of callsOf(file)) {
      const { inputs = {}, secrets = {} } = calledBy(uses).on.workflow_call ?? {};
      for (const [kind, have, want] of [
        ["inputs", given, inputs],
        ["secrets", handed, secrets],
      ] as const) {
        expect([uses, kind, Object.keys(have).filter((name) => !(name in want))]).toEqual([uses, kind, []]);
        const needed = Object.entries(want).flatMap(([name, { required }]) => (required ? [name] : []));
        expect([uses, kind, needed.filter((name) => !(name in have))]).toEqual([uses, kind, []]);
      }
      for (const [name, value] of Object.entries(given))
        if (!String(value).includes("${{")) expect([name, typeof value]).toEqual([name, inputs[name]?.type]);
    }
  },
);

/** GitHub refuses a run whose called job asks for more than the calling job may; act does not look. */
test.each(each(all))("%s grants each workflow that it calls what its jobs ask for, and no more", (_, file) => {
  for (const [name, { uses, permissions = {} }] of callsOf(file))
    expect([name, permissions]).toEqual([name, askedBy(uses)]);
});

function askedBy(uses: string): Permissions {
  const asked: Record<string, "read" | "write"> = {};
  for (const { permissions = {} } of Object.values(calledBy(uses).jobs))
    for (const [scope, level] of Object.entries(permissions)) if (asked[scope] !== "write") asked[scope] = level;
  return asked;
}

test("the pipeline has what test, build and deploy have, under the same names, and hands all of it on", () => {
  const { inputs = {}, secrets = {} } = calledBy("$/.github/workflows/pipeline.yml").on.workflow_call ?? {};
  const jobs = calledBy("$/.github/workflows/pipeline.yml").jobs;
  const notHere: Readonly<Record<string, readonly string[]>> = {
    build: ["push", "runner-arm64"],
    deploy: ["digest", "image", "version"],
  };
  for (const name of ["test", "build", "deploy"]) {
    const { uses = "", with: given = {}, secrets: handed = {} } = jobs[name] ?? {};
    const called = calledBy(uses).on.workflow_call ?? {};
    for (const [input, field] of Object.entries(called.inputs ?? {})) {
      if (notHere[name]?.includes(input)) continue;
      expect([name, input, given[input]]).toEqual([name, input, `\${{ inputs.${input} }}`]);
      if (["runner", "timeout-minutes", "working-directory", "environment", "dry-run"].includes(input)) continue; // of all jobs here
      if (!/^(role-to-assume|aws-region)$/.test(input)) expect([input, inputs[input]]).toEqual([input, field]);
    }
    for (const secret of Object.keys(called.secrets ?? {})) {
      expect([name, secret, handed[secret]]).toEqual([name, secret, `\${{ secrets.${secret} }}`]);
      expect(secrets).toHaveProperty(secret);
    }
  }
});

/** Staging has its own, as variables of its environment. */
const ofProduction = new Set(["hosts", "ec2-filters", "ssh-security-group", "env-ssm-path", "alarms", "verify-url"]);

test("in the pipeline each job waits for the one before, and none but the one that tells goes on after a failure", () => {
  const jobs = calledBy("$/.github/workflows/pipeline.yml").jobs;
  const waits = Object.fromEntries(Object.entries(jobs).map(([name, { needs, if: when }]) => [name, [needs, when]]));
  expect(waits).toMatchObject({
    test: [undefined, undefined],
    build: ["test", undefined],
    staging: ["build", expect.stringContaining("needs.build.result == 'success' && inputs.staging-environment != ''")],
    deploy: [
      ["build", "staging"],
      expect.stringMatching(
        /needs\.build\.result == 'success' && \(inputs\.staging-environment == '' \|\| needs\.staging\.result == 'success'\)/,
      ),
    ],
    tell: [["test", "build"], expect.stringContaining("always()")],
  });
  expect(Object.keys(jobs.staging?.with ?? {}).filter((name) => ofProduction.has(name))).toEqual([]);
  expect(jobs.staging?.secrets?.env).toBe(["$", "{{ secrets.staging-env }}"].join(""));
});

/**
 * A job without a condition of its own is passed over, and the run stays green, where any job before it was skipped: GitHub
 * looks into the workflows that are called, too. act does not.
 */
test.each(each(all))("%s has no job that a skipped one before it makes GitHub pass over", (_, file) => {
  const mayBeSkipped = ({ if: when, uses }: Job): boolean =>
    when !== undefined || (uses !== undefined && Object.values(calledBy(uses).jobs).some(mayBeSkipped));
  const { jobs } = file.workflow;
  const before = (name: string): readonly string[] => {
    const needs = [jobs[name]?.needs ?? []].flat();
    return [...needs, ...needs.flatMap(before)];
  };
  for (const [name, job] of jobsOf(file)) {
    const skipped = before(name).filter((it) => mayBeSkipped(jobs[it] as Job));
    if (!/\b(cancelled|always|failure)\(\)/.test(job.if ?? "")) expect([name, skipped]).toEqual([name, []]);
  }
});

test("what others call alone has no job that may be skipped, so that a job of theirs may need it without a word more", () => {
  const conditional = reusable.filter((file) => jobsOf(file).some(([, job]) => job.if !== undefined));
  expect(conditional.map(({ path }) => path)).toEqual([".github/workflows/pipeline.yml"]);
});

/** The jobs whose own steps change a host; a dry run does not. */
const changes = ({ steps = [] }: Job): boolean =>
  steps.some(
    ({ uses = "", with: given = {} }) =>
      /^(\$|org\/hello-devops)\/actions\/(deploy-|rollback-)|^org\/hello-devops@/.test(uses) &&
      given["dry-run"] !== true,
  );
/** What this applies is no host's, and the state's lock puts it in order. */
const applies = ({ steps = [] }: Job): boolean =>
  steps.some(({ uses }) => uses === "$/.github/actions/terraform-apply");
const changing = ({ uses, ...job }: Job): boolean =>
  uses ? Object.values(calledBy(uses).jobs).some(changing) : changes(job);

test.each(each(all))(
  "%s names an environment where a host or what it runs on is changed, and nowhere else",
  (_, file) => {
    for (const [name, job] of jobsOf(file))
      expect([name, job.environment !== undefined]).toEqual([name, changes(job) || applies(job)]);
  },
);

/** A group would be held by a run that waits for an approval, and a newer run would end one that is halfway. */
test.each(each(all))(
  "%s leaves the order of changes on a host to the host; what it cancels is an older run of the same pull request",
  (_, file) => {
    const { concurrency, on } = file.workflow;
    for (const [name, job] of jobsOf(file)) expect([name, job.concurrency]).toEqual([name, undefined]);
    if (on.workflow_call || jobsOf(file).some(([, job]) => changing(job))) expect(concurrency).toBeUndefined();
    else if (concurrency?.["cancel-in-progress"] !== false)
      expect(concurrency).toEqual({
        group: expect.stringMatching(
          /^[a-z-]+-\$\{\{ github\.event(\.pull_request\.number \|\| github\.sha|_name == 'pull_request' && github\.ref \|\| github\.sha) \}\}$/,
        ),
        "cancel-in-progress": true,
      });
  },
);

test.each(each(all))(
  "%s hands secrets and its token to single steps, and to called workflows as secrets alone",
  (_, file) => {
    const place = /^jobs\.[a-z-]+\.(secrets|steps\.\d+\.(with|env))\./;
    expect(
      pathsOf(file.workflow, /\$\{\{[^}]*\b(secrets|github\.token)\b/).filter((path) => !place.test(path)),
    ).toEqual([]);
  },
);

const pathsOf = (node: unknown, pattern: RegExp, path = ""): readonly string[] =>
  typeof node === "object" && node !== null
    ? Object.entries(node).flatMap(([key, value]) => pathsOf(value, pattern, path === "" ? key : `${path}.${key}`))
    : pattern.test(String(node))
      ? [path]
      : [];

/** A stranger's pull request gets a token that reads, and no secret: unless a workflow asks for what goes around that. */
test("no workflow runs a stranger's code with secrets, or a checkout that keeps its token", () => {
  for (const file of all) {
    expect([file.path, /pull_request_target|workflow_run/.test(file.text.replace(/^#.*$/gm, ""))]).toEqual([
      file.path,
      false,
    ]);
    expect([file.path, /secrets: inherit/.test(file.text)]).toEqual([file.path, false]);
    for (const { uses = "", with: given = {} } of stepsOf(file))
      if (uses.startsWith("actions/checkout@"))
        expect([file.path, given["persist-credentials"]]).toEqual([file.path, false]);
  }
});

test.each(each(callers))(
  "%s says at its top where to copy it to, and names each secret and variable that it reads",
  (path, { text }) => {
    const head = text.slice(0, text.indexOf("\nname: "));
    const name = path.slice(path.indexOf("/") + 1);
    expect(head).toContain(`.github/workflows/${name}`);
    for (const [, read = ""] of text.slice(head.length).matchAll(/\b(?:secrets|vars)\.([A-Z_]+)/g))
      expect(head).toContain(read);
  },
);
