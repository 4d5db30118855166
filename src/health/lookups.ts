import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import type { LookupFunction } from "node:net";

type Resolve = (
  host: string,
  options: LookupOptions & { readonly all: true },
  callback: (error: Error | null, found: LookupAddress[]) => void,
) => void;

/**
 * One question in flight per name: a resolver that is silent holds a thread of Node's few for each question, long after
 * its attempt has ended, and then no other name is found either.
 */
export function sharedLookup(resolve: Resolve = lookup): LookupFunction {
  const inFlight = new Map<string, Promise<LookupAddress[]>>();
  const ask = (key: string, host: string, options: LookupOptions) => {
    const asked = new Promise<LookupAddress[]>((found, failed) => {
      resolve(host, { ...options, all: true }, (error, addresses) => (error ? failed(error) : found(addresses)));
    }).finally(() => inFlight.delete(key));
    inFlight.set(key, asked);
    return asked;
  };
  return (host, options, callback) => {
    const { family = 0, hints = 0, all } = options;
    const key = JSON.stringify([host, family, hints]);
    const asked = inFlight.get(key) ?? ask(key, host, options);
    const told = ([first, ...others]: LookupAddress[]) => {
      if (all || !first) callback(null, first ? [first, ...others] : []);
      else callback(null, first.address, first.family);
    };
    asked.then(told, (error) => callback(error, []));
  };
}
