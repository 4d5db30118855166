export interface Ask {
  readonly method: "GET" | "POST";
  readonly path: string;
}

export interface Shares {
  /** percent of the requests that get a 500 */
  readonly errors: number;
  /** percent that are answered late */
  readonly slow: number;
}

const get = (path: string): Ask => ({ method: "GET", path });

const ordinary: readonly Ask[] = [
  ...["/", "/style.css", "/page.js", "/status", "/version", "/", "/version", "/not-there", "/"].map(get),
  { method: "POST", path: "/version" }, // a 405
];
const error = get("/fault/error");
const late = [300, 700, 1500, 3000].map((ms) => get(`/fault/slow?ms=${ms}`));

// With no factor in common with 100: n * stride meets each of a hundred once, and neighbours lie far apart.
const stride = 37;

/** What the nth request asks for: of each hundred exactly the shares, spread out, and the same in every run. */
export function mix({ errors, slow }: Shares): (n: number) => Ask {
  return (n) => {
    const place = (n * stride) % 100;
    if (place < errors) return error;
    return nth(place < errors + slow ? late : ordinary, n);
  };
}

const nth = (of: readonly Ask[], n: number): Ask => of[n % of.length] as Ask;
