/** The two places of a proxy that a release's container can take. */
export type Slot = "blue" | "green";

export const otherSlot = (slot: Slot): Slot => (slot === "blue" ? "green" : "blue");

/** What a proxy's configuration says; everything in it is checked text. */
export interface ProxySettings {
  /** milliseconds */
  readonly responseTimeout: number;
  readonly tunnelTimeout: number;
  readonly drainTimeout: number;
  /** '' = none */
  readonly releaseHeader: string;
}

/** The container that the committed configuration sends traffic to. */
export interface Seat {
  readonly slot: Slot;
  readonly container: string;
  readonly port: number;
}

/** How long a client may be silent within a request, in milliseconds: a slow upload is not the app's fault. */
const CLIENT_TIMEOUT = 60_000;

/** Where HAProxy tells Prometheus what it counted: never published, so the host and the app's own network alone reach it. */
const METRICS_PORT = 8404;

/** Where HAProxy finds the state folder of its app; `current` in it is the committed release. */
export const PROXY_STATE = "/state";
const MAP = `${PROXY_STATE}/current/slots.map`;

/**
 * haproxy.cfg for a release (HAProxy 3.0 configuration manual). Servers are found by the containers' own names, never by
 * address: addresses change at a reboot. The last address is kept whatever the resolver answers: Docker's DNS goes away
 * with dockerd, and a live server must not go with it. The check is TCP: a slow /health must not take out a lone server.
 * A slot that leaves maintenance waits for its next `inter` before its first check, so that is short, and `fall` is long:
 * a server counts as down after 4 s of refused connections.
 * A reload ends a kept connection behind its next answer: closed while it is idle, it would cost the request on its way.
 * An app that closes its own idle connections may meet a request on one of them, as at the way back to a release that was
 * idle for the bake. Where that is safe (RFC 9110, 9.2.1) it is sent again, if HAProxy sees the end before a reset: rarer,
 * not never. An app should keep idle connections longer than its clients pause.
 */
export function renderConfig(settings: ProxySettings, seat: Seat | undefined): string {
  const header = settings.releaseHeader && checked(settings.releaseHeader);
  return `# Written by hello-devops. Changes made by hand are lost at the next deploy.
global
  log stdout format raw daemon notice
  maxconn 8000
  hard-stop-after ${settings.drainTimeout}ms
  stats socket ${PROXY_STATE}/run/admin.sock mode 660 level user
  stats socket ipv4@127.0.0.1:9999 level admin
  stats timeout 1h

defaults
  mode http
  log global
  option dontlog-normal
  option redispatch
  option idle-close-on-response
  retries 3
  retry-on conn-failure empty-response
  timeout connect 5s
  timeout http-request 30s
  timeout http-keep-alive 60s
  timeout client ${Math.max(settings.responseTimeout, CLIENT_TIMEOUT)}ms
  timeout server ${settings.responseTimeout}ms
  timeout tunnel ${settings.tunnelTimeout}ms
  timeout client-fin 30s
  timeout queue 30s

resolvers docker
  nameserver dns 127.0.0.11:53
  accepted_payload_size 8192
  resolve_retries 3
  timeout resolve 1s
  timeout retry 1s
  hold valid 1s
  hold obsolete 1d
  hold nx 1d
  hold other 1d
  hold refused 1d
  hold timeout 1d

frontend metrics
  bind :${METRICS_PORT}
  http-request use-service prometheus-exporter if { path /metrics }

frontend http
  bind :80
  http-request del-header Forwarded
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request disable-l7-retry unless { method GET HEAD OPTIONS }
  default_backend app

backend app
${header ? `  http-response del-header ${header}\n  http-response set-header ${header} %[srv_name,map(${MAP})]\n` : `  http-response set-var(txn.release) srv_name,map(${MAP})\n`}  default-server check inter 500ms fastinter 500ms downinter 100ms rise 1 fall 8 resolvers docker resolve-prefer ipv4 init-addr last,libc,127.0.0.1
${server("blue", seat)}
${server("green", seat)}
`;
}

function server(slot: Slot, seat: Seat | undefined): string {
  if (seat?.slot === slot) return `  server ${slot} ${checked(seat.container)}:${seat.port}`;
  return `  server ${slot} ${slot}.invalid:${seat?.port ?? 80} disabled`;
}

/** What `X-Release` says for each slot. */
export function renderMap(versions: Readonly<Record<Slot, string>>): string {
  return `blue ${checked(versions.blue)}\ngreen ${checked(versions.green)}\n`;
}

/** Whoever calls has checked it; here it can't be forgotten: a space or a line end would be a directive of its own. */
function checked(text: string): string {
  if (!/^[0-9A-Za-z._-]{1,64}$/.test(text))
    throw new Error(`not for the proxy's configuration: ${JSON.stringify(text)}`);
  return text;
}
