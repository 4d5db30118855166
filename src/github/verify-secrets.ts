import type { InputSource } from "./input-source";
import { headerValues, runnerText, settingsToMask, shortest, withItsLines } from "./maskable";

/**
 * Every text that must be masked before verify-health prints anything. Never throws: it is called before the inputs are
 * checked. basic-auth (its base64 too), bearer-token and the login of a proxy or a URL are masked always; values of headers and
 * of a URL's query as settings are: unless they are short, a common word, a small number, or printed anyway.
 */
export function verifySecretsOf(io: InputSource): string[] {
  const asked = { urls: io.input("url"), headers: io.input("headers") };
  const known = [publicUrls(asked.urls), io.input("expect-version"), ...runnerText(io)].join("\n");
  const logins = [...basicAuth(io.input("basic-auth").trim()), ...withItsLines(io.input("bearer-token"))];
  return [...new Set([...logins.filter((text) => text.length >= shortest), ...askedSecrets(asked, known, io)])];
}

/** What URLs and headers hold of secrets, and the proxy on the way. `known` = what the log says anyway */
export function askedSecrets(
  asked: { readonly urls: string; readonly headers: string },
  known: string,
  io: InputSource,
): string[] {
  const urls = asked.urls.split(/\s+/);
  const logins = [...proxyLogins(io), ...urls.flatMap(urlLogin)].filter((text) => text.length >= shortest);
  return [...logins, ...settingsToMask([...headerValues(asked.headers), ...urls.flatMap(queryValues)], known)];
}

/** URLs as the log says them. */
export const publicUrls = (urls: string): string =>
  urls
    .split(/\s+/)
    .map((url) => url.replace(/[?#].*$/, ""))
    .join("\n");

function basicAuth(text: string): string[] {
  if (text === "") return [];
  const base64 = Buffer.from(text).toString("base64");
  return [...withItsLines(text), text.replace(/^[^:]*:/, ""), base64, base64.replace(/=+$/, "")];
}

/** A URL with a login is refused, and so is one that its password breaks; neither may show it. */
function urlLogin(url: string): string[] {
  const { username, password } = URL.canParse(url) ? new URL(url) : { username: "?", password: "" };
  if (username === "" && password === "") return [];
  const login = /^(?:[a-z]+:)?\/*(.*)@/is.exec(url)?.[1] ?? "";
  return [login, decoded(login)].flatMap((text) => [text, text.replace(/^[^:]*:/, "")]);
}

/** As they are written, and as a server reads them. */
const queryValues = (url: string): string[] =>
  url
    .replace(/^[^?]*\??/, "")
    .replace(/#.*$/, "")
    .split("&")
    .map((pair) => pair.replace(/^[^=]*=/, ""))
    .flatMap((value) => [value, decoded(value)]);

function proxyLogins({ env }: InputSource): string[] {
  const proxies = ["https_proxy", "http_proxy"].flatMap((name) => [env[name] ?? "", env[name.toUpperCase()] ?? ""]);
  return proxies.flatMap((proxy) => {
    const login = /\/\/([^/]*)@/.exec(proxy)?.[1] ?? /^([^/]*)@/.exec(proxy)?.[1] ?? "";
    return [...new Set([login, decoded(login)])].flatMap(basicAuth);
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
