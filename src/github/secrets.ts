import type { InputSource } from "./input-source";
import { valuesIn } from "./values/env-text";
import { items } from "./values/parse";

const wordsOfSettings =
  /^(true|false|yes|no|on|off|null|none|auto|info|debug|warn|warning|error|trace|test|development|staging|production|localhost|127\.0\.0\.1|0\.0\.0\.0|utf-8)$/i;
const smallNumber = /^[+-]?\d{1,6}(\.\d{1,6})?$/;
const shortest = 4;

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
  const known = publicText(io);
  const always = [io.input("ssh-key"), io.input("ssh-key-passphrase"), password].flatMap(withItsLines);
  const settings = [...envTexts(io).flatMap(valuesIn), ...headerValues(io.input("health-headers"))]
    .flatMap(withItsLines)
    .filter((text) => !wordsOfSettings.test(text) && !smallNumber.test(text) && !known.includes(text));
  const all = [...always, ...settings, io.input("github-token").trim()].filter((text) => text.length >= shortest);
  return [...new Set([...all, ...registryForms(io.input("registry-username").trim(), password.trim())])];
}

/** A mask is compared line by line with the log. */
function withItsLines(text: string): string[] {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  return [text.trim(), ...lines].filter((line) => line !== "" && !/^-----(BEGIN|END) [A-Z0-9 ]+-----$/.test(line));
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

const headerValues = (text: string): string[] =>
  text.split(/[\r\n]+/).flatMap((line) => {
    const value = line.replace(/^[^:]*:/, "").trim();
    return [value, value.replace(/^(Bearer|Basic|Token)\s+/i, "")];
  });

function publicText(io: InputSource): string {
  const named = ["image", "app", "version", "digest", "hosts", "http-port", "health-path", "registry-username"];
  const runner = ["GITHUB_SHA", "GITHUB_REPOSITORY", "GITHUB_ACTOR", "GITHUB_REF_NAME", "GITHUB_SERVER_URL"];
  return [...named.flatMap((name) => items(io.input(name))), ...runner.map((name) => io.env[name] ?? "")].join("\n");
}

/** Docker sends registry credentials as base64: of `user:password`, or of JSON around them. */
function registryForms(username: string, password: string): string[] {
  if (password === "") return [];
  const inJson = JSON.stringify(password).slice(1, -1);
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  return [basic, ...base64Cores(password), ...base64Cores(inJson)].flatMap((text) => [
    text,
    text.replaceAll("+", "-").replaceAll("/", "_"),
  ]);
}

/**
 * The part of base64 that stands for a text wherever it lies in a longer one: three forms, by its offset modulo 3.
 * The first and last characters are shared with the neighbours and left out. A short one would mask chance hits.
 */
function base64Cores(text: string): string[] {
  return [0, 1, 2]
    .map((offset) => {
      const bytes = Buffer.from("\0".repeat(offset) + text);
      return bytes.toString("base64").slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
    })
    .filter((core) => core.length >= 8);
}
