import type { FakeAws } from "../bed/aws/fake-aws";
import { jsonAnswer } from "../bed/aws/protocol";
import type { BedHost } from "../bed/bed";
import { docker } from "../bed/run";
import { certificate } from "./certificates";
import { inBox, until } from "./outside";

const FOLDER = "/run/bed/ecr";

/**
 * The bed's registry, which a box reaches by the name of a private ECR registry too: the name is the box's loopback, whose
 * certificates Docker does not check, and TLS ends there.
 */
export class PlayedEcr {
  readonly name = "111122223333.dkr.ecr.eu-west-3.amazonaws.com";

  private constructor(private readonly host: BedHost) {}

  /** @param registry the bed's own, as the box reaches it: "127.0.0.1:5401" */
  static async start(host: BedHost, registry: string): Promise<PlayedEcr> {
    const ecr = new PlayedEcr(host);
    const { key, cert } = certificate({ names: [ecr.name] });
    await inBox(host, "mkdir", "-p", FOLDER);
    await docker(["exec", "-i", host.container, "tee", `${FOLDER}/pem`], { input: `${key}${cert}` });
    const listen = `OPENSSL-LISTEN:443,bind=127.0.0.1,fork,reuseaddr,cert=${FOLDER}/pem,verify=0`;
    const serve = `echo $$ >${FOLDER}/pid; exec socat ${listen} TCP:${registry}`;
    await docker(["exec", "--detach", host.container, "bash", "-c", serve]);
    await inBox(host, "bash", "-c", `echo "127.0.0.1 ${ecr.name}" >>/etc/hosts`);
    const ask = ["curl", "-sk", "-o", "/dev/null", `https://${ecr.name}/v2/`];
    await until("the registry answers by its ECR name", () =>
      inBox(host, ...ask).then(
        () => true,
        () => false,
      ),
    );
    return ecr;
  }

  /** What AWS gives as the login from now on. */
  login(aws: FakeAws, password: string): void {
    const authorizationToken = Buffer.from(`AWS:${password}`).toString("base64");
    aws.play("ecr:GetAuthorizationToken", async (call) =>
      jsonAnswer(call, { authorizationData: [{ authorizationToken, proxyEndpoint: `https://${this.name}` }] }),
    );
  }

  /** `/etc/hosts` is a mount of Docker's: it is written, not replaced. */
  async end(): Promise<void> {
    const others = `grep -v '${this.name}' /etc/hosts >${FOLDER}/hosts; cat ${FOLDER}/hosts >/etc/hosts`;
    await inBox(this.host, "bash", "-c", `kill "$(cat ${FOLDER}/pid)"; ${others}; rm -r ${FOLDER}`);
  }
}
