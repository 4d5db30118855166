# shellcheck shell=bash
# What up.sh and backup.sh share: where things are, and Compose with what compose.yaml asks for.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
settings=${MONITORING_SETTINGS:-/etc/hello-devops}
COMPOSE=v2.40.3 # https://github.com/docker/compose/releases

die() {
  echo "monitoring: $*" >&2
  exit 1
}

check_tools() {
  [ "$(id -u)" = 0 ] || die "run it as root: sudo $0"
  docker version >/dev/null 2>&1 || die "no Docker engine answers: systemctl start docker"
  docker compose version >/dev/null 2>&1 || die "docker compose is missing. Ubuntu: apt-get install docker-compose-v2. Amazon Linux has no package:
  cd \$(mktemp -d) && f=docker-compose-linux-\$(uname -m)
  curl -fsSLO https://github.com/docker/compose/releases/download/$COMPOSE/\$f && curl -fsSLO https://github.com/docker/compose/releases/download/$COMPOSE/\$f.sha256
  sha256sum -c \$f.sha256 && sudo install -D \$f /usr/local/lib/docker/cli-plugins/docker-compose"
}

compose() {
  local address
  address=$(cat "$settings/address" 2>/dev/null || hostname)
  MONITORING_SETTINGS=$settings MONITORING_HOST=$(hostname) \
    GRAFANA_URL=http://$address:3000 PROMETHEUS_URL=http://$address:9090 KIBANA_URL=http://$address:5601 \
    docker compose --file "$here/compose.yaml" "$@"
}
