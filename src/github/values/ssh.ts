import { UserError } from "../../user-error";
import type { Parse } from "./parse";

/** Only that there is one: src/host reads the key itself, and knows what is wrong with it. */
export const privateKey: Parse<string> = (name, text) => {
  if (text !== "") return text;
  throw new UserError(
    `${name}: it is blank, and this version needs a key. Put the private key into a secret and write ` +
      `\${{ secrets.SSH_KEY }}; a secret that does not exist, or that a fork may not read, is blank too.`,
  );
};

/** Only that there is something to verify the host by: src/host reads the lines. */
export const knownHosts: Parse<string> = (name, text) => {
  if (/^\s*[^\s#]/m.test(text)) return text;
  throw new UserError(
    `${name}: it is blank, so the host could not be told from one that sits in between. Get its key on a way that you ` +
      "trust: run `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the instance, or look for it in " +
      "`aws ec2 get-console-output --latest --output text --instance-id ID`, and write its SHA256:... here. " +
      "Don't take it from ssh-keyscan over the open internet: whoever sits in between answers that too.",
  );
};
