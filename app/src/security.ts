import type { RequestHandler } from "express";
import helmet from "helmet";
import { themeHash } from "./theme";

export function securityHeaders(version: string): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      // No upgrade-insecure-requests: on a host without TLS it would break the page's own style and script.
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", themeHash(version)],
        connectSrc: ["'self'"],
        imgSrc: ["data:"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // A promise for a whole domain, and for a year: only who ends TLS can make it.
    strictTransportSecurity: false,
  });
}
