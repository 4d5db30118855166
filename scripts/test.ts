// npm test: the checks of the repository, the unit tests, the linters of workflows, Terraform, the checks of monitoring/, and the tests on
// the bed; one closing line counts them all.
// npm run test:unit: the checks and the unit tests alone.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checks } from "./checks";

const root = join(__dirname, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);
const LIMIT = 70 * 60_000;
const count = { passed: 0, failed: 0, skipped: 0 };

function runChecks(): void {
  for (const check of checks(bin)) {
    if ("skip" in check) {
      count.skipped += 1;
      console.log(`skipped: ${check.name}: ${check.skip}`);
      continue;
    }
    const [command = "", ...args] = check.command;
    const ended = spawnSync(command, args, { cwd: root, encoding: "utf8" });
    const passed = ended.status === 0;
    count[passed ? "passed" : "failed"] += 1;
    console.log(`${passed ? "passed" : "FAILED"}: ${check.name}`);
    if (!passed) console.log(`${ended.stdout ?? ""}${ended.stderr ?? ""}${ended.error ?? ""}`);
  }
}

/** More than one project in one run, so that a long file of one does not leave a core without work. */
function runJest(
  projects: readonly ("unit" | "lint" | "terraform" | "monitoring" | "bed")[],
  ...flags: string[]
): void {
  const folder = mkdtempSync(join(tmpdir(), "hello-devops-test-"));
  const report = join(folder, "report.json");
  // --forceExit: what a failed test left open must not hold the whole run
  const jest = [
    bin("jest"),
    "--selectProjects",
    ...projects,
    "--forceExit",
    "--json",
    `--outputFile=${report}`,
    ...flags,
  ];
  const ended = spawnSync(process.execPath, jest, { cwd: root, stdio: ["ignore", 2, 2], timeout: LIMIT });
  try {
    const result = JSON.parse(readFileSync(report, "utf8")) as Record<string, number>;
    count.passed += result.numPassedTests ?? 0;
    // A file that could not be run at all has no test to count.
    count.failed += (result.numFailedTests ?? 0) + (result.numRuntimeErrorTestSuites ?? 0);
    count.skipped += (result.numPendingTests ?? 0) + (result.numTodoTests ?? 0);
    if (ended.status !== 0 && !result.numFailedTests && !result.numRuntimeErrorTestSuites) count.failed += 1;
  } catch {
    count.failed += 1;
    console.log(`FAILED: the ${projects.join(" and ")} tests ended without a report (exit status ${ended.status})`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

runChecks();
runJest(["unit"]);
if (!process.argv.includes("--unit")) {
  runJest(["lint"]);
  runJest(["terraform", "monitoring"], "--maxWorkers=2");
  runJest(["bed"], "--maxWorkers=2");
}
console.log(`${count.passed} passed, ${count.failed} failed${count.skipped ? `, ${count.skipped} skipped` : ""}`);
process.exit(count.failed > 0 ? 1 : 0);
