import type { VerifyRequest } from "../health/request";
import { UserError } from "../user-error";
import { InputReader } from "./input-reader";
import type { InputSource } from "./input-source";
import { type DeployInputs, deployInputs, refuseTogether } from "./inputs";
import { duration } from "./values/durations";
import { jsonComparisons } from "./values/expected";
import { headers, pattern, statusRanges } from "./values/health";
import { wholeNumber } from "./values/scalars";
import { urls } from "./values/urls";
import { refuseContradictions } from "./verify-together";

export interface VerifiedDeployInputs extends DeployInputs {
  /** undefined = the URLs of users are not asked */
  readonly verification: VerifyRequest | undefined;
}

/**
 * The inputs of deploy-and-verify: those of actions/deploy-ec2, and what is to be proved by the app's own URLs.
 *
 * @throws {UserError} with one line for each thing that is wrong.
 */
export function readVerifiedDeployInputs(io: InputSource): VerifiedDeployInputs {
  const from = new InputReader(io);
  const deploy = deployInputs(from, io);
  const asked = verification(from);
  from.refuseProblems();
  const inputs = { ...deploy, verification: together(from, asked) };
  refuseTogether(from, inputs);
  return inputs;
}

/** As verify-health has it by default. */
const TIME = {
  interval: 2_000,
  backoff: false,
  requestTimeout: 5_000,
  threshold: 1,
  hold: 0,
  maxFailures: 0,
  maxLatency: undefined,
  percentile: 95,
} as const;

function verification(from: InputReader): VerifyRequest {
  const asked = from.optional("verify-url", urls("verify-headers (Authorization)"));
  const status = from.needed("verify-status", statusRanges);
  const body = from.optional("verify-body", pattern);
  const json = from.optional("verify-json", jsonComparisons) ?? [];
  const given = from.optional("verify-headers", headers("it follows from verify-url: write the name there")) ?? {};
  const timeout = from.needed("verify-timeout", duration("1s", "6h"));
  const minDays = from.needed("verify-min-certificate-days", wholeNumber(0, 3650));
  return {
    ...{ targets: (asked ?? []).map((url) => ({ url, address: undefined })), family: 0 },
    question: { method: "GET", headers: given, authorization: undefined, body: "", followRedirects: false },
    expected: { status, body, headers: [], json, version: undefined, versionFrom: { header: "X-Release" } },
    tls: { verify: true, authorities: undefined, minDays },
    time: { ...TIME, timeout },
  };
}

/** Without a URL nothing is asked, so nothing may be expected. */
function together(from: InputReader, request: VerifyRequest): VerifyRequest | undefined {
  if (request.targets.length > 0) {
    refuseContradictions(from, request, (name) => `verify-${name.replace(/^expect-/, "")}`);
    return request;
  }
  const { expected, question, tls } = request;
  const unread = {
    "verify-body": expected.body !== undefined,
    "verify-json": expected.json.length > 0,
    "verify-headers": Object.keys(question.headers).length > 0,
    "verify-min-certificate-days": tls.minDays > 0,
  };
  for (const [name, given] of Object.entries(unread))
    from.check(() => {
      if (given) throw new UserError(`${name}: verify-url is blank, so nothing is asked; give both or neither.`);
    });
  return undefined;
}
