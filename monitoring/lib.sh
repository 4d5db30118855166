# shellcheck shell=bash
# What up.sh and backup.sh share: where things are, and Compose with what compose.yaml asks for.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
settings=${MONITORING_SETTINGS:-/etc/hello-devops}
docker_compose=(docker compose)
COMPOSE=v2.40.3 # https://github.com/docker/compose/releases

die() {
  echo "monitoring: $*" >&2
  exit 1
}

check_tools() {
  [ "$(id -u)" = 0 ] || die "run it as root: sudo $0"
  docker version >/dev/null 2>&1 || die "no Docker engine answers: systemctl start docker"
  if ! docker compose version >/dev/null 2>&1; then get_compose; fi
}

# Amazon Linux has no package of Compose: the release itself then, beside this folder, where it is in nobody's way.
get_compose() {
  local file from alone new
  file=docker-compose-linux-$(uname -m)
  from=${COMPOSE_FROM:-https://github.com/docker/compose/releases/download/$COMPOSE}
  alone=$here/../$file-$COMPOSE
  docker_compose=("$alone")
  [ ! -x "$alone" ] || return 0
  echo "monitoring: this host has no docker compose: taking $from/$file"
  new=$(mktemp -d)
  if ! (
    cd "$new" && curl -fsSL --remote-name-all "$from/$file" "$from/$file.sha256" &&
      sha256sum --check --quiet "$file.sha256" && install -m 0755 "$file" "$alone"
  ); then
    rm -rf "$new"
    die "docker compose could not be had from there; nothing was started. Ubuntu: apt-get install docker-compose-v2. Or put the file, checked, at $alone."
  fi
  rm -rf "$new"
}

compose() {
  local address
  address=$(cat "$settings/address" 2>/dev/null || hostname)
  MONITORING_SETTINGS=$settings MONITORING_HOST=$(hostname) \
    GRAFANA_URL=http://$address:3000 PROMETHEUS_URL=http://$address:9090 KIBANA_URL=http://$address:5601 \
    SETTINGS_READ_ONCE=$(cat "$here"/{docker-api,grafana/provisioning/datasources,kibana,logstash}/* | sha256sum | cut -c 1-16) \
    "${docker_compose[@]}" --file "$here/compose.yaml" "$@"
}
