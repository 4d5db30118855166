const typescript = {
  "^.+\\.ts$": [
    "@swc/jest",
    { jsc: { parser: { syntax: "typescript" }, target: "es2023" }, module: { type: "commonjs" }, sourceMaps: "inline" },
  ],
};

const project = (name, folders) => ({
  displayName: name,
  testEnvironment: "node",
  transform: typescript,
  roots: folders.map((folder) => `<rootDir>/test/${folder}`),
  testMatch: ["**/*.test.ts"],
});

process.env.MATRIX_HOSTS ??= "6"; // side by side in test/matrix

/** `unit` needs nothing but Node and bash (its `verify` runs a committed bundle against servers of its own); `lint` gets linters of workflows from registries of packages; `terraform` needs Terraform, and skips without; `monitoring` gets Prometheus' own tools from Debian; `bed` needs Docker, and runs against hosts in a box (test/bed). */
export default {
  maxConcurrency: Number(process.env.MATRIX_HOSTS), // the matrix has a host for each test at once
  projects: [
    project("unit", ["unit", "app", "verify"]),
    project("lint", ["lint"]),
    project("terraform", ["terraform"]),
    project("monitoring", ["monitoring"]),
    { ...project("bed", ["e2e", "workflows", "matrix"]), globalSetup: "<rootDir>/test/support/bed-setup.ts" },
  ],
};
