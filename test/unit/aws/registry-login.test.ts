import { ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeEach, expect, test } from "@jest/globals";
import { mockClient } from "aws-sdk-client-mock";
import { registryLogin } from "../../../src/aws/registry-login";
import { UserError } from "../../../src/user-error";
import { testAws } from "../../support/moto";

const ecr = mockClient(ECRClient);
beforeEach(() => {
  ecr.reset();
});
afterAll(() => ecr.restore());

const gives = (login: string) =>
  ecr.on(GetAuthorizationTokenCommand).resolves({
    authorizationData: [{ authorizationToken: Buffer.from(login).toString("base64") }],
  });

test("takes apart the login that ECR gives, whatever the password holds", async () => {
  gives("AWS:eyJ:with/colons+and=");
  expect(await registryLogin(await testAws())).toEqual({ username: "AWS", password: "eyJ:with/colons+and=" });
});

test.each(["", "AWS", "AWS:"])("refuses an answer that is no login: %j", async (login) => {
  gives(login);
  const asked = registryLogin(await testAws());
  await expect(asked).rejects.toThrow(UserError);
  await expect(asked).rejects.toThrow(/^image: .* what ECR in eu-west-1 gave is no login/);
});

test("says why it asked AWS when AWS refuses", async () => {
  ecr.on(GetAuthorizationTokenCommand).rejects(Object.assign(new Error("no"), { name: "AccessDeniedException" }));
  await expect(registryLogin(await testAws())).rejects.toThrow(
    /^image: with registry-username blank, .*: ecr:GetAuthorizationToken: AWS does not allow .*docs\/access\.md/,
  );
});
