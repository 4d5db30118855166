// Version, trace, parent, flags. No version is ff, and 00 ends after its 55th character; a later one may say more behind a dash.
const traceparent = /^(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;

/** The trace that the caller says this request is part of (https://www.w3.org/TR/trace-context/); undefined = none, or no valid one. */
export const traceIdOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === "string" ? traceparent.exec(header)?.[1] : undefined;
