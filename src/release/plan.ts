import { type Member, of } from "./fleet";
import type { DeployRequest, HealthOptions } from "./request";
import { whyAtOnce } from "./rollout";
import type { Scene } from "./scene";
import { candidateSlot } from "./traffic";
import type { AlarmsBefore, World } from "./world";

/** What is proved before a commit, beside the hosts' own answers. */
interface Proofs {
  readonly verification: World["verification"];
  readonly alarms: AlarmsBefore | undefined;
}

/** What a deploy would do on one host, for a dry run. */
export function planFor(request: DeployRequest, member: Member, proofs: Proofs): readonly string[] {
  const { current, previous, handover, id, proxy, imagePresent, reference } = of(member, "scene");
  const { health, traffic } = request;
  return [
    `Would ${imagePresent ? "use" : "pull"} ${reference}`,
    ...(proxy || handover ? [] : [`Would start the proxy (${traffic.proxyImage}) on port ${traffic.httpPort}`]),
    ...(request.preDeploy ? [`Would run pre-deploy: ${request.preDeploy.command.join(" ")}`] : []),
    ...(traffic.strategy === "recreate" && current
      ? [`Would stop ${current.container} first: nothing is served until ${id} is healthy`]
      : []),
    `Would start ${request.app}-${id} in the slot ${candidateSlot(current)}, ${traffic.strategy === "recreate" ? "in place of" : "beside"} ${previous?.adopted ?? previous?.container ?? "nothing"}`,
    wouldAsk(health),
    ...(handover
      ? [
          `Would stop ${handover.name} and start the proxy (${traffic.proxyImage}) on port ${traffic.httpPort} in its place: nothing is served in between`,
        ]
      : []),
    ...wouldShare(request, of(member, "scene")),
    `Would shift all traffic and watch it for ${Math.max(request.bakeTime, proofs.alarms?.leastBake.span ?? 0) / 1000} s`,
    ...wouldProve(proofs),
    `Would commit ${id}${current ? `, then drain and stop ${current.container} and keep it` : ""}${previous?.adopted ? `; ${previous.adopted} stays, stopped` : ""}`,
  ];
}

/** The same where there is nothing on the host to look at yet. */
export function planForFirst({ app, traffic, image }: DeployRequest, proofs: Proofs): readonly string[] {
  return [
    `Would make /var/lib/hello-devops/${app} on the host: it is the first deploy of "${app}" there.`,
    `Would pull ${traffic.proxyImage} and ${image.name}, start both, and send port ${traffic.httpPort} to the app once it is healthy.`,
    ...wouldProve(proofs),
  ];
}

function wouldShare({ rollout, traffic }: DeployRequest, scene: Scene): readonly string[] {
  const shares = rollout?.steps.slice(0, -1) ?? [];
  if (!rollout || shares.length === 0) return [];
  const why = whyAtOnce(scene, traffic.strategy);
  if (why) return [`Would move all traffic at once, whatever traffic-steps says: ${why}`];
  const each = shares.length > 1 ? ", each" : "";
  return [
    `Would give it ${shares.join(" %, then ")} % of the traffic${each} for ${rollout.stepDuration / 1000} s, and compare it with ${scene.current?.release}`,
  ];
}

const wouldProve = ({ verification, alarms }: Proofs): readonly string[] => [
  ...(alarms ? [`Would go back at a new alarm of ${alarms.names.join(", ")}`] : []),
  ...(verification ? [`Would ask ${verification.urls.join(", ")} before it commits`] : []),
];

/** What a rollback would do on one host. */
export function planForReturn(member: Member): readonly string[] {
  const { current, id, kept } = of(member, "scene");
  const { health, traffic, bakeTime } = of(member, "terms");
  const recreate = traffic.strategy === "recreate";
  return [
    ...(recreate ? [`Would stop ${current?.container} first: nothing is served until ${id} is healthy`] : []),
    `Would start ${kept?.container} again in the slot ${candidateSlot(current)}, ${recreate ? "in place of" : "beside"} ${current?.container}`,
    wouldAsk(health),
    `Would shift all traffic and watch it for ${bakeTime / 1000} s`,
    `Would commit ${id}, then drain and stop ${current?.container} and keep it`,
  ];
}

const wouldAsk = ({ path, threshold, startTimeout }: HealthOptions): string =>
  `Would ask ${path} until ${threshold} answers in a row are right, ${startTimeout / 1000} s at most`;
