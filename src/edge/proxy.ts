import { checkBypass, getProxyUrl } from "@actions/http-client/lib/proxy";
import { UserError } from "../user-error";

/**
 * The proxy for an http or https URL, as the runner's own tools choose it: from HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
 *
 * @throws {UserError} when what the variable says is no HTTP proxy
 */
export function proxyOf(url: URL): URL | undefined {
  if (url.protocol === "tcp:") return undefined;
  const asHttp = new URL(url);
  asHttp.protocol = url.protocol.replace("ws", "http");
  const name = asHttp.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const proxy = chosen(asHttp, name);
  if (!proxy || proxy.protocol === "http:" || proxy.protocol === "https:") return proxy;
  throw new UserError(
    `${name}: this runner's proxy is a ${proxy.protocol}// one; only http:// and https:// ones are supported.`,
  );
}

const isSet = (name: string): boolean => Boolean(process.env[name.toLowerCase()] || process.env[name]);

/** Where a redirect may lead is not known: so both variables must be right. @throws {UserError} */
export function refuseWrongProxies(): void {
  for (const scheme of ["http", "https"]) proxyOf(new URL(`${scheme}://redirected.invalid/`));
}

function chosen(url: URL, name: string): URL | undefined {
  try {
    const found = getProxyUrl(url);
    if (!found && isSet(name) && !checkBypass(url)) throw new Error("it was passed over"); // theirs hides that it is no URL
    return found && new URL(found.href); // theirs gives its login decoded, which no reader of a URL expects
  } catch (cause) {
    throw new UserError(
      `${name}: what this runner's variable holds is no URL; write http://host:port, with % as %25.`,
      { cause },
    );
  }
}
