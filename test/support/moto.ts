import { type Aws, openAws } from "../../src/aws/session";
import { Moto } from "../bed/aws/moto";

/** What the SDK finds in the environment of these tests: nothing of the machine's own. */
export function playedEnvironment(endpoint: string): void {
  process.env.AWS_ENDPOINT_URL = endpoint;
  process.env.AWS_ACCESS_KEY_ID = "AKIATESTONLY";
  process.env.AWS_SECRET_ACCESS_KEY = "a-secret-of-the-tests";
  process.env.AWS_EC2_METADATA_DISABLED = "true";
  process.env.AWS_CONFIG_FILE = process.env.AWS_SHARED_CREDENTIALS_FILE = "/dev/null";
}

export const testAws = (): Promise<Aws> => openAws({ region: "eu-west-1", proxyOf: () => undefined });

/** Starts moto, and points the SDK at it. */
export async function startMoto(): Promise<Moto> {
  const moto = await Moto.start();
  playedEnvironment(moto.endpoint);
  return moto;
}
