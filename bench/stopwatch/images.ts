import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bed, localImage, stateFolder } from "../../test/bed/bed";
import { ensureImage } from "../../test/bed/build";
import { docker } from "../../test/bed/run";

const LAYER = 5 * 1024 * 1024;
const base = localImage("misbehave");

let made = 0;

/** A release that the host has never seen: 5 MB that don't compress, and an app that listens 1 s after its start. */
export async function newRelease(bed: Bed, name: string): Promise<{ version: string; reference: string }> {
  const version = `v${++made}`;
  const tag = `${bed.registry.address}/stopwatch:${version}`;
  const context = mkdtempSync(join(tmpdir(), "hello-devops-stopwatch-"));
  try {
    writeFileSync(join(context, "layer"), randomBytes(LAYER));
    writeFileSync(
      join(context, "Dockerfile"),
      `FROM ${base}
COPY layer /srv/layer
EXPOSE 5000
CMD ["bash", "-c", "sleep 1; exec node /srv/misbehave.mjs well ${made}"]
`,
    );
    await ensureImage({ tag, context, base, owner: name });
  } finally {
    rmSync(context, { recursive: true });
  }
  await docker(["push", "--quiet", tag], {
    env: { ...process.env, DOCKER_CONFIG: join(stateFolder(name), "docker") },
  });
  const [reference = ""] = JSON.parse(
    await docker(["image", "inspect", "--format", "{{json .RepoDigests}}", tag]),
  ) as string[];
  return { version, reference };
}
