import { UserError } from "../../src/user-error";

// An index before a manifest: it is the same for all processors.
const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const PATIENCE = 20_000;

/**
 * The digest of what a tag names today, by its registry's own word (OCI distribution spec 1.1, "Checking if content exists in the registry").
 *
 * @param image a name with its tag, such as `grafana/grafana:13.2.3`
 * @param origin where a registry's API is; for tests
 * @returns `sha256:` and 64 hexadecimal digits
 * @throws UserError with the registry and what it answered
 */
export async function digestOf(image: string, origin = (host: string) => `https://${host}`): Promise<string> {
  const { host, repository, tag } = parts(image);
  const url = `${origin(host)}/v2/${repository}/manifests/${tag}`;
  const ask = (headers: Record<string, string>) => asked(image, host, url, { method: "HEAD", headers });
  let answer = await ask({ accept: ACCEPT });
  if (answer.status === 401) {
    const authorization = await anonymous(image, host, answer.headers.get("www-authenticate") ?? "");
    answer = await ask({ accept: ACCEPT, authorization });
  }
  const digest = answer.headers.get("docker-content-digest") ?? "";
  if (answer.status === 200 && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  throw new UserError(
    `${image}: ${host} answered ${answer.status}${answer.status === 200 ? " without a digest" : ""}. Is the tag right?`,
  );
}

/** A token for what anybody may read (the challenge of a 401 says where). */
async function anonymous(image: string, host: string, challenge: string): Promise<string> {
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  if (!/^bearer/i.test(challenge) || !fields.realm)
    throw new UserError(`${image}: ${host} lets nobody in without a login; only public images are pinned.`);
  const url = new URL(fields.realm);
  for (const name of ["service", "scope"]) if (fields[name]) url.searchParams.set(name, fields[name]);
  const answer = await asked(image, url.host, url.href, {});
  const { token, access_token } = answer.ok ? ((await answer.json()) as Record<string, string | undefined>) : {};
  if (!token && !access_token) throw new UserError(`${image}: ${url.host} gave no token (status ${answer.status}).`);
  return `Bearer ${token ?? access_token}`;
}

async function asked(image: string, host: string, url: string, how: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...how, signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string } };
    throw new UserError(`${image}: ${host} can't be reached (${cause?.code ?? message}).`);
  }
}

/** As Docker reads a name: the first part is a host if it looks like one, and Docker Hub's own images are in `library`. */
function parts(image: string): { readonly host: string; readonly repository: string; readonly tag: string } {
  const [, name = "", tag] = /^(.+):([\w.-]+)$/.exec(image) ?? [];
  if (!tag) throw new UserError(`${image}: expected a name with a tag.`);
  const [first = "", ...rest] = name.split("/");
  if (rest.length > 0 && /[.:]|^localhost$/.test(first)) return { host: first, repository: rest.join("/"), tag };
  return { host: "registry-1.docker.io", repository: rest.length > 0 ? name : `library/${name}`, tag };
}
