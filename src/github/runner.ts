import { UserError } from "../user-error";

/** @throws {UserError} on a runner that the actions are not made for. */
export function refuseRunner(platform: string, architecture: string): void {
  if (platform === "linux" && (architecture === "x64" || architecture === "arm64")) return;
  throw new UserError(
    `runs-on: this runner is ${platform} ${architecture}. hello-devops runs on Linux x64 and arm64, for example ubuntu-24.04.`,
  );
}
