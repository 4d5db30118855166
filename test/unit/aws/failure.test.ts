import { expect, test } from "@jest/globals";
import { AwsFailure, awsFailure, codeOf } from "../../../src/aws/failure";
import { UserError } from "../../../src/user-error";

const thrown = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more });

const told: readonly [what: string, error: Error, says: RegExp][] = [
  [
    "no credentials",
    thrown("CredentialsProviderError", "Could not load credentials from any providers"),
    /no AWS credentials .*aws-actions\/configure-aws-credentials and role-to-assume .*permissions: id-token: write/,
  ],
  ["an expired token", thrown("ExpiredToken", "The token has expired"), /have expired .*again just before this step/],
  ["a wrong key", thrown("AuthFailure", "not able to validate"), /does not accept .*AuthFailure.*region eu-west-1/],
  ["a wrong clock", thrown("InvalidSignatureException", "Signature expired"), /the runner's clock is right/],
  [
    "a refusal",
    thrown("UnauthorizedOperation", "You are not authorized to perform this operation."),
    /does not allow ec2:DescribeInstances to this job's role .*the policy in docs\/access\.md/,
  ],
  [
    "a refusal of what comes before the call",
    thrown("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
    /does not allow sts:AssumeRoleWithWebIdentity/,
  ],
  ["throttling that lasts", thrown("RequestLimitExceeded", "Request limit exceeded."), /slow down, after 5 attempts/],
  [
    "silence",
    thrown("TimeoutError", "a request has exceeded the configured 20000 ms requestTimeout.", { code: "ETIMEDOUT" }),
    /can't be reached in the region eu-west-1 \(ETIMEDOUT: .*20000 ms/,
  ],
  [
    "an endpoint that no address of answers",
    thrown("AggregateError", "", {
      code: "ECONNREFUSED",
      errors: [new Error("connect ECONNREFUSED ::1:1"), new Error("connect ECONNREFUSED 127.0.0.1:1")],
    }),
    /\(ECONNREFUSED: connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127\.0\.0\.1:1\)/,
  ],
  ["a mistyped region", thrown("Error", "getaddrinfo ENOTFOUND", { code: "ENOTFOUND" }), /Check aws-region/],
  [
    "anything else",
    thrown("InternalError", "An internal\n  error", { $metadata: { requestId: "r-1" } }),
    /^ec2:DescribeInstances: InternalError: An internal error \(request r-1\)$/,
  ],
];
test.each(told)("says what %s means and what to do", (_, error, says) => {
  const failure = awsFailure("ec2:DescribeInstances", "eu-west-1", error);
  expect(failure).toBeInstanceOf(UserError);
  expect(failure.message).toMatch(/^ec2:DescribeInstances: /);
  expect(failure.message).toMatch(says);
  expect(failure.cause).toBe(error);
});

test("keeps AWS's words of a refusal, but not its encoded blob", () => {
  const message = `User: arn:aws:iam::111122223333:role/x is not authorized to perform: ec2:DescribeInstances because no identity-based policy allows it. Encoded authorization failure message: ${"Ab1-".repeat(200)}`;
  const failure = awsFailure("ec2:DescribeInstances", "eu-west-1", thrown("UnauthorizedOperation", message));
  expect(failure.message).toContain("role/x is not authorized to perform: ec2:DescribeInstances because no identity");
  expect(failure.message).not.toContain("Ab1-");
});

test("lets a caller ask what it was", () => {
  const refused = awsFailure("ssm:GetParameter", "eu-west-1", thrown("AccessDeniedException", "no"));
  const missing = awsFailure("ssm:GetParameter", "eu-west-1", thrown("ParameterNotFound", "no"));
  expect([codeOf(missing), codeOf(new Error("a bug"))]).toEqual(["ParameterNotFound", undefined]);
  expect([refused, missing].map((failure) => failure instanceof AwsFailure && failure.denied)).toEqual([true, false]);
});
