import { generateKeyPairSync, sign as signature } from "node:crypto";
import { isIP } from "node:net";
import { asn1, pki } from "node-forge";

const DAY = 86_400_000;

/** One key for all: making it is what takes time, and nobody here looks at it. */
const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});
let serial = 0;

interface Wanted {
  readonly names?: readonly string[];
  /** days from now */
  readonly from?: number;
  readonly to?: number;
  /** whoever signs it; left out = it signs itself */
  readonly by?: Authority;
}

export interface Authority {
  readonly name: string;
  readonly pem: string;
}

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  readonly expires: Date;
}

export function authority(name: string, valid: Pick<Wanted, "from" | "to"> = { to: 100 }): Authority {
  const { cert } = sign(name, [{ name: "basicConstraints", cA: true }], valid);
  return { name, pem: cert };
}

export function certificate({ names = ["127.0.0.1"], ...wanted }: Wanted = {}): Certificate {
  const altNames = names.map((name) => (isIP(name) ? { type: 7, ip: name } : { type: 2, value: name }));
  return sign(names[0] ?? "", [{ name: "subjectAltName", altNames }], wanted);
}

function sign(commonName: string, extensions: object[], { from = -1, to = 30, by }: Wanted): Certificate {
  const cert = pki.createCertificate();
  cert.publicKey = pki.publicKeyFromPem(publicKey);
  cert.serialNumber = `01${(++serial).toString(16).padStart(4, "0")}`;
  cert.validity.notBefore = new Date(Date.now() + from * DAY);
  cert.validity.notAfter = new Date(Math.floor((Date.now() + to * DAY) / 1000) * 1000);
  cert.setSubject([{ name: "commonName", value: commonName }]);
  cert.setIssuer([{ name: "commonName", value: by?.name ?? commonName }]);
  cert.setExtensions(extensions);
  signNatively(cert);
  return { key: privateKey, cert: pki.certificateToPem(cert), expires: cert.validity.notAfter };
}

// left out of the package's types
const { getTBSCertificate } = pki as unknown as { getTBSCertificate(cert: pki.Certificate): asn1.Asn1 };

/** What `cert.sign` of forge does, by Node's own RSA: forge's takes more than a second. */
function signNatively(cert: pki.Certificate): void {
  const algorithm = pki.oids.sha256WithRSAEncryption ?? "";
  Object.assign(cert, { signatureOid: algorithm, siginfo: { algorithmOid: algorithm } });
  const signed = Buffer.from(asn1.toDer(getTBSCertificate(cert)).getBytes(), "binary");
  Object.assign(cert, { signature: signature("sha256", signed, privateKey).toString("binary") });
}
