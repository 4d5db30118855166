import { afterEach, expect, test } from "@jest/globals";
import { authority, certificate } from "../../support/certificates";
import { httpsServer, inTurn, stopServers } from "../../support/servers";
import { verified } from "../../support/verifying";

afterEach(stopServers);

const ours = authority("Our authority");
const other = authority("Another authority");
const once = { timeout: "1s", interval: "1s", "request-timeout": "900ms" };

test("trusts what ca-certificate signed, under its name, and tells when it ends", async () => {
  const leaf = certificate({ names: ["127.0.0.1"], by: ours, to: 20 });
  const { place } = await httpsServer(leaf, inTurn(200));
  const { status, only } = await verified({ url: `https://${place}/`, "ca-certificate": ours.pem, ...once });
  expect([status, only.certificateExpires]).toEqual(["healthy", leaf.expires]);
});

test("takes several authorities, and each of them", async () => {
  const both = `# ours\n${other.pem}\n\n${ours.pem}`;
  const { place } = await httpsServer(certificate({ by: ours }), inTurn(200));
  expect((await verified({ url: `https://${place}/`, "ca-certificate": both, ...once })).status).toBe("healthy");
});

const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const distrusted: readonly [what: string, tls: Parameters<typeof certificate>[0], seen: string, ca: string][] = [
  [
    "that has expired",
    { by: ours, to: -1, from: -10 },
    `the certificate expired on ${day(-1)} (CERT_HAS_EXPIRED)`,
    ours.pem,
  ],
  [
    "of tomorrow",
    { by: ours, from: 2 },
    `the certificate is not valid before ${day(2)} (CERT_NOT_YET_VALID)`,
    ours.pem,
  ],
  [
    "for other names",
    { by: ours, names: ["shop.example.com", "10.0.0.1"] },
    "the certificate is for shop.example.com, 10.0.0.1, not for 127.0.0.1 (ERR_TLS_CERT_ALTNAME_INVALID)",
    ours.pem,
  ],
  [
    "of another authority",
    { by: ours },
    "the certificate's chain leads to no authority that is trusted here (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
    other.pem,
  ],
  [
    "of an authority that nobody knows",
    { by: ours },
    "the certificate's chain leads to no authority that is trusted here (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
    "",
  ],
  ["signed by itself", {}, "the certificate is signed by itself (DEPTH_ZERO_SELF_SIGNED_CERT)", ""],
];
test.each(distrusted)("a certificate %s is unhealthy, and no request is sent", async (_what, tls, seen, ca) => {
  const leaf = certificate(tls);
  const { place, requests } = await httpsServer(leaf, inTurn(200));
  const { status, only } = await verified({ url: `https://${place}/`, "ca-certificate": ca, ...once });
  expect([status, only.lastSeen, requests.length]).toEqual(["unhealthy", seen, 0]);
  expect(only.certificateExpires).toEqual(leaf.expires);
});

test("a chain that fails by another certificate than the server's own shows no date of that", async () => {
  const expired = authority("An old authority", { from: -20, to: -1 });
  const { place } = await httpsServer(certificate({ by: expired }), inTurn(200));
  const { only } = await verified({ url: `https://${place}/`, "ca-certificate": expired.pem, ...once });
  expect(only.lastSeen).toBe("a certificate of its chain has expired (CERT_HAS_EXPIRED)");
});

test.each(distrusted)("with tls-verify false a certificate %s is taken", async (_what, tls) => {
  const { place } = await httpsServer(certificate(tls), inTurn(200));
  expect((await verified({ url: `https://${place}/`, "tls-verify": "false", ...once })).status).toBe("healthy");
});

test("a certificate that ends sooner than min-certificate-days is unhealthy, and its date is told", async () => {
  const { place } = await httpsServer(certificate({ by: ours, to: 13.5 }), inTurn(200));
  const inputs = { url: `https://${place}/`, "ca-certificate": ours.pem, ...once };
  expect((await verified({ ...inputs, "min-certificate-days": "13" })).status).toBe("healthy");
  const { status, only } = await verified({ ...inputs, "min-certificate-days": "14" });
  expect([status, only.seen]).toEqual(["unhealthy", { "200 certificate": 1 }]);
  expect(only.lastSeen).toBe(
    `status 200, but the certificate expires on ${day(13.5)}, in 13 days, and min-certificate-days is 14`,
  );
});

test("resolve asks another server under the URL's own name, certificate and Host", async () => {
  const { port, requests } = await httpsServer(certificate({ names: ["shop.test"], by: ours }), inTurn(200));
  const inputs = { url: `https://shop.test:${port}/`, resolve: "127.0.0.1", "ca-certificate": ours.pem, ...once };
  const { status, only } = await verified(inputs);
  expect([status, only.name, only.address]).toEqual([
    "healthy",
    `https://shop.test:${port}/ at 127.0.0.1`,
    "127.0.0.1",
  ]);
  expect(requests[0]?.headers.host).toBe(`shop.test:${port}`);
});
