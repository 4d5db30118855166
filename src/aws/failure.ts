import { UserError } from "../user-error";

/** A call that AWS did not do, told as a person can act on it. `cause` is what the SDK threw. */
export class AwsFailure extends UserError {
  constructor(
    /** the IAM action: "ec2:DescribeInstances" */
    readonly action: string,
    /** AWS's error code, the SDK's error name or the system's code: "ParameterNotFound", "ECONNREFUSED" */
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** The same, with what the call was for in front. */
  about(subject: string): AwsFailure {
    return new AwsFailure(this.action, this.code, `${subject}: ${this.message}`, { cause: this.cause });
  }

  get denied(): boolean {
    return DENIED.has(this.code);
  }
}

/** The code of a failure that a call may answer with and go on; undefined for what is none. */
export const codeOf = (error: unknown): string | undefined => (error instanceof AwsFailure ? error.code : undefined);

/** What an SDK's error has beside a name and a message. */
interface SdkError extends Error {
  readonly code?: string;
  /** an AggregateError's: each address of a name was tried */
  readonly errors?: readonly SdkError[];
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

const NO_CREDENTIALS = new Set(["CredentialsProviderError", "TokenProviderError", "MissingAuthenticationToken"]);
const EXPIRED = new Set(["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"]);
const DENIED = new Set(["UnauthorizedOperation", "AccessDenied", "AccessDeniedException"]);
const BAD_SIGNATURE = new Set([
  ...["AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"],
  ...["SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "RequestTimeTooSkewed"],
]);
const THROTTLED = new Set([
  ...["Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException"],
  ...["RequestLimitExceeded", "TooManyRequestsException", "SlowDown"],
]);
const UNREACHABLE = new Set([
  ...["TimeoutError", "ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "EPIPE", "ETIMEDOUT"],
  ...["EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EADDRNOTAVAIL", "CERT_HAS_EXPIRED"],
  ...["DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
  ...["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "ERR_TLS_CERT_ALTNAME_INVALID"],
]);

/**
 * What an AWS call's error means to a person. The codes are those of the services' API references ("Common errors"), the
 * names those of the SDK.
 *
 * @param region where the call went; undefined where none could be found
 */
export function awsFailure(action: string, region: string | undefined, thrown: unknown): UserError {
  if (thrown instanceof UserError) return thrown;
  const error: SdkError = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = kindOf(error);
  return new AwsFailure(action, code, `${action}: ${meaning({ action, region, error, code })}`, { cause: thrown });
}

function kindOf(error: SdkError): string {
  if (/^Region (is missing|not accepted)/.test(error.message)) return "NoRegion";
  if (error.$metadata?.httpStatusCode === 407) return "ProxyLogin";
  return error.code && UNREACHABLE.has(error.code) ? error.code : error.name;
}

interface Failed {
  readonly action: string;
  readonly region: string | undefined;
  readonly error: SdkError;
  readonly code: string;
}

function meaning({ action, region, error, code }: Failed): string {
  const said = wordsOf(error);
  if (code === "NoRegion") {
    return `it is not known which AWS region to ask (${said}). Set aws-region, for example to eu-west-1.`;
  }
  if (NO_CREDENTIALS.has(code)) {
    return `this job has no AWS credentials (${said}). Put a step with aws-actions/configure-aws-credentials and role-to-assume before this one, and give the job "permissions: id-token: write".`;
  }
  if (EXPIRED.has(code)) {
    return `this job's AWS credentials have expired (${said}). Run aws-actions/configure-aws-credentials again just before this step, or raise its role-duration-seconds.`;
  }
  if (BAD_SIGNATURE.has(code)) {
    return `AWS does not accept this job's credentials (${code}: ${said}). Check that the key, the secret and the session token belong together, that the region ${region} is enabled in that account, and that the runner's clock is right.`;
  }
  if (DENIED.has(code)) {
    const refused = /perform:? ([a-z0-9-]+:[A-Za-z]+)/.exec(error.message)?.[1] ?? action; // it may be the role's own sts:...
    return `AWS does not allow ${refused} to this job's role (${said}). Compare its policy with the policy in docs/access.md.`;
  }
  if (THROTTLED.has(code)) {
    return `AWS asks to slow down, after 5 attempts (${code}: ${said}). Try again later, or let fewer jobs run at once in this account and region.`;
  }
  if (code === "ProxyLogin") {
    return "the runner's proxy wants a user and a password: write them into HTTPS_PROXY, http://user:password@host:port.";
  }
  if (UNREACHABLE.has(code)) {
    return `AWS can't be reached in the region ${region} (${code}: ${said}). Check aws-region, and the runner's way out: HTTPS_PROXY, NO_PROXY, the firewall.`;
  }
  const request = error.$metadata?.requestId;
  return `${code}: ${said}${request ? ` (request ${request})` : ""}`;
}

/** AWS's own words on one line, without the encoded blob that only an administrator can read. */
function wordsOf(error: SdkError): string {
  const words = error.message || error.errors?.map(({ message }) => message).join("; ") || error.name;
  const plain = words.replace(/\s*Encoded authorization failure message: \S+/, "").replace(/\s+/g, " ");
  return plain.trim().slice(0, 600);
}
