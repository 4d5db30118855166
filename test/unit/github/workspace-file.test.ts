import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { inputsOfRunner } from "../../../src/github/input-source";
import { workspaceReader } from "../../../src/github/workspace-file";

const base = mkdtempSync(join(tmpdir(), "workspace-"));
const workspace = join(base, "repo");

beforeAll(() => {
  mkdirSync(join(workspace, "deploy"), { recursive: true });
  mkdirSync(join(base, "repo-other"));
  writeFileSync(join(workspace, "deploy/prod.env"), "A=ü\n");
  writeFileSync(join(workspace, "..env"), "A=dots");
  writeFileSync(join(workspace, "latin1.env"), Buffer.from([0x41, 0x3d, 0xfc]));
  writeFileSync(join(workspace, "big.env"), "x".repeat(1024 * 1024 + 1));
  writeFileSync(join(base, "outside"), "secret");
  writeFileSync(join(base, "repo-other/file"), "secret");
  symlinkSync("deploy/prod.env", join(workspace, "inside-link"));
  symlinkSync("../outside", join(workspace, "outside-link"));
  symlinkSync("..", join(workspace, "parent"));
  symlinkSync(workspace, join(base, "linked-workspace"));
});
afterAll(() => rmSync(base, { recursive: true }));

const readable = [
  ["a path", "deploy/prod.env", "A=ü\n"],
  ["a path that turns back", "./deploy/../deploy/prod.env", "A=ü\n"],
  ["an absolute path in the workspace", join(workspace, "deploy/prod.env"), "A=ü\n"],
  ["a link that stays inside", "inside-link", "A=ü\n"],
  ["a name that begins with dots", "..env", "A=dots"],
] as const;
test.each(readable)("reads a file by %s", (_what, path, text) => {
  expect(workspaceReader(workspace)(path)).toBe(text);
  expect(workspaceReader(join(base, "linked-workspace"))(path)).toBe(text);
  expect(inputsOfRunner({ GITHUB_WORKSPACE: workspace }).readWorkspaceFile(path)).toBe(text);
});

const refused = [
  ["a path that leaves", "../outside", '"../outside" leads out of the workspace; name a file inside it.'],
  ["a neighbour with the same beginning", "../repo-other/file", '"../repo-other/file" leads out of the workspace'],
  ["an absolute path elsewhere", join(base, "outside"), "leads out of the workspace"],
  ["a link that leaves", "outside-link", '"outside-link" leads out of the workspace'],
  ["a linked folder that leaves", "parent/outside", '"parent/outside" leads out of the workspace'],
  [
    "a file that is not there",
    "no.env",
    'There is no file "no.env" in the workspace; is actions/checkout a step before this',
  ],
  ["a folder", "deploy", '"deploy" is not a file; name a text file.'],
  ["bytes that are not UTF-8", "latin1.env", '"latin1.env" cannot be read as UTF-8 text; save it as UTF-8.'],
  ["a very large file", "big.env", '"big.env" is larger than 1 MiB; name a text file of settings.'],
] as const;
test.each(refused)("refuses %s", (_what, path, message) => {
  expect(() => workspaceReader(workspace)(path)).toThrow(message);
});

test("says that there is no workspace outside of a job", () => {
  expect(() => workspaceReader(undefined)("a.env")).toThrow("there is no workspace (GITHUB_WORKSPACE is not set)");
});
