import type Docker from "dockerode";
import { UserError } from "../user-error";

export interface ImageRequest {
  /** `registry/repository[:tag]`, without a digest */
  readonly name: string;
  /** `sha256:...`; undefined = the tag is resolved once, at the start */
  readonly digest: string | undefined;
  readonly credentials: Credentials | undefined;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** An image as the registry names it, asked through the host: what the host can reach and may pull is what counts. */
export interface ResolvedImage {
  readonly name: string;
  readonly digest: string;
  /** `amd64`, `arm64`, ...; empty = the registry doesn't say */
  readonly architectures: readonly string[];
}

/** Docker's X-Registry-Auth (Engine API). It travels in the call's header and is kept nowhere on the host. */
const auth = (credentials: Credentials | undefined, image: string) =>
  credentials ? { authconfig: { ...credentials, serveraddress: registryOf(image) } } : {};

/** The registry's host as Docker reads an image's name: the first part, if it looks like a host. */
export function registryOf(image: string): string {
  const [first = ""] = image.split("/");
  return image.includes("/") && (first.includes(".") || first.includes(":") || first === "localhost")
    ? first
    : "docker.io";
}

/** Whether the host has it. */
export const isPresent = (docker: Docker, reference: string): Promise<boolean> =>
  docker
    .getImage(reference)
    .inspect()
    .then(
      () => true,
      () => false,
    );

/** Whether the host has the digest that was asked for: then no registry is needed. */
export const hasDigest = (docker: Docker, { name, digest }: ImageRequest): Promise<boolean> =>
  digest ? isPresent(docker, `${withoutTag(name)}@${digest}`) : Promise.resolve(false);

/**
 * `sha256:` pins; a tag is resolved here, once.
 *
 * @param present {@link hasDigest}, where it was asked already
 * @throws {UserError} not found, refused, or out of reach.
 */
export async function resolveImage(
  docker: Docker,
  image: ImageRequest,
  present = hasDigest(docker, image),
): Promise<ResolvedImage> {
  const bare = withoutTag(image.name);
  if (image.digest && (await present)) {
    return { name: bare, digest: image.digest, architectures: [] }; // it ran here, or was pulled: no registry is needed
  }
  const asked = image.digest ? `${bare}@${image.digest}` : image.name;
  try {
    const answer = (await docker.getImage(asked).distribution(auth(image.credentials, image.name))) as {
      Descriptor: { digest: string };
      Platforms?: { architecture: string; os: string }[];
    };
    const linux = (answer.Platforms ?? []).filter(({ os }) => os === "linux");
    return {
      name: bare,
      digest: answer.Descriptor.digest,
      architectures: linux.map(({ architecture }) => architecture),
    };
  } catch (cause) {
    throw new UserError(whyNoImage(asked, (cause as Error).message, image.credentials), { cause });
  }
}

export const withoutTag = (name: string): string => name.replace(/@.*$/, "").replace(/:[^:/]*$/, "");

interface PullLine {
  readonly error?: string;
  readonly status?: string;
  readonly id?: string;
}

/**
 * Pulls `reference`. It worked only if no line of the answer held an error, the stream ended rather than closed, and, as
 * the caller sees to, the image can be inspected: an error travels in a 200, and a cut stream looks like the end.
 *
 * @throws {UserError} with the registry's reason
 */
export async function pullImage(
  docker: Docker,
  reference: string,
  credentials: Credentials | undefined,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const fail = (message: string, cause?: unknown) =>
    new UserError(whyNoImage(reference, message, credentials), { cause });
  let stream: NodeJS.ReadableStream;
  const [fromImage = "", digest] = reference.split("@");
  try {
    const query = digest ? { fromImage, tag: digest } : { fromImage };
    stream = await docker.createImage({ ...auth(credentials, reference), ...query, abortSignal: signal } as object);
  } catch (cause) {
    throw fail((cause as Error).message, cause);
  }
  const problem = await readPull(stream, onLine, signal);
  if (problem !== undefined) throw fail(problem);
}

function pullLine(line: string): PullLine {
  try {
    return JSON.parse(line) as PullLine;
  } catch {
    return { error: `Docker answered "${line.slice(0, 80)}"` };
  }
}

function readPull(
  stream: NodeJS.ReadableStream,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let buffer = "";
    let problem: string | undefined;
    let ended = false;
    const onAbort = () => (stream as NodeJS.ReadableStream & { destroy(): void }).destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    const read = (line: string) => {
      if (line.trim() === "") return;
      const said = pullLine(line);
      problem ??= said.error;
      if (said.status && !/^(Downloading|Extracting)$/.test(said.status))
        onLine(said.id ? `${said.id}: ${said.status}` : said.status);
    };
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      const lines = `${buffer}${chunk}`.split("\n");
      buffer = lines.pop() ?? "";
      lines.forEach(read);
    });
    stream.on("error", (error) => {
      if (signal.aborted) reject(error); // else cut: `close` says so
    });
    stream.on("end", () => {
      ended = true;
      read(buffer);
    });
    stream.on("close", () => {
      signal.removeEventListener("abort", onAbort);
      resolve(problem ?? (ended ? undefined : "the connection ended in the middle of the pull"));
    });
  });
}

const ecr = /\.dkr\.ecr[.-]/;

function whyNoImage(reference: string, message: string, credentials: Credentials | undefined): string {
  const registry = registryOf(reference);
  if (/no space left/i.test(message))
    return `image: the host's disk filled up while pulling ${reference}. Free some space on it (docker system df).`;
  if (/unauthorized|authentication required|denied|no basic auth|incorrect username/i.test(message)) {
    if (credentials?.username === "AWS" && ecr.test(registry))
      return `image: ${registry} refused ${reference} with the login of the job's AWS role. Check that the role may pull from this repository (ecr:BatchGetImage, ecr:GetDownloadUrlForLayer), and the name.`;
    const who = credentials
      ? `as "${credentials.username}" (registry-username, registry-password)`
      : "without registry-username and registry-password";
    return `image: ${registry} refused ${reference} ${who}. Check the login, that it may read this repository, and the name.`;
  }
  if (/no matching manifest|does not match the specified platform/i.test(message)) {
    return `image: ${reference} has no variant for the host's processor. Build it for that platform (build's "platforms").`;
  }
  if (/manifest unknown|not found|does not exist|name unknown/i.test(message)) {
    return `image: ${reference} does not exist in ${registry}. Check the name, the tag or digest, and that the build pushed it.`;
  }
  if (/toomanyrequests|rate limit/i.test(message))
    return `image: ${registry} limits how often may be pulled. Give registry-username and registry-password, or wait. It said: ${message}`;
  return `image: the host could not get ${reference} from ${registry}: ${message}`;
}
