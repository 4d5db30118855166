/** In the order in which a deploy goes through them. */
export const phases = [
  "connect",
  "guard",
  "preflight",
  "pull",
  "pre-deploy",
  "start",
  "probe",
  "shift",
  "bake",
  "commit",
  "retire",
] as const;
export type Phase = (typeof phases)[number];
