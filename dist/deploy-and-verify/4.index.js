"use strict";
exports.id = 4;
exports.ids = [4];
exports.modules = {

/***/ 4004:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  alarmSource: () => (/* reexport */ alarmSource),
  closeDoor: () => (/* reexport */ closeDoor),
  findInstances: () => (/* reexport */ findInstances),
  freshKey: () => (/* reexport */ freshKey),
  hostKeys: () => (/* reexport */ hostKeys),
  leastBake: () => (/* reexport */ leastBake),
  openAws: () => (/* reexport */ openAws),
  openDoor: () => (/* reexport */ openDoor),
  openSignals: () => (/* reexport */ openSignals),
  parametersUnder: () => (/* reexport */ parametersUnder),
  registryLogin: () => (/* reexport */ registryLogin),
  runnerAddresses: () => (/* reexport */ runnerAddresses),
  sendKey: () => (/* reexport */ sendKey),
  snapshotAlarms: () => (/* reexport */ snapshotAlarms),
  variablesOfSecrets: () => (/* reexport */ variablesOfSecrets),
  watchAlarms: () => (/* reexport */ watchAlarms)
});

// EXTERNAL MODULE: ./src/health/judgement.ts
var judgement = __webpack_require__(8105);
;// CONCATENATED MODULE: ./src/aws/alarm-verdict.ts

/** Of each alarm: what its state means beside the one that it had before. */
function judgeAlarms(before, now) {
    return (0,judgement/* judged */.g)([...before.values()].map((then) => judge(then, now.get(then.name))));
}
function judge(then, now) {
    const name = `Alarm ${JSON.stringify(then.name)}`;
    if (!now)
        return { status: "inconclusive", says: `${name} was deleted since the deploy began.` };
    if (now.state === "ALARM") {
        if (staysRed(then, now))
            return { status: "healthy", says: `${name} was in ALARM before, and does not count.` };
        return { status: "unhealthy", says: `${name} went into ALARM: ${now.reason}.` };
    }
    if (now.state === "OK")
        return { status: "healthy", says: `${name} is OK.` };
    if (then.state === "INSUFFICIENT_DATA")
        return { status: "healthy", says: `${name} has no data, as before, and says nothing.` };
    return { status: "inconclusive", says: `${name} has no data any more, it was ${then.state} before: ${now.reason}.` };
}
/** A later change of state means that it was something else in between. */
const staysRed = (then, now) => then.state === "ALARM" && (!now.since || !then.since || now.since.getTime() === then.since.getTime());
/** What later looks compare with: an alarm that has left ALARM counts from then on. */
function withoutRecovered(before, now) {
    const recovered = [...before.values()].filter(({ name, state }) => state === "ALARM" && (now.get(name)?.state ?? state) !== "ALARM");
    return new Map([...before, ...recovered.map((alarm) => [alarm.name, { ...alarm, state: "OK" }])]);
}
const LONGEST_BAKE = 30 * 60; // seconds: who waits longer has forgotten what for
const LONGEST_LAG = 60; // seconds from a period's end to its evaluation; alarms of 10 s periods are evaluated in 10 s
/**
 * How long a bake must last so that a fault which begins at the shift shows in the slowest alarm. One that is red
 * already does not count, so nobody waits for it.
 */
function leastBake(snapshot) {
    const alarms = [...snapshot.values()].filter(({ state }) => state !== "ALARM");
    const unknown = alarms.filter(({ pace }) => !pace).map(({ name }) => JSON.stringify(name));
    const paced = alarms.flatMap(({ name, pace }) => (pace ? [{ name, pace, seconds: secondsToAlarm(pace) }] : []));
    const [slowest] = paced.sort((a, b) => b.seconds - a.seconds);
    const blind = unknown.length === 0 ? "" : `How long ${unknown.join(", ")} needs is not known; bake-time alone decides. `;
    if (!slowest)
        return { span: 0, says: blind.trim() };
    const { period, breaches } = slowest.pace;
    const why = `alarm ${JSON.stringify(slowest.name)} needs ${breaches} of its ${period} s periods to speak`;
    if (slowest.seconds > LONGEST_BAKE)
        return {
            span: LONGEST_BAKE * 1000,
            says: `${blind}The bake lasts at least ${LONGEST_BAKE} s, the most that an alarm is waited for; ${why}, ${slowest.seconds} s.`,
        };
    return { span: slowest.seconds * 1000, says: `${blind}The bake lasts at least ${slowest.seconds} s: ${why}.` };
}
/** The period that the shift falls in says little, so one more than must breach; then AWS has to look at it. */
const secondsToAlarm = ({ period, breaches }) => period * (breaches + 1) + Math.min(period, LONGEST_LAG);

// EXTERNAL MODULE: ./src/health/attempt.ts
var attempt = __webpack_require__(7319);
// EXTERNAL MODULE: ./node_modules/@aws-sdk/client-cloudwatch/dist-cjs/index.js
var dist_cjs = __webpack_require__(4085);
// EXTERNAL MODULE: ./src/user-error.ts
var user_error = __webpack_require__(7495);
;// CONCATENATED MODULE: ./src/aws/one-line.ts

const LONGEST = 300;
/** AWS's text in a sentence of ours: on one line, without its full stop, cut. */
function oneLine(text) {
    const line = text
        .replace(/[\s\p{Cc}]+/gu, " ")
        .trim()
        .replace(/\.$/, "");
    return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
/** What AWS or the way there answered instead: "ThrottlingException: Rate exceeded". */
function reasonOf(error) {
    if (error instanceof user_error/* UserError */.y)
        return oneLine(error.message); // it says what went wrong by itself
    return error instanceof Error ? oneLine(`${error.name}: ${error.message}`) : oneLine(String(error));
}

;// CONCATENATED MODULE: ./src/aws/alarms.ts



const alarmSource = (aws) => ({
    client: { send: (...asked) => aws.call("cloudwatch:DescribeAlarms", () => aws.cloudWatch.send(...asked)) },
    region: aws.region,
});
const MOST_NAMES = 100; // of one call (DescribeAlarms, AlarmNames)
const MOST_SHOWN = 5;
/**
 * The state of each alarm that `wanted` names: `web-cpu`, or `web-*` for all whose names begin so; metric and composite
 * ones. Taken before the deploy, so that what is red already is not laid at its door.
 * @throws {UserError} for a name that no alarm has, or a prefix of none
 */
async function snapshotAlarms(source, wanted, signal) {
    const prefixes = wanted.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
    const names = wanted.filter((name) => !name.endsWith("*"));
    if (prefixes.includes(""))
        throw new user_error/* UserError */.y('alarms: "*" means every alarm there is; write a prefix, as in web-*.');
    const found = new Map(await readAlarms(source, names, signal));
    for (const name of names)
        if (!found.has(name))
            throw await missing(source, name, signal);
    for (const prefix of prefixes) {
        const alarms = await describe(source, { AlarmNamePrefix: prefix }, signal);
        if (alarms.length === 0)
            throw await missing(source, `${prefix}*`, signal);
        for (const alarm of alarms)
            found.set(alarm.name, alarm);
    }
    return found;
}
/** The alarms of these names; one that does not exist is left out. */
async function readAlarms(source, names, signal) {
    const found = [];
    for (let from = 0; from < names.length; from += MOST_NAMES)
        found.push(...(await describe(source, { AlarmNames: names.slice(from, from + MOST_NAMES) }, signal)));
    return new Map(found.map((alarm) => [alarm.name, alarm]));
}
/** All pages. Without AlarmTypes AWS leaves composite alarms out. */
async function describe({ client }, which, abortSignal) {
    const alarms = [];
    let page;
    do {
        const input = {
            ...which,
            AlarmTypes: ["MetricAlarm", "CompositeAlarm"],
            MaxRecords: 100,
        };
        if (page?.NextToken)
            input.NextToken = page.NextToken;
        page = await client.send(new dist_cjs/* DescribeAlarmsCommand */.zWD(input), { abortSignal });
        alarms.push(...[...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? [])].map(alarmOf));
    } while (page.NextToken);
    return alarms;
}
function alarmOf(alarm) {
    return {
        name: alarm.AlarmName ?? "",
        state: stateOf(alarm),
        since: alarm.StateTransitionedTimestamp,
        reason: oneLine(alarm.StateReason ?? "AWS gave no reason"),
        pace: paceOf(alarm),
    };
}
/** An OK that AWS could not evaluate is an old one, and says nothing about now. */
function stateOf({ StateValue, EvaluationState }) {
    if (StateValue === "ALARM")
        return "ALARM";
    const evaluated = EvaluationState !== "EVALUATION_ERROR" && EvaluationState !== "EVALUATION_FAILURE";
    return StateValue === "OK" && evaluated ? "OK" : "INSUFFICIENT_DATA";
}
function paceOf({ Period, Metrics, DatapointsToAlarm, EvaluationPeriods }) {
    // metric math has a period in each of its queries
    const periods = [Period, ...(Metrics ?? []).flatMap((query) => [query.Period, query.MetricStat?.Period])];
    const period = Math.max(0, ...periods.filter((seconds) => seconds !== undefined));
    const breaches = DatapointsToAlarm ?? EvaluationPeriods;
    return period > 0 && breaches !== undefined ? { period, breaches } : undefined;
}
/** Names that begin with the same word are shown: what is missing is mostly a slip of the pen. */
async function missing(source, wanted, signal) {
    const [word = ""] = /^[^-_/\s.:*]+/.exec(wanted) ?? [];
    const similar = word === "" ? [] : await describe(source, { AlarmNamePrefix: word }, signal);
    const names = similar.map(({ name }) => JSON.stringify(name));
    const shown = names.slice(0, MOST_SHOWN).join(", ");
    const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : "";
    const what = wanted.endsWith("*") ? "no alarm's name begins with" : "there is no alarm";
    const hint = shown === "" ? "Look at its spelling and at aws-region." : `There are ${shown}${more}.`;
    return new user_error/* UserError */.y(`alarms: ${what} ${JSON.stringify(wanted.replace(/\*$/, ""))} in ${source.region}. ${hint}`);
}

;// CONCATENATED MODULE: ./src/aws/alarm-watch.ts




const INTERVAL = 10_000; // milliseconds; no alarm is evaluated more often
const READ_LIMIT = 10_000;
const MOST_BLINDNESS = 60_000; // failed reads for so long are no hiccup
/**
 * Looks at the alarms until it is `over`, and ends earlier at a new ALARM. A read that fails is made again in the
 * interval, also when it is over: only a minute without an answer is inconclusive. So is missing data at the end.
 * @throws what `signal` was aborted with
 */
async function watchAlarms(source, { before, over }, clock, signal) {
    const names = [...before.keys()];
    let baseline = before;
    let answered = clock.now();
    for (let looks = 0;;) {
        const last = over.aborted;
        const asked = clock.now();
        const now = await look(source, names, signal);
        if ("failure" in now) {
            if (clock.now() - answered >= MOST_BLINDNESS)
                return { ...unreadable(now.failure), looks };
        }
        else {
            answered = asked;
            looks += 1;
            const judgement = judgeAlarms(baseline, now.alarms);
            if (judgement.status === "unhealthy" || last)
                return { ...judgement, looks };
            baseline = withoutRecovered(baseline, now.alarms);
        }
        await pause(Math.max(0, asked + INTERVAL - clock.now()), clock, last ? [signal] : [signal, over]);
        signal.throwIfAborted();
    }
}
const pause = (milliseconds, clock, until) => clock.sleep(milliseconds, AbortSignal.any([...until])).catch(() => { });
async function look(source, names, signal) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(READ_LIMIT)]);
    try {
        return { alarms: await (0,attempt/* unlessAborted */.W)(readAlarms(source, names, limit), limit) };
    }
    catch (error) {
        signal.throwIfAborted();
        return { failure: reasonOf(error) };
    }
}
const unreadable = (failure) => ({
    status: "inconclusive",
    evidence: [`The alarms could not be read for ${MOST_BLINDNESS / 1000} s: ${failure}.`],
});

;// CONCATENATED MODULE: ./src/aws/holders.ts
// The tags of a rule that is ours:
//   hello-devops:run         = URL of the run that made it
//   hello-devops:run:HOLDER  = when that holder counts as dead, or "closing" and when its closing does (ISO 8601)
const OURS = "hello-devops:run";
const OF_HOLDER = `${OURS}:`;
const CLOSING = "closing ";
const isOurs = ({ tags }) => OURS in tags;
const keyOf = ({ name }) => `${OF_HOLDER}${name}`;
/** Tag values may hold no other characters (EC2 User Guide, "Tag restrictions"). */
const madeBy = ({ url }) => ({ [OURS]: url.replace(/[^\w+\-=.:/@ ]/g, " ").slice(0, 256) });
/** @param until milliseconds since 1970, as all times here */
const holding = (holder, until) => ({ [keyOf(holder)]: new Date(until).toISOString() });
const closing = (holder, until) => ({
    [keyOf(holder)]: `${CLOSING}${new Date(until).toISOString()}`,
});
/** Somebody other than `me` needs the rule. */
const isHeld = (rule, now, me) => others(rule, me).some((value) => !value.startsWith(CLOSING) && Date.parse(value) > now);
/** Somebody other than `me` is about to take the rule away, unless it died over it. */
const isClosing = (rule, now, me) => others(rule, me).some((value) => value.startsWith(CLOSING) && Date.parse(value.slice(CLOSING.length)) > now);
const others = ({ tags }, me) => Object.entries(tags).flatMap(([key, value]) => (key.startsWith(OF_HOLDER) && key !== keyOf(me) ? [value] : []));

// EXTERNAL MODULE: ./node_modules/@aws-sdk/client-ec2/dist-cjs/index.js
var client_ec2_dist_cjs = __webpack_require__(5193);
;// CONCATENATED MODULE: ./src/aws/failure.ts

/** A call that AWS did not do, told as a person can act on it. `cause` is what the SDK threw. */
class AwsFailure extends user_error/* UserError */.y {
    action;
    code;
    constructor(
    /** the IAM action: "ec2:DescribeInstances" */
    action, 
    /** AWS's error code, the SDK's error name or the system's code: "ParameterNotFound", "ECONNREFUSED" */
    code, message, options) {
        super(message, options);
        this.action = action;
        this.code = code;
    }
    /** The same, with what the call was for in front. */
    about(subject) {
        return new AwsFailure(this.action, this.code, `${subject}: ${this.message}`, { cause: this.cause });
    }
    get denied() {
        return DENIED.has(this.code);
    }
}
/** The code of a failure that a call may answer with and go on; undefined for what is none. */
const codeOf = (error) => (error instanceof AwsFailure ? error.code : undefined);
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
function awsFailure(action, region, thrown) {
    if (thrown instanceof user_error/* UserError */.y)
        return thrown;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const code = kindOf(error);
    return new AwsFailure(action, code, `${action}: ${meaning({ action, region, error, code })}`, { cause: thrown });
}
function kindOf(error) {
    if (/^Region (is missing|not accepted)/.test(error.message))
        return "NoRegion";
    if (error.$metadata?.httpStatusCode === 407)
        return "ProxyLogin";
    return error.code && UNREACHABLE.has(error.code) ? error.code : error.name;
}
function meaning({ action, region, error, code }) {
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
function wordsOf(error) {
    const words = error.message || error.errors?.map(({ message }) => message).join("; ") || error.name;
    const plain = words.replace(/\s*Encoded authorization failure message: \S+/, "").replace(/\s+/g, " ");
    return plain.trim().slice(0, 600);
}

;// CONCATENATED MODULE: ./src/aws/security-group.ts



const GONE = new Set(["InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound"]);
/** The TCP ingress rules of one security group. What is already gone counts as taken away. */
class SecurityGroup {
    aws;
    id;
    constructor(aws, id) {
        this.aws = aws;
        this.id = id;
    }
    /** @throws {UserError} */
    rules() {
        const what = { Filters: [{ Name: "group-id", Values: [this.id] }] };
        return this.#call("ec2:DescribeSecurityGroupRules", async () => {
            const found = [];
            const paging = { client: this.aws.ec2, stopOnSameToken: true };
            for await (const page of (0,client_ec2_dist_cjs/* paginateDescribeSecurityGroupRules */.Dl4)(paging, what)) {
                found.push(...(page.SecurityGroupRules ?? []));
            }
            return found.filter((rule) => !rule.IsEgress && rule.IpProtocol === "tcp").map(ingressRule);
        });
    }
    /** The new rule's id; undefined when there is such a rule: for AWS a rule *is* its ports and its source. @throws {UserError} */
    async authorize({ port, cidr, description, tags }) {
        const command = new client_ec2_dist_cjs/* AuthorizeSecurityGroupIngressCommand */.N8i({
            GroupId: this.id,
            IpPermissions: [{ IpProtocol: "tcp", FromPort: port, ToPort: port, ...source(cidr, description) }],
            TagSpecifications: [{ ResourceType: "security-group-rule", Tags: listed(tags) }],
        });
        try {
            const answer = await this.#call("ec2:AuthorizeSecurityGroupIngress", () => this.aws.ec2.send(command));
            const id = answer.SecurityGroupRules?.[0]?.SecurityGroupRuleId;
            if (id)
                return id;
        }
        catch (failure) {
            if (codeOf(failure) === "InvalidPermission.Duplicate")
                return undefined;
            throw failure;
        }
        throw new user_error/* UserError */.y(`ssh-security-group: AWS opened port ${port} in ${this.id} for ${cidr} and did not name the rule.`);
    }
    async tag(ruleId, tags) {
        const command = new client_ec2_dist_cjs/* CreateTagsCommand */.RmG({ Resources: [ruleId], Tags: listed(tags) });
        await this.#call("ec2:CreateTags", () => this.aws.ec2.send(command)).catch(unlessGone);
    }
    async untag(ruleId, key) {
        const command = new client_ec2_dist_cjs/* DeleteTagsCommand */.MVD({ Resources: [ruleId], Tags: [{ Key: key }] });
        await this.#call("ec2:DeleteTags", () => this.aws.ec2.send(command)).catch(unlessGone);
    }
    async revoke(ruleId) {
        const command = new client_ec2_dist_cjs/* RevokeSecurityGroupIngressCommand */.eo3({ GroupId: this.id, SecurityGroupRuleIds: [ruleId] });
        await this.#call("ec2:RevokeSecurityGroupIngress", () => this.aws.ec2.send(command)).catch(unlessGone);
    }
    #call(action, send) {
        return this.aws.call(action, send).catch((failure) => {
            throw this.#mistake(failure) ?? failure;
        });
    }
    #mistake(cause) {
        const code = codeOf(cause) ?? "";
        if (/^InvalidGroup(Id)?\.|^InvalidSecurityGroupID\./.test(code)) {
            return new user_error/* UserError */.y(`ssh-security-group: AWS knows no security group "${this.id}" in the region ${this.aws.region} (${code}). Check the id (sg-...), aws-region, and which account the credentials are for.`, { cause });
        }
        if (code !== "RulesPerSecurityGroupLimitExceeded")
            return undefined;
        return new user_error/* UserError */.y(`ssh-security-group: ${this.id} has as many rules as AWS allows. Take some out, or give the deploys a security group of their own.`, { cause });
    }
}
function unlessGone(failure) {
    if (!GONE.has(codeOf(failure) ?? ""))
        throw failure;
}
const listed = (tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
function source(cidr, Description) {
    return cidr.includes(":")
        ? { Ipv6Ranges: [{ CidrIpv6: cidr, Description }] }
        : { IpRanges: [{ CidrIp: cidr, Description }] };
}
function ingressRule(rule) {
    return {
        id: rule.SecurityGroupRuleId ?? "",
        fromPort: rule.FromPort ?? -1,
        toPort: rule.ToPort ?? -1,
        cidr: rule.CidrIpv4 ?? rule.CidrIpv6 ?? "",
        tags: Object.fromEntries((rule.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value])),
    };
}

;// CONCATENATED MODULE: ./src/aws/door.ts



const LIFETIME = 6 * 60 * 60_000;
const CLOSING_LIMIT = 120_000; // a closer that takes longer is dead: its three calls may be sent again, being throttled
const PAUSE = 2_000;
const ROUNDS = 75; // 150 s: so a dead closer is outwaited
const LOOK_AGAIN = [1_000, 2_000, 4_000];
/**
 * Lets the runner in: one rule for each of its addresses, tagged with who holds it and until when. Rules that dead runs
 * left in this group go first.
 *
 * For AWS a rule is its ports and its source, so two jobs with one address share a rule: each has a tag of its own on it,
 * and the last to go takes it away. Whoever closes marks that before it looks for others, and whoever joins looks for
 * such a mark after its own tag is there: so one of the two always sees the other. (AWS promises no order between calls
 * of two clients; what is left of the race is its delay.)
 *
 * @throws {UserError} after closing what was opened; what AWS kept it from closing, `closeDoor` finds by the holder's tag
 */
async function openDoor(aws, options) {
    const { groupId, cidrs, holder, clock } = options;
    const group = new SecurityGroup(aws, groupId);
    const warnings = await sweep(group, options);
    const opened = await Promise.allSettled(cidrs.map((cidr) => letIn(group, cidr, options)));
    const ruleIds = opened.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
    const close = () => closeDoor(aws, { groupId, ruleIds, holder, clock });
    const failed = opened.find((one) => one.status === "rejected");
    if (!failed)
        return { ruleIds, warnings, close };
    await close();
    throw failed.reason;
}
/** Closes what `holder` holds in the group. @returns warnings: what is still open, and what to do */
async function closeDoor(aws, { groupId, ruleIds, holder, clock }) {
    const group = new SecurityGroup(aws, groupId);
    const stillOpen = (which) => (cause) => [
        `ssh-security-group: ${which} in ${groupId} could not be closed: ${cause.message} The next deploy sweeps it once it has expired; to close it now, revoke what is tagged ${keyOf(holder)}.`,
    ];
    try {
        const { rules, mine } = await seen(group, ruleIds, holder, clock);
        const unseen = (ruleIds ?? []).filter((id) => !rules.some((rule) => rule.id === id)); // gone
        const ids = [...mine, ...unseen];
        const warnings = await Promise.all(ids.map((id) => letGo(group, id, holder, clock).then(() => [], stillOpen(id))));
        return warnings.flat();
    }
    catch (cause) {
        return stillOpen("what this job opened")(cause);
    }
}
/** What was made a moment ago may not be listed yet (EC2 developer guide, "Eventual consistency"): then it is looked for again. */
async function seen(group, ruleIds, holder, clock) {
    for (const pause of [...LOOK_AGAIN, 0]) {
        const rules = await group.rules();
        const mine = rules.filter((rule) => isOurs(rule) && keyOf(holder) in rule.tags).map(({ id }) => id);
        const whole = ruleIds ? ruleIds.every((id) => mine.includes(id)) : mine.length > 0;
        if (whole || pause === 0)
            return { rules, mine };
        await clock.sleep(pause);
    }
    throw new Error("the last look has no pause behind it");
}
/** @returns the id of the rule that lets `cidr` in and is held now; undefined = a person's rule does, and stays theirs. */
async function letIn(group, cidr, options) {
    const { port, holder, clock, lifetime = LIFETIME } = options;
    const description = `hello-devops: SSH from the runner of ${holder.url}`.replace(/[^\w .:/()#,@[\]+=&;{}!$*-]/g, " ");
    for (let round = 0; round < ROUNDS; round++) {
        const mark = holding(holder, clock.now() + lifetime);
        const rule = { port, cidr, description: description.slice(0, 255), tags: { ...madeBy(holder), ...mark } };
        const made = await group.authorize(rule);
        if (made)
            return made;
        const there = (await group.rules()).find((one) => opens(one, port, cidr));
        if (there && !isOurs(there))
            return undefined;
        if (there) {
            await group.tag(there.id, mark);
            const joined = await find(group, there.id);
            if (joined && !isClosing(joined, clock.now(), holder))
                return joined.id;
        }
        await clock.sleep(PAUSE); // it is being closed, or was between two calls
    }
    throw new user_error/* UserError */.y(`ssh-security-group: port ${port} for ${cidr} in ${group.id} is neither open nor can it be opened: its rule is being closed again and again by other jobs. Run this job again.`);
}
/** Takes the holder's tag off, and the rule away when nobody else needs it. */
async function letGo(group, ruleId, holder, clock) {
    await group.tag(ruleId, closing(holder, clock.now() + CLOSING_LIMIT));
    const rule = await find(group, ruleId);
    if (rule && isHeld(rule, clock.now(), holder))
        await group.untag(ruleId, keyOf(holder));
    else
        await group.revoke(ruleId);
}
/** @returns warnings: a dead run's rule that stays does not keep this run from its work. */
async function sweep(group, { holder, clock }) {
    const rules = await group.rules();
    const held = (rule) => keyOf(holder) in rule.tags || isHeld(rule, clock.now(), holder);
    const dead = rules.filter((rule) => isOurs(rule) && !held(rule));
    const warning = ({ id }) => (cause) => [
        `ssh-security-group: the rule ${id} of a run that is over could not be taken out of ${group.id}: ${cause.message}`,
    ];
    const swept = await Promise.all(dead.map((rule) => letGo(group, rule.id, holder, clock).then(() => [], warning(rule))));
    return swept.flat();
}
const find = async (group, id) => (await group.rules()).find((rule) => rule.id === id);
const opens = (rule, port, cidr) => rule.fromPort === port && rule.toPort === port && rule.cidr === cidr;

// EXTERNAL MODULE: ./node_modules/@aws-sdk/client-secrets-manager/dist-cjs/index.js
var client_secrets_manager_dist_cjs = __webpack_require__(2994);
// EXTERNAL MODULE: ./node_modules/@aws-sdk/client-ssm/dist-cjs/index.js
var client_ssm_dist_cjs = __webpack_require__(4736);
;// CONCATENATED MODULE: ./src/aws/environment.ts




const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/; // POSIX, 8.1; what every shell can read
/**
 * The parameters right below a path of SSM Parameter Store, decrypted: `/shop/prod/DATABASE_URL` under `/shop/prod` is
 * DATABASE_URL.
 *
 * @param path without a slash at its end
 * @throws {UserError} when there are none, and for a name that is no variable's
 */
async function parametersUnder(aws, path) {
    const found = await allUnder(aws, path);
    if (found.length > 0)
        return Object.fromEntries(found.map((parameter) => variableOf(path, parameter)));
    throw new user_error/* UserError */.y(`env-ssm-path: there is no parameter under ${path} in the region ${aws.region}. Check the path, aws-region, and which account the credentials are for.`);
}
/** Recursive, so that a name which is too deep is told and not left out in silence. */
const allUnder = (aws, path) => aws
    .call("ssm:GetParametersByPath", async () => {
    const found = [];
    const asked = { Path: path, Recursive: true, WithDecryption: true };
    for await (const page of (0,client_ssm_dist_cjs/* paginateGetParametersByPath */.kU5)({ client: aws.ssm, stopOnSameToken: true }, asked))
        found.push(...(page.Parameters ?? []));
    return found;
})
    .catch((failure) => {
    throw about(`env-ssm-path: ${path}`, failure);
});
function variableOf(path, { Name = "", Value = "" }) {
    const name = Name.slice(path.length + 1);
    if (name.includes("/"))
        throw new user_error/* UserError */.y(`env-ssm-path: ${Name} is more than one level below ${path}. Move it, or give the path that it is right below.`);
    return checked(`env-ssm-path: ${Name}`, name, Value);
}
/**
 * The keys of secrets that hold a JSON object of texts, numbers and booleans, as Secrets Manager's console writes it. Of
 * a key that several have, the last secret's value counts.
 *
 * @param ids names or ARNs
 * @throws {UserError} when one is not there or holds anything else
 */
async function variablesOfSecrets(aws, ids) {
    return Object.fromEntries((await Promise.all(ids.map((id) => variablesOf(aws, id)))).flat());
}
async function variablesOf(aws, id) {
    const answer = await aws
        .call("secretsmanager:GetSecretValue", () => aws.secretsManager.send(new client_secrets_manager_dist_cjs/* GetSecretValueCommand */.d2({ SecretId: id })))
        .catch((failure) => {
        throw secretFailure(aws, id, failure);
    });
    const entries = Object.entries(objectIn(id, answer.SecretString));
    return entries.map(([key, value]) => checked(of(id), key, scalarText(id, key, value)));
}
const of = (id) => `env-secrets-manager: ${id}`;
function secretFailure(aws, id, failure) {
    if (!(failure instanceof AwsFailure) || failure.code !== "ResourceNotFoundException")
        return about(of(id), failure);
    return new user_error/* UserError */.y(`${of(id)}: there is no such secret in the region ${aws.region}, or it has no value. Check its name, aws-region, and which account the credentials are for.`, { cause: failure });
}
/** The errors of JSON.parse quote the text: they are not passed on. */
function objectIn(id, text) {
    if (text === undefined)
        throw new user_error/* UserError */.y(`${of(id)}: it is binary. ${WANTED}`);
    const value = jsonOf(text);
    if (typeof value !== "object" || value === null || Array.isArray(value))
        throw new user_error/* UserError */.y(`${of(id)}: it is no JSON object. ${WANTED}`);
    if (Object.keys(value).length === 0)
        throw new user_error/* UserError */.y(`${of(id)}: it has no key. ${WANTED}`);
    return value;
}
const WANTED = 'Store key/value pairs: a JSON object such as {"DATABASE_URL": "..."}.';
function jsonOf(text) {
    try {
        return JSON.parse(text);
    }
    catch {
        return undefined;
    }
}
function scalarText(id, key, value) {
    const inexact = Number.isInteger(value) && !Number.isSafeInteger(value); // it would arrive as another number
    if (/^(string|number|boolean)$/.test(typeof value) && !inexact)
        return String(value);
    const what = inexact ? "a number of more digits than a number holds" : "no text, number or boolean";
    throw new user_error/* UserError */.y(`${of(id)}: the value of ${JSON.stringify(key)} is ${what}. Write it as a text, in quotes.`);
}
function checked(from, name, value) {
    if (!VARIABLE.test(name))
        throw new user_error/* UserError */.y(`${from}: ${JSON.stringify(name)} can't be the name of a variable: letters, digits and underscores, and no digit first. Rename it.`);
    if (value.includes("\0"))
        throw new user_error/* UserError */.y(`${from}: the value of ${name} holds a NUL character, which no environment can.`);
    return [name, value];
}
const about = (subject, failure) => failure instanceof AwsFailure ? failure.about(subject) : failure;

;// CONCATENATED MODULE: ./src/aws/host-keys.ts




const MOST_KEYS = 20;
const KEY = /(?:^|\s)(ssh-(?:ed25519|rsa|dss)|ecdsa-sha2-nistp(?:256|384|521))[ \t]+([A-Za-z0-9+/]+={0,2})(?=\s|$)/;
// cc_keys_to_console of cloud-init writes it; only the first is the boot's own, whoever writes to the console later.
const CONSOLE_BLOCK = /-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----/s;
/** The SSM parameter that an instance writes its own keys to. */
const parameterOf = (instanceId) => `/hello-devops/host-keys/${instanceId}`;
/**
 * The SSH host keys of an instance as AWS vouches for them: from its SSM parameter, else from its console output. Never
 * from the network.
 *
 * @throws {UserError} when neither has any, with the ways out; when the parameter holds anything but keys
 */
async function hostKeys(aws, instanceId) {
    const refused = [];
    const unlessRefused = (failure) => {
        if (!(failure instanceof AwsFailure && failure.denied))
            throw failure;
        refused.push(failure);
    };
    const text = await parameter(aws, instanceId).catch(unlessRefused);
    if (text !== undefined) {
        const source = `the SSM parameter ${parameterOf(instanceId)}`;
        return { keys: keysOfParameter(text, source), source };
    }
    const keys = await keysOfConsole(aws, instanceId).catch(unlessRefused);
    if (keys && keys.length > 0)
        return { keys, source: `the console output of ${instanceId}` };
    throw noKeys(instanceId, refused);
}
async function parameter(aws, instanceId) {
    const asked = { Name: parameterOf(instanceId) };
    try {
        const answer = await aws.call("ssm:GetParameter", () => aws.ssm.send(new client_ssm_dist_cjs/* GetParameterCommand */.lhy(asked)));
        return answer.Parameter?.Value ?? "";
    }
    catch (failure) {
        if (codeOf(failure) === "ParameterNotFound")
            return undefined;
        throw failure;
    }
}
/** @throws {UserError} Something that is there and wrong may be an attack: it is never passed over. */
function keysOfParameter(text, source) {
    const lines = text.split(/\r?\n/).map((line) => line.trim());
    const told = lines.filter((line) => line !== "" && !line.startsWith("#"));
    const keys = told.flatMap((line) => (line.search(KEY) === 0 ? keyIn(line) : []));
    if (told.length > 0 && told.length <= MOST_KEYS && keys.length === told.length)
        return keys;
    const wrong = told.length === 0 ? "it is empty" : `${told.length - keys.length} of its ${told.length} lines are none`;
    const why = told.length > MOST_KEYS ? `it has ${told.length} lines, more than ${MOST_KEYS}` : wrong;
    throw new user_error/* UserError */.y(`${source} does not hold SSH host keys, one "type base64" a line: ${why}. Have the instance write it again from /etc/ssh/ssh_host_*_key.pub, as a String, and look who else may write there.`);
}
/** A line's key when its base64 holds what its type says: the blob begins with its own type (RFC 4253, 6.6). */
function keyIn(line) {
    const [, type = "", base64 = ""] = KEY.exec(line) ?? [];
    const blob = Buffer.from(base64, "base64");
    if (blob.length < type.length + 4 + 32 || blob.readUInt32BE(0) !== type.length)
        return []; // 32: the shortest key's length
    return blob.toString("latin1", 4, 4 + type.length) === type ? [`${type} ${base64}`] : [];
}
/**
 * The last 64 KB as they are now, which Nitro instances alone give; then those that AWS kept from after the boot, where
 * the block may still stand that later lines have pushed out.
 */
async function keysOfConsole(aws, instanceId) {
    const latest = keysOfBlock(await consoleText(aws, { InstanceId: instanceId, Latest: true }));
    return latest.length > 0 ? latest : keysOfBlock(await consoleText(aws, { InstanceId: instanceId }));
}
async function consoleText(aws, asked) {
    try {
        const answer = await aws.call("ec2:GetConsoleOutput", () => aws.ec2.send(new client_ec2_dist_cjs/* GetConsoleOutputCommand */.Olx(asked)));
        return Buffer.from(answer.Output ?? "", "base64").toString("utf8");
    }
    catch (failure) {
        if (asked.Latest && codeOf(failure) === "UnsupportedOperation")
            return "";
        throw failure;
    }
}
/** Lines may have the kernel's time or a daemon's name in front, and other lines between them. */
function keysOfBlock(text) {
    const block = CONSOLE_BLOCK.exec(text)?.[1] ?? "";
    return block.split(/\r?\n/).slice(0, MOST_KEYS).flatMap(keyIn);
}
function noKeys(instanceId, refused) {
    const missing = refused.map(({ message }) => ` ${message}`).join("");
    return new user_error/* UserError */.y([
        `ssh-known-hosts: there is no host key for ${instanceId}: neither in the SSM parameter ${parameterOf(instanceId)} nor in its console output.${missing} Ways out:`,
        `- set ssh-known-hosts to the key's fingerprint, which "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" on the instance prints (SHA256:...);`,
        `- have the instance write /etc/ssh/ssh_host_*_key.pub to that parameter when it boots;`,
        "- after a first boot, try again in a few minutes: the console output is not there at once.",
    ].join("\n"), { cause: refused[0] });
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(7598);
// EXTERNAL MODULE: ./node_modules/@aws-sdk/client-ec2-instance-connect/dist-cjs/index.js
var client_ec2_instance_connect_dist_cjs = __webpack_require__(9254);
;// CONCATENATED MODULE: ./src/aws/instance-connect.ts




const KEY_TYPE = "ssh-ed25519";
const COMMENT = "hello-devops";
/**
 * Written here as OpenSSH's PROTOCOL.key has it, unencrypted: ssh2's own generator drops a leading zero byte, so that one
 * key in 256 can't be read back.
 */
function freshKey() {
    const { d = "", x = "" } = (0,external_node_crypto_.generateKeyPairSync)("ed25519").privateKey.export({ format: "jwk" });
    const [seed, point] = [d, x].map((half) => Buffer.from(half, "base64url"));
    const publicBlob = Buffer.concat([sshString(KEY_TYPE), sshString(point)]);
    const check = (0,external_node_crypto_.randomBytes)(4); // twice: a wrong passphrase would show
    const half = [check, check, publicBlob, sshString(Buffer.concat([seed, point])), sshString(COMMENT)];
    const head = [Buffer.from("openssh-key-v1\0"), sshString("none"), sshString("none"), sshString(""), uint32(1)];
    const key = Buffer.concat([...head, sshString(publicBlob), sshString(padded(Buffer.concat(half)))]).toString("base64");
    return {
        privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${key.replace(/.{70}/g, "$&\n").trim()}\n-----END OPENSSH PRIVATE KEY-----\n`,
        publicKey: `${KEY_TYPE} ${publicBlob.toString("base64")} ${COMMENT}`,
    };
}
function uint32(value) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
}
/** RFC 4251, 5. */
function sshString(value) {
    const bytes = Buffer.from(value);
    return Buffer.concat([uint32(bytes.length), bytes]);
}
/** To a whole number of 8 bytes, by 1, 2, 3, ... */
const padded = (bytes) => Buffer.concat([bytes, Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, -bytes.length & 7)]);
/**
 * EC2 Instance Connect lets the key in for 60 seconds: it is sent again before each connection.
 *
 * @throws {UserError}
 */
async function sendKey(aws, { instanceId, zone, user, publicKey }) {
    const command = new client_ec2_instance_connect_dist_cjs/* SendSSHPublicKeyCommand */.iV({
        InstanceId: instanceId,
        AvailabilityZone: zone,
        InstanceOSUser: user,
        SSHPublicKey: publicKey,
    });
    const answer = await aws
        .call("ec2-instance-connect:SendSSHPublicKey", () => aws.instanceConnect.send(command))
        .catch((failure) => {
        throw withAdvice(failure, instanceId, user);
    });
    if (answer.Success)
        return;
    throw new user_error/* UserError */.y(`ssh-key: EC2 Instance Connect did not hand the key to ${instanceId} and gives no reason (request ${answer.RequestId}). Try again, or set ssh-key.`);
}
/** What to do about the errors that SendSSHPublicKey has of its own (its API reference, "Errors"). */
function withAdvice(failure, instanceId, user) {
    if (!(failure instanceof AwsFailure))
        return failure;
    const advice = {
        EC2InstanceNotFoundException: `Check that ${instanceId} is in this region and that the credentials are for its account.`,
        EC2InstanceStateInvalidException: `The instance ${instanceId} must be running: start it, then run this job again.`,
        EC2InstanceUnavailableException: `The instance ${instanceId} can't take a key now: try again in a few minutes.`,
        AuthException: `The job's role needs ec2-instance-connect:SendSSHPublicKey on ${instanceId} for the user ${user} (ec2:osuser): compare its policy with docs/access.md.`,
        AccessDeniedException: `Look at its condition ec2:osuser, too: this job logs in as ${user} (ssh-user).`,
        InvalidArgsException: `Check ssh-user: ${user}.`,
        ThrottlingException: "Deploy to fewer hosts at once, or set ssh-key.",
    };
    const words = advice[failure.code] ?? "";
    const message = `ssh-key is blank, so EC2 Instance Connect was asked to let a key in. ${failure.message} ${words}`;
    return new AwsFailure(failure.action, failure.code, message.trim(), { cause: failure.cause });
}

;// CONCATENATED MODULE: ./src/aws/instances.ts



/**
 * The running instances that were named, ordered by id.
 *
 * @throws {UserError} when a named one isn't running, when filters find none that runs, or when one has no such address
 */
async function findInstances(aws, { input, by, address }) {
    const found = "ids" in by ? await named(aws, by.ids, input) : await matching(aws, by.filters, input);
    const ordered = found.toSorted((a, b) => idOf(a).localeCompare(idOf(b), "en"));
    return ordered.map((instance) => host(instance, address));
}
async function named(aws, wanted, input) {
    const ids = [...new Set(wanted)];
    const found = await instances_describe(aws, { InstanceIds: ids }).catch((failure) => {
        if (!codeOf(failure)?.startsWith("InvalidInstanceID."))
            throw failure;
        throw new user_error/* UserError */.y(`${input}: AWS knows no such instance in the region ${aws.region} (${ids.join(", ")}): ${failure.cause.message} Check the id, aws-region, and which account the credentials are for.`, { cause: failure });
    });
    const wrong = ids.flatMap((id) => {
        const state = instances_stateOf(found.find((instance) => instance.InstanceId === id));
        return state === "running" ? [] : [`${id} is ${state}`];
    });
    if (wrong.length > 0) {
        throw new user_error/* UserError */.y(`${input}: only running instances can be reached, and ${wrong.join(", ")} in the region ${aws.region}. Start it, or take it out of ${input}.`);
    }
    return found;
}
async function matching(aws, filters, input) {
    const found = await instances_describe(aws, {
        Filters: filters.map(({ name, values }) => ({ Name: name, Values: [...values] })),
    });
    const running = found.filter((instance) => instances_stateOf(instance) === "running");
    if (running.length > 0)
        return running;
    const asked = filters.map(({ name, values }) => `${name}=${values.join(",")}`).join(" ");
    throw new user_error/* UserError */.y(`${input}: no running instance in the region ${aws.region} matches ${asked} (${otherStates(found)}). Check the filter, aws-region, and which account the credentials are for.`);
}
function otherStates(found) {
    const states = found.map(instances_stateOf);
    const counts = [...new Set(states)].map((state) => `${states.filter((other) => other === state).length} ${state}`);
    return counts.join(", ") || "none in any other state";
}
const instances_describe = (aws, what) => aws.call("ec2:DescribeInstances", async () => {
    const found = [];
    for await (const page of (0,client_ec2_dist_cjs/* paginateDescribeInstances */.H0T)({ client: aws.ec2, stopOnSameToken: true }, what)) {
        for (const reservation of page.Reservations ?? [])
            found.push(...(reservation.Instances ?? []));
    }
    return found;
});
const idOf = ({ InstanceId = "" }) => InstanceId;
const instances_stateOf = (instance) => instance?.State?.Name ?? "not found";
function host(instance, address) {
    const { PrivateIpAddress: privateIp = "", PublicIpAddress: publicIp = "" } = instance;
    const reached = address === "public" ? publicIp : privateIp;
    if (reached === "") {
        const wayOut = address === "public"
            ? "Give it one, or set address: private where the runner is in the same network."
            : "It is being started or stopped; try again.";
        throw new user_error/* UserError */.y(`address: the instance ${idOf(instance)} has no ${address} IPv4 address. ${wayOut}`);
    }
    const name = instance.Tags?.find(({ Key }) => Key === "Name")?.Value ?? "";
    return { id: idOf(instance), name, zone: instance.Placement?.AvailabilityZone ?? "", address: reached, privateIp };
}

// EXTERNAL MODULE: ./node_modules/@aws-sdk/client-ecr/dist-cjs/index.js
var client_ecr_dist_cjs = __webpack_require__(8249);
;// CONCATENATED MODULE: ./src/aws/registry-login.ts



const SUBJECT = "image: with registry-username blank, the login to ECR comes from the job's AWS credentials";
/**
 * The login to the private ECR registries of a region (GetAuthorizationToken: base64 of `AWS:password`).
 *
 * @throws {UserError}
 */
async function registryLogin(aws) {
    const answer = await aws
        .call("ecr:GetAuthorizationToken", () => aws.ecr.send(new client_ecr_dist_cjs/* GetAuthorizationTokenCommand */.Eu6({})))
        .catch((failure) => {
        throw failure instanceof AwsFailure ? failure.about(SUBJECT) : failure;
    });
    const token = answer.authorizationData?.[0]?.authorizationToken ?? "";
    const [, username = "", password = ""] = /^([^:]+):(.+)$/s.exec(Buffer.from(token, "base64").toString("utf8")) ?? [];
    if (password !== "")
        return { username, password };
    throw new user_error/* UserError */.y(`${SUBJECT}, but what ECR in ${aws.region} gave is no login. Try again, or give both.`);
}

// EXTERNAL MODULE: external "node:https"
var external_node_https_ = __webpack_require__(4708);
// EXTERNAL MODULE: external "node:net"
var external_node_net_ = __webpack_require__(7030);
;// CONCATENATED MODULE: ./src/aws/runner-address.ts



// Run by two companies that share nothing (Amazon; Cloudflare), so one outage or one lie is not both. Each answers with
// the bare address and asks for no account.
const SERVICES = ["https://checkip.amazonaws.com/", "https://icanhazip.com/"];
/**
 * The public addresses that this runner's SSH connections come from. Answers that differ are all right: behind a NAT
 * with several addresses, or with IPv4 and IPv6, each may be the next connection's.
 *
 * @param limit milliseconds that each service has
 * @throws {UserError} when no service gives an address
 */
async function runnerAddresses(ask = askStraight, limit = 5_000) {
    const answers = await Promise.allSettled(SERVICES.map((service) => address(ask, new URL(service), limit)));
    const cidrs = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    const failures = answers.flatMap((answer) => (answer.status === "rejected" ? [String(answer.reason.message)] : []));
    if (cidrs.length > 0)
        return { cidrs: [...new Set(cidrs)], warnings: failures };
    throw new user_error/* UserError */.y(`ssh-security-group: this runner's own public address can't be found: ${failures.join("; ")}. They are asked without a proxy, because SSH takes none. Leave ssh-security-group blank and let the runner's network in yourself, or use a runner inside the VPC with address: private.`);
}
async function address(ask, url, milliseconds) {
    const limit = AbortSignal.timeout(milliseconds);
    const late = new Promise((_, reject) => limit.addEventListener("abort", () => reject(limit.reason)));
    const text = await Promise.race([ask(url, limit), late]).catch((cause) => {
        const why = limit.aborted ? `no answer in ${milliseconds / 1000} s` : cause.message || cause.code;
        throw new Error(`${url.hostname}: ${why}`, { cause });
    });
    const said = text.trim();
    const family = said.includes("%") ? 0 : (0,external_node_net_.isIP)(said); // % begins a zone, which no public address has
    if (family === 4)
        return `${said}/32`;
    if (family === 6)
        return `${new URL(`http://[${said}]/`).hostname.slice(1, -1)}/128`; // spelled as AWS does: RFC 5952
    throw new Error(`${url.hostname}: its answer is no address: ${JSON.stringify(said.slice(0, 60))}`);
}
/**
 * Past HTTPS_PROXY: a proxy's answer would be the proxy's address, and SSH does not come from there. An agent of its own,
 * because newer versions of Node give the global one a proxy.
 */
function askStraight(url, signal) {
    return new Promise((resolve, reject) => {
        const request = (0,external_node_https_.get)(url, { signal, agent: new external_node_https_.Agent() }, (response) => {
            let body = "";
            response.setEncoding("utf8");
            response.on("data", (chunk) => {
                body = `${body}${chunk}`.slice(0, 1000);
            });
            response.on("error", reject);
            response.on("end", () => {
                if (response.statusCode === 200)
                    resolve(body);
                else
                    reject(new Error(`it answers with status ${response.statusCode}`));
            });
        });
        request.on("error", reject);
    });
}

// EXTERNAL MODULE: ./node_modules/@smithy/node-http-handler/dist-cjs/index.js
var node_http_handler_dist_cjs = __webpack_require__(1279);
;// CONCATENATED MODULE: ./src/aws/proxied-handler.ts

const LIMITS = { connectionTimeout: 5_000, requestTimeout: 20_000 };
/**
 * The SDK's HTTP handler with the runner's proxy, which the SDK does not look for itself. Each request chooses, because
 * NO_PROXY may name one service's endpoint (in a VPC) and not another's.
 */
class ProxiedHandler {
    proxyOf;
    limits;
    metadata = { handlerProtocol: "http/1.1" };
    #handlers = new Map();
    constructor(proxyOf, limits = LIMITS) {
        this.proxyOf = proxyOf;
        this.limits = limits;
    }
    async handle(...[request, options]) {
        const { protocol, hostname, port } = request;
        const proxy = this.proxyOf(new URL(`${protocol}//${hostname}${port ? `:${port}` : ""}/`));
        const handler = await this.#through(proxy);
        return handler.handle(request, options);
    }
    #through(proxy) {
        const key = proxy?.href ?? "";
        const handler = this.#handlers.get(key) ?? handlerFor(proxy, this.limits);
        this.#handlers.set(key, handler);
        return handler;
    }
    destroy() {
        for (const handler of this.#handlers.values())
            handler.then((made) => made.destroy());
        this.#handlers.clear();
    }
    // The SDK sets its defaults by these two; all that matters here is set above.
    updateHttpClientConfig() { }
    httpHandlerConfigs() {
        return {};
    }
}
async function handlerFor(proxy, limits) {
    const options = { ...limits, throwOnRequestTimeout: true }; // else it only warns
    if (!proxy)
        return new node_http_handler_dist_cjs.NodeHttpHandler(options);
    const { HttpsProxyAgent } = await __webpack_require__.e(/* import() */ 659).then(__webpack_require__.bind(__webpack_require__, 7659)); // only where there is a proxy
    const agent = new HttpsProxyAgent(proxy, { keepAlive: true });
    return new node_http_handler_dist_cjs.NodeHttpHandler({ ...options, httpAgent: agent, httpsAgent: agent });
}

;// CONCATENATED MODULE: ./src/aws/session.ts








/** AWS in one region, with the credentials that the SDK finds. A client is made when it is first asked for. */
class Aws {
    region;
    common;
    debug;
    #clients = new Map();
    constructor(region, common, debug) {
        this.region = region;
        this.common = common;
        this.debug = debug;
    }
    get ec2() {
        return this.#client(client_ec2_dist_cjs/* EC2Client */.gu5);
    }
    get ssm() {
        return this.#client(client_ssm_dist_cjs/* SSMClient */.jBj);
    }
    get instanceConnect() {
        return this.#client(client_ec2_instance_connect_dist_cjs/* EC2InstanceConnectClient */.VJ);
    }
    get ecr() {
        return this.#client(client_ecr_dist_cjs/* ECRClient */.S70);
    }
    get secretsManager() {
        return this.#client(client_secrets_manager_dist_cjs/* SecretsManagerClient */._H);
    }
    get cloudWatch() {
        return this.#client(dist_cjs/* CloudWatchClient */.WBn);
    }
    /**
     * Every call to AWS goes through here: its failure gets a sentence for a person.
     *
     * @param action the IAM action that it needs, "ec2:DescribeInstances"
     * @throws {AwsFailure}
     */
    async call(action, send) {
        const startedAt = performance.now();
        let outcome = "done";
        try {
            return await send();
        }
        catch (cause) {
            outcome = cause?.name;
            throw awsFailure(action, this.region, cause);
        }
        finally {
            this.debug(`${action} in ${this.region}: ${outcome}, ${Math.round(performance.now() - startedAt)} ms`);
        }
    }
    close() {
        this.common.requestHandler.destroy();
    }
    #client(Kind) {
        const client = this.#clients.get(Kind) ?? new Kind({ ...this.common, region: this.region });
        this.#clients.set(Kind, client);
        return client;
    }
}
/**
 * Finds the region; credentials are looked for at the first call. `AWS_ENDPOINT_URL` and its like are the SDK's own.
 *
 * @throws {UserError} when there is no region
 */
async function openAws({ region, proxyOf, debug = () => { } }) {
    const common = { retryMode: "standard", maxAttempts: 5, requestHandler: new ProxiedHandler(proxyOf) };
    // The SDK for JavaScript knows AWS_REGION and the shared files; the command line takes AWS_DEFAULT_REGION, too.
    const named = region || process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION;
    try {
        const found = new client_ec2_dist_cjs/* EC2Client */.gu5({ ...common, ...(named ? { region: named } : {}) });
        return new Aws(await found.config.region(), common, debug);
    }
    catch (cause) {
        throw awsFailure("aws-region", named, cause);
    }
}

// EXTERNAL MODULE: ./src/health/signal.ts
var health_signal = __webpack_require__(4144);
;// CONCATENATED MODULE: ./src/aws/instance-status.ts





const statusSource = (aws) => ({
    client: { send: (...asked) => aws.call("ec2:DescribeInstanceStatus", () => aws.ec2.send(...asked)) },
    region: aws.region,
});
const MOST_IDS = 100; // of one call (DescribeInstanceStatus, InstanceIds)
/**
 * Whether each instance runs and passes AWS's checks of its system, of itself and of its EBS volumes.
 * @returns in the order of `ids`; what could not be read is blind
 * @throws {UserError} for an id that AWS does not know; what `signal` was aborted with
 */
async function lookAtInstances(source, ids, signal) {
    const glances = [];
    for (let from = 0; from < ids.length; from += MOST_IDS) {
        const some = ids.slice(from, from + MOST_IDS);
        try {
            const found = await instance_status_describe(source, some, signal);
            glances.push(...some.map((id) => instance_status_judge(found.get(id))));
        }
        catch (error) {
            signal.throwIfAborted();
            if (codeOf(error)?.startsWith("InvalidInstanceID."))
                throw unknown(source.region, error);
            glances.push(...some.map(() => (0,health_signal/* notRead */.Q)(reasonOf(error))));
        }
    }
    return glances;
}
/** @param failure its cause has AWS's own sentence, which names the id */
function unknown(region, failure) {
    const said = oneLine(failure.cause.message);
    return new user_error/* UserError */.y(`instance-ids: ${said} in ${region}. Look at the ids and at aws-region.`, { cause: failure });
}
/** All pages. Without IncludeAllInstances AWS leaves out what does not run. */
async function instance_status_describe({ client }, ids, abortSignal) {
    const found = new Map();
    let page;
    do {
        const more = page?.NextToken ? { NextToken: page.NextToken } : {};
        const input = { InstanceIds: [...ids], IncludeAllInstances: true, ...more };
        page = await client.send(new client_ec2_dist_cjs/* DescribeInstanceStatusCommand */.o0z(input), { abortSignal });
        for (const status of page.InstanceStatuses ?? [])
            found.set(status.InstanceId ?? "", status);
    } while (page.NextToken);
    return found;
}
const blind = (kind, seen) => ({ standing: "blind", kind, seen });
function instance_status_judge(status) {
    if (!status)
        return blind("not read", "it is not in AWS's answer");
    const state = status.InstanceState?.Name ?? "unknown";
    if (state === "pending" || state === "unknown")
        return blind(state, state);
    if (state !== "running")
        return { standing: "wrong", kind: state, seen: state };
    return judgeChecks({
        system: status.SystemStatus?.Status ?? "insufficient-data",
        instance: status.InstanceStatus?.Status ?? "insufficient-data",
        EBS: status.AttachedEbsStatus?.Status ?? "not-applicable", // only Nitro instances have this check
    });
}
/** SummaryStatus of the API: ok, impaired, insufficient-data, initializing, not-applicable; a newer word decides nothing. */
function judgeChecks(checks) {
    const each = Object.entries(checks).map(([name, result]) => `${name} ${result}`);
    const seen = `running; status checks: ${each.join(", ")}`;
    const results = Object.values(checks);
    if (results.includes("impaired"))
        return { standing: "wrong", kind: "impaired", seen };
    const undecided = results.find((result) => result !== "ok" && result !== "not-applicable");
    if (undecided !== undefined)
        return blind(undecided, seen);
    return results.includes("ok") ? { standing: "right", kind: "running", seen } : blind("not-applicable", seen);
}

;// CONCATENATED MODULE: ./src/aws/metric-rule.ts

const EC2 = "AWS/EC2";
const MINUTE = 60_000;
const DEFAULT_WINDOW = "5m"; // one period of an instance without detailed monitoring
const MOST_DIMENSIONS = 30; // of a metric in CloudWatch
const statistics = {
    AVG: "Average",
    MIN: "Minimum",
    MAX: "Maximum",
    SUM: "Sum",
    COUNT: "SampleCount",
};
/**
 * `STATISTIC([namespace] metric [Dimension=value ...][, window]) comparison number`. A word with spaces, commas or
 * parentheses goes in double quotes. Without a namespace it is AWS/EC2's.
 * @throws {UserError} that begins with `where`
 */
function parseMetricRule(where, text) {
    const shape = /^([a-z][a-z0-9.]*)\s*\(((?:"[^"]*"|[^"()])*)\)\s*(\S*?)\s*(-?[0-9.][^\s<>=!]*|)$/i.exec(text.trim());
    if (!shape)
        throw new UserError(`${where} is no comparison; write AVG(CPUUtilization) < 80, got ${JSON.stringify(text)}.`);
    const [, statistic = "", asked = "", comparison = "", limit = ""] = shape;
    const { words, dimensions, window } = parseAsked(where, asked);
    const [metric = "", namespace = EC2] = words.reverse();
    return {
        text: text.trim(),
        statistic: parseStatistic(where, statistic),
        namespace,
        metric,
        dimensions,
        window: parseWindow(where, window),
        comparison: parseComparison(where, comparison),
        limit: parseLimit(where, limit),
    };
}
function parseAsked(where, asked) {
    const [, what = "", window = DEFAULT_WINDOW] = /^((?:"[^"]*"|[^",])*)(?:,\s*(.*?)\s*)?$/.exec(asked) ?? [];
    const words = [];
    const dimensions = new Map();
    for (const [part] of what.matchAll(/(?:"[^"]*"|[^\s"])+/g)) {
        const [, name, value] = /^((?:"[^"]*"|[^"=])+)=(.+)$/.exec(part) ?? [];
        if (name === undefined || value === undefined)
            words.push(unquoted(part));
        else
            dimensions.set(unquoted(name), unquoted(value));
    }
    if (words.length < 1 || words.length > 2 || words.includes(""))
        throw new UserError(`${where}: expected a metric in the parentheses, or a namespace and a metric, as in AVG(AWS/EC2 CPUUtilization), ` +
            `got ${JSON.stringify(asked)}. A name with spaces goes in double quotes.`);
    if (dimensions.size > MOST_DIMENSIONS)
        throw new UserError(`${where}: got ${dimensions.size} dimensions; a metric has at most ${MOST_DIMENSIONS}.`);
    return { words, dimensions: Object.fromEntries(dimensions), window };
}
const unquoted = (text) => text.replaceAll('"', "");
function parseStatistic(where, text) {
    const known = statistics[text.toUpperCase()];
    if (known !== undefined)
        return known;
    const [, percentile] = /^p(\d{1,2}(?:\.\d)?)$/i.exec(text) ?? [];
    if (percentile !== undefined && Number(percentile) > 0)
        return `p${percentile}`;
    throw new UserError(`${where}: expected AVG, MIN, MAX, SUM, COUNT or a percentile such as P95 or P99.9, got ${JSON.stringify(text)}.`);
}
function parseWindow(where, text) {
    const [, amount, unit] = /^(\d{1,4})(m|h)$/.exec(text) ?? [];
    const window = Number(amount) * (unit === "h" ? 60 : 1) * MINUTE;
    if (window >= MINUTE && window <= 24 * 60 * MINUTE)
        return window;
    throw new UserError(`${where}: expected a window from 1m to 24h in whole minutes, got ${JSON.stringify(text)}.`);
}
function parseComparison(where, text) {
    const known = ["<", "<=", ">", ">=", "==", "!="].find((one) => one === text);
    if (known)
        return known;
    throw new UserError(`${where}: expected <, <=, >, >=, == or != behind the parentheses, got ${JSON.stringify(text)}.`);
}
function parseLimit(where, text) {
    if (/^-?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i.test(text))
        return Number(text);
    throw new UserError(`${where}: expected a number to compare with, got ${JSON.stringify(text)}.`);
}
/**
 * A metric of AWS/EC2 without a dimension is asked of each of these instances; any other is asked as it was written.
 * @throws {UserError} when it is left without an instance
 */
function forInstances(where, rule, instances) {
    if (rule.namespace !== EC2 || Object.keys(rule.dimensions).length > 0)
        return [rule];
    if (instances.length === 0)
        throw new user_error/* UserError */.y(`${where}: ${rule.metric} is of which instance? Set instance-ids or ec2-filters, or write InstanceId=i-... behind it.`);
    return instances.map((InstanceId) => ({
        ...rule,
        text: rule.text.replace(/\s*(,[^,]*)?\)(?=[^)]*$)/, ` InstanceId=${InstanceId}$&`),
        dimensions: { InstanceId },
    }));
}

;// CONCATENATED MODULE: ./src/aws/metrics.ts



const metricClient = (aws) => ({
    send: (...asked) => aws.call("cloudwatch:GetMetricData", () => aws.cloudWatch.send(...asked)),
});
const metrics_MINUTE = 60_000;
const MOST_QUERIES = 500; // of one call (GetMetricData, MetricDataQueries)
/**
 * Asks CloudWatch once for all rules; each is right if its comparison holds. One data point covers the window, which ends
 * with the minute of `now`; the newest counts if AWS gives several. None is blind, and so is what could not be read.
 * @returns in the order of `rules`
 * @throws what `signal` was aborted with
 */
async function lookAtMetrics(client, rules, now, signal) {
    const glances = new Map();
    for (const together of calls(rules)) {
        const answer = await ask(client, together, now, signal).catch((error) => {
            signal.throwIfAborted();
            return reasonOf(error);
        });
        for (const [index, rule] of together.entries())
            glances.set(rule, typeof answer === "string" ? (0,health_signal/* notRead */.Q)(answer) : metrics_judge(rule, answer.get(metrics_idOf(index))));
    }
    return rules.flatMap((rule) => glances.get(rule) ?? []);
}
/** Rules of one window share a call, up to its limit: StartTime is the call's. */
function calls(rules) {
    const windows = [...new Set(rules.map(({ window }) => window))].map((window) => rules.filter((rule) => rule.window === window));
    return windows.flatMap((same) => Array.from({ length: Math.ceil(same.length / MOST_QUERIES) }, (_, index) => same.slice(index * MOST_QUERIES, (index + 1) * MOST_QUERIES)));
}
const metrics_idOf = (index) => `m${index}`; // begins with a small letter, as AWS wants it
/** All pages, newest data first. */
async function ask(client, rules, now, abortSignal) {
    const end = Math.ceil(now.getTime() / metrics_MINUTE) * metrics_MINUTE;
    const input = {
        MetricDataQueries: rules.map(queryOf),
        StartTime: new Date(end - (rules[0]?.window ?? 0)),
        EndTime: new Date(end), // exclusive
        ScanBy: "TimestampDescending",
    };
    const answers = new Map();
    const overall = [];
    let page;
    do {
        const more = page?.NextToken ? { NextToken: page.NextToken } : {};
        page = await client.send(new dist_cjs/* GetMetricDataCommand */.Soe({ ...input, ...more }), { abortSignal });
        overall.push(...texts(page.Messages));
        for (const result of page.MetricDataResults ?? []) {
            const before = answers.get(result.Id ?? "");
            answers.set(result.Id ?? "", {
                newest: before?.newest ?? result.Values?.[0],
                status: result.StatusCode,
                messages: [...(before?.messages ?? []), ...texts(result.Messages)],
            });
        }
    } while (page.NextToken);
    for (const [id, answer] of answers)
        answers.set(id, { ...answer, messages: [...answer.messages, ...overall] });
    return answers;
}
const queryOf = (rule, index) => ({
    Id: metrics_idOf(index),
    MetricStat: {
        Metric: {
            Namespace: rule.namespace,
            MetricName: rule.metric,
            Dimensions: Object.entries(rule.dimensions).map(([Name, Value]) => ({ Name, Value })),
        },
        Period: rule.window / 1000,
        Stat: rule.statistic,
    },
});
const texts = (messages) => (messages ?? []).map(({ Code = "", Value = "" }) => oneLine(`${Code}: ${Value}`));
function metrics_judge(rule, answer) {
    const said = answer?.messages.length ? `; AWS says: ${answer.messages.join("; ")}` : "";
    if (answer && answer.status !== "Complete" && answer.status !== undefined)
        return { standing: "blind", kind: answer.status, seen: `AWS answered ${answer.status}${said}` };
    if (answer?.newest === undefined)
        return { standing: "blind", kind: "no data", seen: `${lacking(rule)}${said}` };
    const right = compare[rule.comparison](answer.newest, rule.limit);
    const seen = `it is ${Number(answer.newest.toPrecision(6))}`;
    return right ? { standing: "right", kind: "holds", seen } : { standing: "wrong", kind: "does not hold", seen };
}
/** What was asked, whole: a dimension that differs by a letter is another metric, without data. */
function lacking({ namespace, metric, dimensions, window }) {
    const of = Object.entries(dimensions).map(([name, value]) => `${name}=${value}`);
    return `no data point in ${window / metrics_MINUTE} minutes of ${namespace} ${metric}, dimensions ${of.join(", ") || "none"}`;
}
const compare = {
    "<": (value, limit) => value < limit,
    "<=": (value, limit) => value <= limit,
    ">": (value, limit) => value > limit,
    ">=": (value, limit) => value >= limit,
    "==": (value, limit) => value === limit,
    "!=": (value, limit) => value !== limit,
};

;// CONCATENATED MODULE: ./src/aws/signals.ts









// Milliseconds in which nothing can change: an alarm is evaluated every 10 s at most, a metric has a value for each minute.
const STATE_INTERVAL = 10_000;
const METRIC_INTERVAL = 60_000;
const MOST = 100; // of each kind: one call reads so many
const TOGETHER = 1000; // milliseconds; looks that begin within them are one
/**
 * Finds what is meant, once, and makes a signal of each alarm, of each metric rule (for each instance that it is left to)
 * and of each instance. All alarms are read by one call a look, and so are all rules of one window, and all instances.
 *
 * @throws {UserError} for an alarm, an instance or a filter that names nothing, for too much, and without credentials
 */
async function openSignals(aws, wanted, means) {
    await aws.call("AWS", () => aws.cloudWatch.config.credentials());
    const ids = await instancesOf(aws, wanted, means.cancel);
    const alarms = await alarmsOf(alarmSource(aws), wanted.alarms, means.cancel);
    const rules = wanted.metrics.flatMap((rule) => forInstances("metrics", rule, ids));
    refuseMany("metrics", rules.length, "comparisons");
    return [
        ...alarmSignals(alarmSource(aws), alarms, means),
        ...metricSignals(aws, rules, means),
        ...instanceSignals(aws, ids, means),
    ];
}
async function instancesOf(aws, { instances }, cancel) {
    if ("ids" in instances) {
        await lookAtInstances(statusSource(aws), instances.ids, cancel); // it throws for an unknown one
        return instances.ids;
    }
    if (instances.filters.length === 0)
        return [];
    // each instance in a VPC has a private address
    const found = await findInstances(aws, { input: "ec2-filters", by: instances, address: "private" });
    refuseMany("ec2-filters", found.length, "instances");
    return found.map(({ id }) => id);
}
async function alarmsOf(source, wanted, cancel) {
    const names = [...(await snapshotAlarms(source, wanted, cancel)).keys()];
    refuseMany("alarms", names.length, "alarms");
    return names;
}
function refuseMany(input, count, what) {
    if (count > MOST)
        throw new user_error/* UserError */.y(`${input}: it means ${count} ${what}; at most ${MOST} are watched. Name less, in several steps.`);
}
function alarmSignals(source, names, means) {
    const subjects = names.map((name) => ({ name: `alarm ${JSON.stringify(name)}`, expected: "the state OK" }));
    return signals(subjects, STATE_INTERVAL, means, (over) => readAlarms(source, names, over).then((alarms) => names.map((name) => glanceOf(alarms.get(name))), (error) => names.map(() => (0,health_signal/* notRead */.Q)(reasonOf(error)))));
}
function metricSignals(aws, rules, means) {
    const subjects = rules.map(({ text, window }) => ({
        name: `metric ${text}`,
        expected: `one value over ${window / 60_000} min for which that holds`,
    }));
    return signals(subjects, METRIC_INTERVAL, means, (over) => lookAtMetrics(metricClient(aws), rules, new Date(means.date()), over));
}
function instanceSignals(aws, ids, means) {
    const subjects = ids.map((id) => ({ name: `instance ${id}`, expected: "running, with its status checks passed" }));
    return signals(subjects, STATE_INTERVAL, means, (over) => lookAtInstances(statusSource(aws), ids, over));
}
/** @param look sees all subjects at once, in their order */
function signals(subjects, interval, { now }, look) {
    let began = Number.NEGATIVE_INFINITY;
    let seen;
    const together = (over) => {
        if (now() - began >= TOGETHER) {
            began = now();
            seen = (0,attempt/* unlessAborted */.W)(look(over), over);
        }
        return seen;
    };
    return subjects.map((subject, index) => ({
        ...subject,
        interval,
        look: async (over) => (await together(over))[index],
    }));
}
const standings = { OK: "right", ALARM: "wrong", INSUFFICIENT_DATA: "blind" };
function glanceOf(alarm) {
    if (!alarm)
        return { standing: "blind", kind: "deleted", seen: "it is there no more" };
    const { state, reason } = alarm;
    return { standing: standings[state], kind: state, seen: state === "OK" ? state : `${state}: ${reason}` };
}

;// CONCATENATED MODULE: ./src/aws/access.ts
// All that is asked of AWS to find hosts, to get in, to fill a request in and as evidence, in one place to be read when it is needed.














/***/ })

};
;