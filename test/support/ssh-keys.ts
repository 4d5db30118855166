import { utils } from "ssh2";

export interface SshKeys {
  readonly private: string;
  readonly public: string;
}

interface Lock {
  readonly passphrase: string;
  readonly cipher: string;
  readonly rounds: number;
}

/** An ed25519 pair that can be read back: ssh2's generator drops a leading zero byte, which spoils one key in 256. */
export function ed25519(lock?: Lock): SshKeys {
  const pair = lock ? utils.generateKeyPairSync("ed25519", lock) : utils.generateKeyPairSync("ed25519");
  const spoilt =
    utils.parseKey(pair.private, lock?.passphrase) instanceof Error || utils.parseKey(pair.public) instanceof Error;
  return spoilt ? ed25519(lock) : pair;
}
