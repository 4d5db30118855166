import { systemClock } from "../health/clock";
import type { VerifyRequest } from "../health/request";
import { shownUrl } from "../health/shown-url";
import { verify } from "../health/verify";
import type { Verification } from "../release/world";
import { proxyOf } from "./proxy";

/** verify-health as a deploy's gate. The release that answers must name itself, where the proxy names it. */
export function verificationOf(request: VerifyRequest): Verification {
  const around = { clock: systemClock, date: Date.now, proxyOf };
  for (const { url } of request.targets) proxyOf(url); // a wrong proxy is told before any host is touched
  return {
    urls: request.targets.map(({ url }) => shownUrl(url)),
    run({ version, header }, means) {
      const named = header === "" ? {} : { version, versionFrom: { header } };
      return verify({ ...request, expected: { ...request.expected, ...named } }, { ...around, ...means });
    },
  };
}
