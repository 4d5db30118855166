import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { UserError } from "../user-error";
import { AwsFailure } from "./failure";
import type { Aws } from "./session";

export interface RegistryLogin {
  /** "AWS": ECR has no other */
  readonly username: string;
  /** good for 12 hours, in every private registry of the region that the job's role may use */
  readonly password: string;
}

const SUBJECT = "image: with registry-username blank, the login to ECR comes from the job's AWS credentials";

/**
 * The login to the private ECR registries of a region (GetAuthorizationToken: base64 of `AWS:password`).
 *
 * @throws {UserError}
 */
export async function registryLogin(aws: Aws): Promise<RegistryLogin> {
  const answer = await aws
    .call("ecr:GetAuthorizationToken", () => aws.ecr.send(new GetAuthorizationTokenCommand({})))
    .catch((failure) => {
      throw failure instanceof AwsFailure ? failure.about(SUBJECT) : failure;
    });
  const token = answer.authorizationData?.[0]?.authorizationToken ?? "";
  const [, username = "", password = ""] = /^([^:]+):(.+)$/s.exec(Buffer.from(token, "base64").toString("utf8")) ?? [];
  if (password !== "") return { username, password };
  throw new UserError(`${SUBJECT}, but what ECR in ${aws.region} gave is no login. Try again, or give both.`);
}
