import type { InputSource } from "./input-source";
import { base64Cores, headerValues, runnerText, settingsToMask, shortest, withItsLines } from "./maskable";
import { valuesIn } from "./values/env-text";
import { items } from "./values/parse";
import { askedSecrets, publicUrls } from "./verify-secrets";

/**
 * Every text that must be masked before anything is printed. Never throws: it is called before the inputs are checked,
 * since the message about a wrong one is printed too.
 *
 * What was given as a secret is masked always. Settings (env, env-file, health-headers) are masked unless they are
 * shorter than 4 characters, a common word, a small number, or part of what the log says anyway (the commit, the image,
 * the host): a mask on those hides half the log, and GitHub drops a job output that holds a masked text.
 */
export function secretsOf(io: InputSource): string[] {
  const password = io.input("registry-password");
  const always = [io.input("ssh-key"), io.input("ssh-key-passphrase"), password].flatMap(withItsLines);
  const settings = settingsToMask(
    [...envTexts(io).flatMap(valuesIn), ...headerValues(io.input("health-headers"))],
    publicText(io),
  );
  const asked = { urls: io.input("verify-url"), headers: io.input("verify-headers") }; // of deploy-and-verify
  const ofUsers = asked.urls === "" ? [] : askedSecrets(asked, publicText(io), io);
  const all = [...always, ...settings, ...ofUsers, io.input("github-token").trim()].filter(
    (text) => text.length >= shortest,
  );
  return [...new Set([...all, ...registryForms(io.input("registry-username").trim(), password.trim())])];
}

function envTexts(io: InputSource): string[] {
  const file = io.input("env-file").trim();
  if (file === "") return [io.input("env")];
  try {
    return [io.input("env"), io.readWorkspaceFile(file)];
  } catch {
    return [io.input("env")]; // the parser says what is wrong with it
  }
}

/** Ours: GitHub drops an output that holds a masked text. */
const OUR_WORDS = "deployed unchanged rolled-back failed healthy unhealthy inconclusive verify-url";

/** What the log says anyway. */
export function publicText(io: InputSource): string {
  const named = [
    ...["image", "app", "version", "digest", "hosts", "http-port", "health-path", "registry-username"],
    ...["ec2-filters", "aws-region", "env-ssm-path", "env-secrets-manager"],
  ];
  const urls = publicUrls(io.input("verify-url"));
  const regions = ["AWS_REGION", "AWS_DEFAULT_REGION"].map((name) => io.env[name] ?? "");
  const told = named.flatMap((name) => items(io.input(name)));
  return [...told, urls, OUR_WORDS, ...regions, ...runnerText(io)].join("\n");
}

/** Docker sends registry credentials as base64: of `user:password`, or of JSON around them. */
export function registryForms(username: string, password: string): string[] {
  if (password === "") return [];
  const inJson = JSON.stringify(password).slice(1, -1);
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  return [basic, ...base64Cores(password), ...base64Cores(inJson)].flatMap((text) => [
    text,
    text.replaceAll("+", "-").replaceAll("/", "_"),
  ]);
}
