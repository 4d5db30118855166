import { expect, test } from "@jest/globals";
import { refusal } from "./deploy-inputs";

const sha = (digit: string): string => `sha256:${digit.repeat(64)}`;
const address = (got: string): string =>
  `hosts: expected an address such as 203.0.113.7, deploy@web.example.com:2222 or [2001:db8::1]:22, or an instance such as i-0123456789abcdef0, got "${got}".`;
const ssmPath = (got: string): string =>
  `env-ssm-path: expected a path of SSM Parameter Store such as /shop/prod, got ${JSON.stringify(got)}.`;
const filters = (got: string): string =>
  `ec2-filters: expected lines such as tag:Name=web or tag:Env=staging,test, got ${JSON.stringify(got)}.`;
const steps = (got: string): string =>
  `traffic-steps: expected whole numbers of per cent that rise and end at 100, such as 10, 50, 100, got ${JSON.stringify(got)}.`;
const image = (got: string): string =>
  `image: expected an image such as ghcr.io/acme/shop:1.4, shop:1.4 or shop@sha256:<64 digits>, got "${got}".`;
const blank = (name: string): string =>
  `${name}: it is blank. Write a value, or leave the input out to get its default.`;
const durationLike = (name: string, got: string): string =>
  `${name}: expected a duration such as 30s or 2m, got "${got}".`;
const volume = (got: string): string =>
  `volumes: expected source:target or source:target:ro, as in /srv/data:/data:ro or uploads:/data, got "${got}".`;
const needsShell = (syntax: string): string =>
  `command: ${syntax} needs a shell, and none runs here: write sh -c '...', or put it in single quotes to pass it as it is.`;
const statuses = (got: string): string =>
  `health-status: expected HTTP statuses such as 200-299 or 200,204,301-399, got "${got}".`;
const logs = (got: string): string =>
  `log-options: expected options of Docker's json-file log driver, such as max-size=10m,max-file=3, got "${got}".`;

const wrong: readonly [what: string, given: Record<string, string>, message: string][] = [
  [
    "no host",
    { hosts: "" },
    "hosts: it is blank, and so is ec2-filters. Name the hosts, or say which instances they are.",
  ],
  ["hosts and filters", { "ec2-filters": "tag:Name=web" }, "hosts: ec2-filters is given, too; give one of the two."],
  ["a filter without a value", { hosts: "", "ec2-filters": "tag:Name=" }, filters("tag:Name=")],
  ["a filter of nothing", { hosts: "", "ec2-filters": "web" }, filters("web")],
  ["a filter whose values are commas", { hosts: "", "ec2-filters": "tag:Name=,," }, filters("tag:Name=,,")],
  [
    "a filter for a state",
    { hosts: "", "ec2-filters": "tag:Name=web\ninstance-state-name=stopped" },
    "ec2-filters: leave instance-state-name out; only running instances are taken.",
  ],
  [
    "more filters than AWS takes",
    { hosts: "", "ec2-filters": Array.from({ length: 51 }, (_, n) => `tag:T${n}=x`).join("\n") },
    "ec2-filters: got 51 filters with 51 values; AWS takes 50 and 200 at most.",
  ],
  ["another address", { address: "elastic" }, 'address: expected public or private, got "elastic".'],
  [
    "a zone for a region",
    { "aws-region": "us-east-1a" },
    'aws-region: expected a region such as us-east-1, got "us-east-1a".',
  ],
  [
    "a security group by its name",
    { "ssh-security-group": "web" },
    'ssh-security-group: expected the id of a security group, such as sg-0123456789abcdef0, got "web".',
  ],
  ["an instance id that is none", { hosts: "i-xyz@" }, address("i-xyz@")],
  ["only a comma for hosts", { hosts: "," }, 'hosts: expected the address of a host, got ",".'],
  [
    "a host that is named twice",
    { hosts: "10.0.0.1, me@10.0.0.1" },
    "hosts: 10.0.0.1 port 22 is named twice. Name each host once.",
  ],
  [
    "a wave of no host",
    { "wave-size": "0" },
    'wave-size: expected a number of hosts such as 1, or a share of them such as 50%, got "0".',
  ],
  [
    "a wave of more than all",
    { "wave-size": "101%" },
    'wave-size: expected a number of hosts such as 1, or a share of them such as 50%, got "101%".',
  ],
  ["a URL as host", { hosts: "http://10.0.0.1" }, address("http://10.0.0.1")],
  ["an option as host", { hosts: "-oProxyCommand=x" }, address("-oProxyCommand=x")],
  ["an impossible IPv4 address", { hosts: "10.0.0.300" }, address("10.0.0.300")],
  ["a broken IPv6 address", { hosts: "[2001:db8::g]:22" }, address("[2001:db8::g]:22")],
  [
    "an IPv6 address without brackets",
    { hosts: "me@2001:db8::1" },
    'hosts: put an IPv6 address in brackets, as in [2001:db8::1]:22, got "me@2001:db8::1".',
  ],
  ["a host that holds a line break", { hosts: "web\u0000x" }, address("web\\u0000x")],
  [
    "a user with capitals",
    { hosts: "Root@10.0.0.1" },
    'hosts: expected a user such as ec2-user or ubuntu, got "Root".',
  ],
  ["a port of a host that is none", { hosts: "10.0.0.1:ssh" }, 'hosts: expected a port from 1 to 65535, got "ssh".'],
  [
    "an ssh-user that is an option",
    { "ssh-user": "-x" },
    'ssh-user: expected a user such as ec2-user or ubuntu, got "-x".',
  ],
  ["an ssh-port that is too large", { "ssh-port": "65536" }, 'ssh-port: expected a port from 1 to 65535, got "65536".'],
  [
    "a blank ssh-key for an address",
    { "ssh-key": " " },
    `ssh-key: it is blank, and hosts names 203.0.113.7 by its address. Put the private key into a secret and write \${{ secrets.SSH_KEY }}; a secret that does not exist, or that a fork may not read, is blank, too. Or let EC2 Instance Connect take its place, which needs the instance: write its id (i-...), or ec2-filters.`,
  ],
  [
    "a passphrase of no key",
    { hosts: "i-0123456789abcdef0", "ssh-key": "", "ssh-key-passphrase": "x" },
    "ssh-key: it is blank, but ssh-key-passphrase is not. A secret that does not exist, or that a fork may not read, is blank.",
  ],
  [
    "blank known hosts for an address",
    { hosts: "i-0123456789abcdef0, 203.0.113.7", "ssh-known-hosts": "# none\n" },
    "ssh-known-hosts: it is blank, so 203.0.113.7 could not be told from one that sits in between. Name the instance (i-..., or ec2-filters), and AWS is asked for its key. Or get the key on a way that you trust: run `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the instance, or look for it in `aws ec2 get-console-output --latest --output text --instance-id ID`, and write its SHA256:... here. Don't take it from ssh-keyscan over the open internet: whoever sits in between answers that too.",
  ],
  ["a connect-timeout without a unit", { "connect-timeout": "30" }, durationLike("connect-timeout", "30")],
  ["no image", { image: "" }, blank("image")],
  [
    "an image with capitals",
    { image: "ghcr.io/Acme/shop" },
    'image: the names of images are lower case, got "ghcr.io/Acme/shop".',
  ],
  [
    "an image with https",
    { image: "https://ghcr.io/a/b" },
    'image: an image has no https:// in front, got "https://ghcr.io/a/b".',
  ],
  ["an image that is an option", { image: "--privileged" }, image("--privileged")],
  ["an image with a command behind", { image: "shop; reboot" }, image("shop; reboot")],
  ["an image that climbs", { image: "ghcr.io/../x" }, image("ghcr.io/../x")],
  ["an image of two lines", { image: "shop\nevil" }, image("shop\\nevil")],
  ["an image with half a digest", { image: "shop@sha256:abc" }, image("shop@sha256:abc")],
  [
    "a digest without its algorithm",
    { digest: "a".repeat(64) },
    `digest: expected sha256: and 64 lower-case hexadecimal digits, got "${"a".repeat(64)}".`,
  ],
  [
    "two digests that differ",
    { image: `shop@${sha("a")}`, digest: sha("b") },
    `image: it ends in ${sha("a")}, but digest says ${sha("b")}; leave one of them out.`,
  ],
  [
    "an app with capitals",
    { app: "Shop" },
    'app: expected 1 to 30 lower-case letters, digits and hyphens that begin with a letter or digit, got "Shop".',
  ],
  [
    "an app that climbs",
    { app: "../etc" },
    'app: expected 1 to 30 lower-case letters, digits and hyphens that begin with a letter or digit, got "../etc".',
  ],
  [
    "a version with a slash",
    { version: "feature/x" },
    'version: expected 1 to 64 letters, digits, dots, underscores and hyphens, got "feature/x".',
  ],
  [
    "a user without a password",
    { "registry-username": "ann" },
    "registry-password: it is blank, but registry-username is not; give both, or neither for a public image or ECR (a secret that does not exist is blank).",
  ],
  [
    "a password without a user",
    { "registry-password": "s3cret-pw" },
    "registry-username: it is blank, but registry-password is not; give both.",
  ],
  ["a path without a slash", { "env-ssm-path": "shop/prod" }, ssmPath("shop/prod")],
  ["all of Parameter Store", { "env-ssm-path": "/" }, ssmPath("/")],
  ["a path with a pattern", { "env-ssm-path": "/shop/*" }, ssmPath("/shop/*")],
  [
    "a secret's name with a blank",
    { "env-secrets-manager": "shop/prod, my secret" },
    'env-secrets-manager: expected names or ARNs of secrets, by comma or line, got "my secret".',
  ],
  [
    "another service's ARN",
    { "env-secrets-manager": "arn:aws:ssm:us-east-1:111122223333:parameter/shop" },
    'env-secrets-manager: expected names or ARNs of secrets, by comma or line, got "arn:aws:ssm:us-east-1:111122223333:parameter/shop".',
  ],
  [
    "all alarms there are",
    { alarms: "web-cpu, *" },
    'alarms: "*" means every alarm there is; write a prefix, as in web-*.',
  ],
  [
    "a pattern within an alarm's name",
    { alarms: "web-*-cpu" },
    'alarms: a * stands at the end of a name alone, as in web-*; got "web-*-cpu".',
  ],
  [
    "an alarm's ARN",
    { alarms: "arn:aws:cloudwatch:us-east-1:111122223333:alarm:web-cpu" },
    'alarms: expected an alarm\'s name, the part behind ":alarm:", got "arn:aws:cloudwatch:us-east-1:111122223333:alarm:web-cpu".',
  ],
  [
    "an alarm's name that is too long",
    { alarms: "a".repeat(256) },
    `alarms: an alarm's name has 255 characters at most, got "${"a".repeat(80)}…".`,
  ],
  [
    "more alarms than one call takes",
    { alarms: Array.from({ length: 101 }, (_, n) => `web-${n}`).join("\n") },
    "alarms: got 101 names; 100 at most. Name several by a prefix: web-*.",
  ],
  [
    "a gate that no deploy could pass",
    { "bake-time": "0s", "on-inconclusive": "fail" },
    "on-inconclusive: with bake-time 0s and traffic-steps 100 no traffic is watched, so nothing can be said and no deploy would pass. Lengthen bake-time, or write pass.",
  ],
  ["a port that is a word", { port: "http" }, 'port: expected a port from 1 to 65535, got "http".'],
  [
    "an env line without =",
    { env: "A=1\n# ok\n\nsecret stuff\nB=2" },
    "env: line 4 is not NAME=value. A value of several lines needs quotes around it, and a comment begins with #.",
  ],
  [
    "an env quote that never ends",
    { env: 'A=1\nKEY="-----BEGIN\nabc' },
    "env: line 3 is not NAME=value. A value of several lines needs quotes around it, and a comment begins with #.",
  ],
  ["an env name that objects have", { env: "\n__proto__=x" }, "env: line 2 sets a name that can't be used; rename it."],
  ["a NUL in env", { env: "A=b\0c" }, "env: the value of A (line 1) holds a NUL character, which no environment can."],
  ["an env-file that is not there", { "env-file": "prod.env" }, 'env-file: There is no file "prod.env".'],
  ["&& in command", { command: "migrate && serve" }, needsShell("&&")],
  ["a pipe in command", { command: "serve | tee" }, needsShell("|")],
  ["a redirection in command", { command: "serve >log" }, needsShell(">")],
  ["a variable in command", { command: 'serve "$PORT"' }, needsShell("$")],
  ["a substitution in command", { command: "serve `date`" }, needsShell("`")],
  [
    "several lines in command",
    { command: "migrate\nserve" },
    "command: it has several lines, which needs a shell: write one line, or sh -c '...'.",
  ],
  ["an open quote in command", { command: "echo 'it" }, "command: the quote at character 6 is never closed; close it."],
  [
    "an empty first word in command",
    { command: "'' x" },
    "command: its first word is empty; begin with a program or an argument.",
  ],
  ["; in pre-deploy", { "pre-deploy": "a; b" }, needsShell(";").replace("command", "pre-deploy")],
  ["a relative volume", { volumes: "./data:/data" }, volume("./data:/data")],
  ["a volume that climbs", { volumes: "/srv/../etc:/data" }, volume("/srv/../etc:/data")],
  ["a volume without a target", { volumes: "data" }, volume("data")],
  ["a volume with an unknown mode", { volumes: "data:/data:z" }, volume("data:/data:z")],
  [
    "a volume over the root",
    { volumes: "data:/" },
    'volumes: "data:/" would cover the container\'s whole file system.',
  ],
  [
    "two volumes in one place",
    { volumes: "a1:/data,b1:/data/" },
    'volumes: "/data" is the target of two volumes; keep one.',
  ],
  [
    "the host's network",
    { network: "host" },
    "network: \"host\" can't be joined besides the app's own network; name one made by docker network create.",
  ],
  ["a network with a space", { network: "a b" }, 'network: expected the name of a Docker network, got "a b".'],
  ["memory without a unit", { memory: "512" }, 'memory: Docker needs at least 6m, got "512". Did you mean 512m?'],
  ["memory that is a word", { memory: "lots" }, 'memory: expected a size such as 512m or 2g, got "lots".'],
  ["no processor", { cpus: "0" }, 'cpus: expected a number of processors from 0.01 to 1024, such as 0.5, got "0".'],
  ["an unknown log option", { "log-options": "max-size=1m,fluentd=x" }, logs("fluentd=x")],
  ["a log option that objects have", { "log-options": "constructor=x" }, logs("constructor=x")],
  [
    "logs without a limit",
    { "log-options": "max-file=3" },
    "log-options: max-size is missing, and logs without a limit fill the host's disk. Add max-size=10m.",
  ],
  ["no time to drain", { "drain-timeout": "0s" }, 'drain-timeout: expected a duration from 1s to 1h, got "0s".'],
  [
    "a NUL in verify-command",
    { "verify-command": "a\0b" },
    "verify-command: it holds a NUL character, which no command can.",
  ],
  [
    "a header without a value",
    { "health-headers": "X-A:" },
    "health-headers: line 1 has a value that HTTP can't carry: blank, too long, or not Latin-1.",
  ],
  ["no time to stop", { "stop-timeout": "0s" }, 'stop-timeout: expected a duration from 1s to 1h, got "0s".'],
  ["an unknown strategy", { strategy: "rolling" }, 'strategy: expected blue-green or recreate, got "rolling".'],
  ["traffic that stays behind", { "traffic-steps": "10, 50" }, steps("10, 50")],
  ["traffic that falls", { "traffic-steps": "50, 10, 100" }, steps("50, 10, 100")],
  ["a step twice", { "traffic-steps": "10, 10, 100" }, steps("10, 10, 100")],
  ["traffic from nothing", { "traffic-steps": "0, 100" }, steps("0, 100")],
  ["a part of a per cent", { "traffic-steps": "0.5, 100" }, steps("0.5, 100")],
  ["more than all traffic", { "traffic-steps": "10, 100, 200" }, steps("10, 100, 200")],
  ["no step", { "traffic-steps": "," }, steps(",")],
  [
    "shared traffic of a release that runs alone",
    { "traffic-steps": "10, 100", strategy: "recreate" },
    "traffic-steps: with strategy recreate one release runs at a time, and two can't share the traffic. Write 100, or take strategy blue-green.",
  ],
  ["a step of no time", { "step-duration": "0s" }, 'step-duration: expected a duration from 1s to 6h, got "0s".'],
  [
    "an error rate without its unit",
    { "max-error-rate": "1" },
    'max-error-rate: expected a percentage from 0% to 100%, such as 1% or 0.5%, got "1".',
  ],
  [
    "a latency that may not be compared",
    { "max-latency-increase": "1001%" },
    'max-latency-increase: expected a percentage from 0% to 1000%, such as 1% or 0.5%, got "1001%".',
  ],
  ["no requests", { "min-requests": "0" }, 'min-requests: expected a whole number from 1 to 1000000, got "0".'],
  ["a third way", { "on-inconclusive": "warn" }, 'on-inconclusive: expected pass or fail, got "warn".'],
  ["a proxy image with a space", { "proxy-image": "ha proxy" }, image("ha proxy").replace("image:", "proxy-image:")],
  [
    "a release header that is none",
    { "release-header": "X Release" },
    'release-header: expected the name of an HTTP header such as X-Release, or off, got "X Release".',
  ],
  [
    "a release header that HTTP needs",
    { "release-header": "Content-Length" },
    "release-header: Content-Length already has a meaning in HTTP; write a name of your own, such as X-Release.",
  ],
  [
    "a path without a slash",
    { "health-path": "up" },
    'health-path: expected a path that begins with /, such as /health, got "up".',
  ],
  [
    "a path that begins another header",
    { "health-path": "/up\r\nX: y" },
    'health-path: expected a path without spaces, control characters or letters beyond ASCII, such as /health, got "/up\\r\\nX: y".',
  ],
  ["a status beyond HTTP", { "health-status": "200,700" }, statuses("200,700")],
  ["statuses backwards", { "health-status": "299-200" }, statuses("299-200")],
  [
    "a Host header with a path",
    { "health-host": "a.b/c" },
    'health-host: expected a host such as shop.example.com, got "a.b/c".',
  ],
  [
    "a header without a colon",
    { "health-headers": "Accept: */*\nBearer s3cret" },
    "health-headers: line 2 is no header; write Name: value, one a line.",
  ],
  [
    "a header beyond Latin-1",
    { "health-headers": "X-A: s3cret\u{1f600}" },
    "health-headers: line 1 has a value that HTTP can't carry: blank, too long, or not Latin-1.",
  ],
  [
    "a Host among the headers",
    { "health-headers": "host: x" },
    "health-headers: line 1 sets Host; write it in health-host.",
  ],
  [
    "a header that HTTP needs",
    { "health-headers": "Transfer-Encoding: x" },
    "health-headers: line 1 sets Transfer-Encoding, which HTTP itself needs.",
  ],
  [
    "a header twice",
    { "health-headers": "X-A: 1\nx-a: 2" },
    "health-headers: line 2 sets x-a again; write each header once.",
  ],
  ["a broken pattern", { "health-body": "(" }, 'health-body: "(" is not a regular expression (Unterminated group).'],
  [
    "a pattern without an end",
    { "health-body": "x".repeat(1001) },
    "health-body: the pattern has 1001 characters; at most 1000 are read.",
  ],
  [
    "half a check",
    { "health-threshold": "2.5" },
    'health-threshold: expected a whole number from 1 to 100, got "2.5".',
  ],
  [
    "more checks than the start has time for",
    { "health-threshold": "100", "health-interval": "5s" },
    "start-timeout: 100 checks (health-threshold) with health-interval between them take longer; lengthen it.",
  ],
  ["a bake-time that is a word", { "bake-time": "soon" }, durationLike("bake-time", "soon")],
  ["a negative bake-time", { "bake-time": "-1s" }, durationLike("bake-time", "-1s")],
  ["a lease that is too short", { lease: "1s" }, 'lease: expected a duration from 5s to 5m, got "1s".'],
  ["a lease that is too long", { lease: "6m" }, 'lease: expected a duration from 5s to 5m, got "6m".'],
  [
    "a container's name with a command",
    { adopt: "web; rm -rf /" },
    'adopt: expected the name of a container: letters, digits, dots, underscores and hyphens, got "web; rm -rf /".',
  ],
  ["no release kept", { "keep-releases": "0" }, 'keep-releases: expected a whole number from 1 to 100, got "0".'],
  [
    "a disk that is a word",
    { "min-free-disk": "some" },
    'min-free-disk: expected auto or a size such as 2g, got "some".',
  ],
  ["yes for a boolean", { force: "yes" }, 'force: expected true or false, got "yes".'],
  ["a summary of neither", { summary: "1" }, 'summary: expected true or false, got "1".'],
];

test.each(wrong)("refuses %s in one line", (_what, given, message) => {
  expect(refusal(given)).toBe(message);
});
