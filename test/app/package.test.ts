import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

const root = join(__dirname, "..", "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const dependenciesOf = (path: string): Record<string, string> => {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(read(path));
  return { ...dependencies, ...devDependencies };
};

test("the app is built with the versions that it is tested with", () => {
  expect(dependenciesOf("package.json")).toMatchObject(dependenciesOf("app/package.json"));
});

test("the app's versions are exact, and its lockfile names no registry but npm's", () => {
  for (const version of Object.values(dependenciesOf("app/package.json"))) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  const { packages } = JSON.parse(read("app/package-lock.json")) as { packages: Record<string, { resolved?: string }> };
  const elsewhere = Object.values(packages).filter(
    ({ resolved = "https://registry.npmjs.org/" }) => !resolved.startsWith("https://registry.npmjs.org/"),
  );
  expect(elsewhere).toEqual([]);
});

test("two versions of the image share every layer: nothing writes after their build arguments", () => {
  const dockerfile = read("app/Dockerfile");
  expect(dockerfile.slice(dockerfile.indexOf("ARG VERSION"))).not.toMatch(/^(RUN|COPY|ADD|WORKDIR)/m);
});

test("the image exposes the app's port alone, so that a deploy need not be told which one it is", () => {
  expect(read("app/Dockerfile").match(/^EXPOSE.*/gm)).toEqual(["EXPOSE 5000"]);
});
