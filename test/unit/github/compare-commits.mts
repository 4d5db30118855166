// Compares two releases by a real octokit and prints what was found.
// Usage: node --import tsx compare-commits.mts API_URL '{"previous": "SHA", "next": "SHA"}'
import { getOctokit } from "@actions/github";
import { commitsBetween } from "../../../src/github/commits";

async function main(baseUrl: string, releases: string): Promise<void> {
  const lines: string[] = [];
  const repository = { server: "https://github.com", name: "acme/shop" };
  const octokit = getOctokit("t0ken", { baseUrl });
  const found = await commitsBetween(JSON.parse(releases), repository, { octokit, debug: (line) => lines.push(line) });
  process.stdout.write(JSON.stringify({ found, lines }));
}

const [, , baseUrl = "", releases = ""] = process.argv;
void main(baseUrl, releases);
