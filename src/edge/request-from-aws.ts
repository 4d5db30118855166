import type { DeployInputs } from "../github/inputs";
import { registryForms } from "../github/secrets";
import { ecrRegion } from "../github/values/image-name";
import type { Log } from "../release/log";
import type { Credentials, DeployRequest } from "../release/request";
import type { World } from "../release/world";
import { type AskAws, awsOnDemand } from "./aws";

export interface AwsMeans {
  readonly ask: AskAws;
  readonly log: Log;
  readonly conceal: World["conceal"];
}

/**
 * The request with what the inputs leave to AWS: variables, and the login to a private ECR registry. Whatever comes is
 * masked before it goes anywhere.
 *
 * @throws {UserError} when AWS does not have it or does not give it
 */
export async function requestFromAws({ request, envFromAws }: DeployInputs, means: AwsMeans): Promise<DeployRequest> {
  const [env, credentials] = await Promise.all([variables(envFromAws, means), login(request.image, means)]);
  const { image, container } = request;
  return {
    ...request,
    image: { ...image, credentials },
    container: { ...container, env: { ...env, ...container.env } },
  };
}

type Env = DeployRequest["container"]["env"];

const NONE: Env = {};

/** SSM Parameter Store first: Secrets Manager wins over it. */
async function variables(
  { ssmPath, secrets }: DeployInputs["envFromAws"],
  { ask, log, conceal }: AwsMeans,
): Promise<Env> {
  if (ssmPath === undefined && secrets.length === 0) return NONE;
  const { aws, access } = await ask();
  const [parameters, ofSecrets] = await Promise.all([
    ssmPath === undefined ? NONE : access.parametersUnder(aws, ssmPath),
    access.variablesOfSecrets(aws, secrets),
  ]);
  conceal([...Object.values(parameters), ...Object.values(ofSecrets)]);
  const tell = (env: Env, source: string) => log.info(`Env from ${source}: ${Object.keys(env).sort().join(", ")}.`);
  if (ssmPath !== undefined) tell(parameters, `SSM, ${ssmPath}`);
  if (secrets.length > 0) tell(ofSecrets, `Secrets Manager, ${secrets.join(" and ")}`);
  return { ...parameters, ...ofSecrets };
}

/** ECR is asked in the registry's own region, which need not be that of the hosts. */
async function login(
  { name, credentials }: DeployRequest["image"],
  { log, conceal }: AwsMeans,
): Promise<Credentials | undefined> {
  const region = ecrRegion(name);
  if (credentials || region === undefined) return credentials;
  const { aws, access } = await awsOnDemand(region, log)();
  const fresh = await access.registryLogin(aws);
  conceal([fresh.password, ...registryForms(fresh.username, fresh.password)]);
  log.info(`The image is pulled with a login that ECR in ${region} gave for this job's role.`);
  return fresh;
}
