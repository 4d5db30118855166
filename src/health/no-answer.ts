import { isIPv6 } from "node:net";

interface Why extends ErrorOptions {
  /** it says nothing about the server: the reason lies on this side */
  readonly blind?: boolean;
  /** the attempt's own limit ended it */
  readonly late?: boolean;
}

/** A server was asked, and there is no answer to judge. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  readonly blind: boolean;
  readonly late: boolean;

  constructor(
    message: string,
    /** what it is counted under: "ECONNREFUSED", "timeout" */
    readonly kind: string,
    { blind = false, late = false, ...options }: Why = {},
  ) {
    super(message, options);
    this.blind = blind;
    this.late = late;
  }
}

// No route of that family, no answer from the resolver, no descriptor or port left: the server was not even asked.
// EHOSTUNREACH is not one of them: so a network says that a server on it is switched off.
const onThisSide = new Set([
  ...["EAI_AGAIN", "EAI_SYSTEM", "EAI_MEMORY", "ENETUNREACH", "ENETDOWN", "EADDRNOTAVAIL"],
  ...["EAFNOSUPPORT", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EPERM", "EACCES"],
]);

interface SystemError extends Error {
  readonly code?: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  /** an AggregateError's */
  readonly errors?: readonly unknown[];
}

/** Whatever a socket, a parser or a resolver threw, told as what was seen of the server. */
export function noAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  const cause: SystemError = typeof error === "object" && error !== null ? (error as Error) : new Error(String(error));
  if (cause.errors && cause.errors.length > 0) return ofSeveral(cause, cause.errors);
  const kind = cause.code ?? cause.name;
  return new NoAnswer(sentence(cause), kind, { blind: onThisSide.has(kind), cause });
}

/** Happy eyeballs tried each address of a name: the server was asked if one of them was reached. */
function ofSeveral(cause: Error, errors: readonly unknown[]): NoAnswer {
  const each = errors.map(noAnswer);
  const telling = each.find(({ blind }) => !blind) ?? each[0];
  const message = each.map((one) => one.message).join("; ");
  return new NoAnswer(message, telling?.kind ?? "error", { blind: telling?.blind ?? false, cause });
}

function sentence({ code, syscall, address, port, hostname, message }: SystemError): string {
  if (syscall === "connect" && address !== undefined) return `connect ${code} ${place(address, port)}`;
  if (code === "ENOTFOUND") return `the name ${hostname} does not exist (ENOTFOUND)`;
  if (code === "EAI_AGAIN") return `the resolver gives no answer for ${hostname} (EAI_AGAIN)`;
  if (code === "ECONNRESET") return "the connection was reset before the answer was whole (ECONNRESET)";
  if (code === "EPIPE") return "the connection was closed while the request was sent (EPIPE)";
  if (code === "HPE_HEADER_OVERFLOW") return "the headers of the answer are longer than 16 KiB (HPE_HEADER_OVERFLOW)";
  if (code?.startsWith("HPE_")) return `the answer is not HTTP (${message})`;
  return message;
}

const place = (address: string, port: number | undefined): string => {
  const host = isIPv6(address) ? `[${address}]` : address;
  return port === undefined ? host : `${host}:${port}`;
};
