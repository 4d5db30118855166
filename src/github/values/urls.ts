import { isIP, isIPv6 } from "node:net";
import { UserError } from "../../user-error";
import type { Parse } from "./parse";
import { shown } from "./shown";

const schemes = ["http:", "https:", "ws:", "wss:", "tcp:"];
const mostUrls = 50;
const hostName = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})$/;

/** URLs by line or space: a comma may be part of one. `login` = the input that a user and a password are written in. */
export const urls =
  (login: string): Parse<URL[]> =>
  (name, text) => {
    const given = text.split(/\s+/).filter((url) => url !== "");
    if (given.length > mostUrls) throw new UserError(`${name}: got ${given.length} URLs; name ${mostUrls} at most.`);
    const found = given.map((url) => urlOf(name, url, login));
    const seen = new Set<string>();
    for (const { href } of found) {
      if (seen.has(href)) throw new UserError(`${name}: ${safe(href)} is named twice. Name each URL once.`);
      seen.add(href);
    }
    return found;
  };

function urlOf(name: string, text: string, login: string): URL {
  if (!URL.canParse(text))
    throw new UserError(`${name}: expected a URL such as https://shop.example.com/health, got ${safe(text)}.`);
  const url = new URL(text);
  if (!schemes.includes(url.protocol))
    throw new UserError(
      `${name}: expected a URL that begins with http://, https://, ws://, wss:// or tcp://, got ${safe(text)}.`,
    );
  if (url.username !== "" || url.password !== "")
    throw new UserError(`${name}: ${safe(text)} holds a user or a password; write it in ${login}.`);
  if (text.includes("#"))
    throw new UserError(`${name}: ${safe(text)} has a fragment (#), which no server gets to see; leave it out.`);
  if (url.port === "0") throw new UserError(`${name}: ${safe(text)} has port 0, on which nothing listens.`);
  if (url.protocol === "tcp:") refuseMoreThanPort(name, url, text);
  return url;
}

function refuseMoreThanPort(name: string, { hostname, port, pathname, search }: URL, text: string): void {
  const isHost = hostName.test(hostname) || isIPv6(hostname.replace(/^\[|\]$/g, ""));
  if (isHost && port !== "" && pathname === "" && search === "") return;
  throw new UserError(`${name}: expected a host and a port, as in tcp://db.example.com:5432, got ${safe(text)}.`);
}

/** Its query may hold a token, and what stands before an @ a password: with a slash or a ? in it, if it is no URL. */
function safe(text: string): string {
  const [scheme] = /^(?:(?:https?|wss?|tcp):\/*)?/i.exec(text) ?? [""];
  const [at, query] = [text.lastIndexOf("@"), text.indexOf("?")];
  if (query >= 0 && query < at) return shown(`${scheme}…`); // what stands behind that @ may be the query's
  return shown((at < 0 ? text : `${scheme}…${text.slice(at)}`).replace(/\?.*$/s, "?…"));
}

/** Addresses to ask, by comma, line or space: IP addresses or names. */
export const addresses: Parse<string[]> = (name, text) => {
  const given = text.split(/[\s,]+/).filter((address) => address !== "");
  const found = given.map((address) => {
    const plain = address.replace(/^\[(.*)\]$/, "$1");
    if (/^[\d.]+$/.test(plain) || plain.includes(":") ? isIP(plain) : hostName.test(plain)) return plain;
    throw new UserError(`${name}: expected an address such as 10.0.0.7, 2001:db8::7 or a name, got ${shown(address)}.`);
  });
  const twice = found.find((address, index) => found.indexOf(address) !== index);
  if (twice !== undefined) throw new UserError(`${name}: ${shown(twice)} is named twice. Name each address once.`);
  if (found.length > mostUrls) throw new UserError(`${name}: got ${found.length} addresses; name ${mostUrls} at most.`);
  return found;
};
