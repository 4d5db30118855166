import type Docker from "dockerode";
import { appNetwork, LABEL, lineLabels } from "../containers";
import { PROXY_STATE } from "./config";

export const STATE_ROOT = "/var/lib/hello-devops";
export const stateFolder = (app: string): string => `${STATE_ROOT}/${app}`;
export const proxySocket = (app: string): string => `${stateFolder(app)}/run/admin.sock`;

/** Two a connection at the configuration's maxconn of 8000, and room for checks, listeners and a reload. */
const NOFILE = 18_000;

export interface ProxySpec {
  readonly app: string;
  readonly name: string;
  readonly image: string;
  readonly httpPort: number;
  /** the group of docker.sock, by which the deploy's user reaches the proxy's socket */
  readonly dockerGroup: string;
  /** `no` for one that waits to take the port of another */
  readonly restart: "always" | "no";
  readonly transaction: string;
}

/** The proxy: the one thing of ours that stays resident. It sees the state read-only, but for the folder of its socket. */
export function proxyBody(spec: ProxySpec): Docker.ContainerCreateOptions {
  const folder = stateFolder(spec.app);
  return {
    name: spec.name,
    Image: spec.image,
    Cmd: ["haproxy", "-f", `${PROXY_STATE}/current/haproxy.cfg`],
    Labels: { [LABEL.app]: spec.app, [LABEL.role]: "proxy", [LABEL.transaction]: spec.transaction },
    ExposedPorts: { "80/tcp": {} },
    HostConfig: {
      NetworkMode: appNetwork(spec.app),
      PortBindings: { "80/tcp": [{ HostIp: "", HostPort: String(spec.httpPort) }] },
      RestartPolicy: { Name: spec.restart },
      Binds: [`${folder}:${PROXY_STATE}:ro`, `${folder}/run:${PROXY_STATE}/run:rw`],
      GroupAdd: [spec.dockerGroup],
      Sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
      Ulimits: [{ Name: "nofile", Soft: NOFILE, Hard: NOFILE }],
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3", ...lineLabels } },
    },
  };
}

/** A run of the proxy's image that reads a release's configuration, says what is wrong with it, and ends. It has no port. */
export function proxyCheckBody(spec: ProxySpec, release: string): Docker.ContainerCreateOptions {
  const body = proxyBody({ ...spec, restart: "no" });
  return {
    ...body,
    Cmd: ["haproxy", "-c", "-f", `${PROXY_STATE}/releases/${release}/haproxy.cfg`],
    HostConfig: { ...body.HostConfig, PortBindings: {} },
  };
}

/**
 * Makes the app's state folder, as root in a container that lives for a moment: the deploy's user need not be root.
 * Group and mode let whoever may use Docker (who is root on this host already) write there.
 */
export function folderBody(app: string, image: string, dockerGroup: string): Docker.ContainerCreateOptions {
  const script = `set -e; umask 007; cd /hello-devops; chmod 0755 .; mkdir -p "$1/releases" "$1/run"; [ -e "$1/format" ] || echo 1 >"$1/format"
chgrp -R "$2" "$1"; chmod 2770 "$1" "$1/releases" "$1/run"; chmod g+rw "$1/format"; sync`;
  return {
    Image: image,
    User: "0:0",
    Entrypoint: ["/bin/sh", "-c", script, "make-folder", app, dockerGroup],
    Cmd: [],
    Labels: { [LABEL.app]: app, [LABEL.role]: "make-folder" },
    NetworkDisabled: true,
    HostConfig: { Binds: [`${STATE_ROOT}:/hello-devops`], AutoRemove: false },
  };
}
