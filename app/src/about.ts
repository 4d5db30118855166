/** What this process says of itself. */
export interface About {
  version: string;
  commit: string;
  host: string;
  startedAt: Date;
}
