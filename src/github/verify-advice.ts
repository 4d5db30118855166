import type { Standing } from "../health/outcome";

/** Whose inputs the advice may name: verify-health's, or those of a deploy's gate `verify-url`, which has few. */
export type Asker = "verify-health" | "verify-url";

/** What a person does next about what was seen last. `kind` is how a check counts it. */
export function adviceFor(kind: string, standing: Standing | undefined, asker: Asker = "verify-health"): string {
  if (standing === "right" && asker === "verify-url") return "The last answer was right: lengthen verify-timeout.";
  if (standing === "right")
    return "The last answer was right: was the time too short for threshold, hold or max-latency?";
  const rules = asker === "verify-url" ? [...ofTheGate, ...advice] : advice;
  return (
    rules.find(([pattern]) => pattern.test(kind))?.[1] ?? "Ask the URL from the runner's network by hand: curl -v."
  );
}

type Advice = readonly (readonly [RegExp, string])[];

/** Where verify-health's advice names an input that the gate does not have. */
const ofTheGate: Advice = [
  [/^E(NETUNREACH|ADDRNOTAVAIL|AFNOSUPPORT)$/, "This runner has no way there: has it IPv6, and a route?"],
  [/^EHOSTUNREACH$/, "No machine answers at this address: is the server on, and is the address (DNS) still its own?"],
  [/^timeout$/, "Does a firewall or a security group let this runner in? The app has 5 s for an answer."],
  [
    /^(CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|ERR_TLS_CERT)/,
    "Renew the certificate; an authority of your own goes into NODE_EXTRA_CA_CERTS of the runner.",
  ],
  [/^\d+ certificate$/, "Renew the certificate, or lower verify-min-certificate-days."],
  [
    /^\d+ wrong version$/,
    "Another release answers: does every server behind the name have this one, and does what stands in between pass release-header on?",
  ],
  [/^30[12378]$/, "Write the URL that it redirects to: redirects are not followed."],
  [/^401$/, "Give the login in verify-headers (Authorization); a secret that does not exist is blank."],
  [/^403$/, "The server refuses this client: a login, an allow list, or a Host that it does not know."],
  [
    /^[1234]\d\d$/,
    "It answers with another status than verify-status names: look at the URL's path, or name that status there.",
  ],
];

const advice: Advice = [
  [/^ECONNREFUSED$/, "Nothing listens there: does the app run, on this port and not only on its own localhost?"],
  [/^ENOTFOUND$/, "Look for a mistake in the name, and whether its DNS record exists."],
  [/^EAI_/, "The runner's resolver gave no answer: run the job again, and look at the network of the runner."],
  [
    /^E(NETUNREACH|ADDRNOTAVAIL|AFNOSUPPORT)$/,
    "This runner has no way there; has it IPv6 (ip-family: 4), and a route?",
  ],
  [
    /^EHOSTUNREACH$/,
    "No machine answers at this address: is the server on, and is the address (DNS, resolve) still its own?",
  ],
  [/^timeout$/, "Does a firewall or a security group let this runner in? Is request-timeout long enough for the app?"],
  [
    /^(closed|ECONNRESET|EPIPE)$/,
    "The server ended the connection: look at its log, and whether scheme and port belong together.",
  ],
  [/^HPE_/, "What answers there speaks no HTTP: look at scheme and port."],
  [
    /^(CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|ERR_TLS_CERT)/,
    "Renew the certificate, or write the authority that signed it in ca-certificate.",
  ],
  [/^(EPROTO|ERR_SSL)/, "TLS could not begin: look at scheme and port, and at the TLS versions of the server."],
  [/^proxy/, "Look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the runner, and at the proxy's own rules."],
  [/^redirects$/, "Write the URL that the redirects should end at."],
  [/^\d+ certificate$/, "Renew the certificate, or lower min-certificate-days."],
  [
    /^\d+ wrong version$/,
    "Another release answers: was it deployed, and does every server behind the name have it (resolve)?",
  ],
  [
    /^(\d+|connected) wrong (body|json|header)$/,
    "Compare the answer with what is expected of it; the job summary shows its body.",
  ],
  [/^30[12378]$/, "Write the URL that it redirects to, or follow-redirects: true."],
  [/^401$/, "Give the login in basic-auth or bearer-token; a secret that does not exist is blank."],
  [/^403$/, "The server refuses this client: a login, an allow list, or a Host that it does not know (url, resolve)."],
  [/^404$/, "Look at the path of the URL."],
  [/^5\d\d$/, "The app or what is in front of it fails: look at its log of this time."],
  [
    /^[12345]\d\d$/,
    "It answers with another status than expect-status names: look at the URL's path, or name that status there.",
  ],
  [/^ALARM$/, "Look at the alarm in CloudWatch: its graph and history show what crossed its threshold."],
  [/^INSUFFICIENT_DATA$/, "The alarm gets no data: is its metric still sent, with just these dimensions?"],
  [/^deleted$/, "Make the alarm again, or take it out of alarms."],
  [/^does not hold$/, "Look at the metric's graph in CloudWatch, over the window of the rule."],
  [
    /^no data$/,
    "Compare namespace, metric and dimensions with CloudWatch's to the letter, or lengthen the rule's window: data come late.",
  ],
  [/^(stopping|stopped|shutting-down|terminated)$/, "Start the instance, or take it out of instance-ids."],
  [/^impaired$/, "Look at the status checks of the instance in EC2; to stop and start it moves it to another machine."],
  [
    /^(pending|initializing|insufficient-data)$/,
    "AWS does not know yet: lengthen timeout, for status checks take minutes.",
  ],
  [/^not read$/, "Compare the policy of the job's role with that in docs/verify-health.md, and run the job again."],
];
