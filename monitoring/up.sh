#!/bin/bash
# up.sh [core|metrics|full] [--without NAME,...]: starts what watches this host, or brings it to what these files say.
# up.sh --down: stops it; its data stay. The profile is the last one that was given, at first what Terraform said
# (/etc/hello-devops/monitoring).
# Safe to run again. After a newer checkout it is the upgrade. A reboot needs nothing.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What the machine must have in MiB: the containers' limits, and room for the system, Docker and an app beside them.
declare -A needs=([core]=0 [metrics]=1800 [full]=7400)
declare -A ports=([node-exporter]=9100 [prometheus]=9090 [alertmanager]=9093 [cadvisor]=9101 [grafana]=3000 [kibana]=5601)

read_words() {
  profile='' without='' down=''
  while [ $# -gt 0 ]; do
    case $1 in
      --without) without=${2:?--without: which?} && shift ;;
      --down) down=yes ;;
      -h | --help) sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}" && exit ;;
      *) profile=$1 ;;
    esac
    shift
  done
  profile=${profile:-$(cat "$settings/monitoring" 2>/dev/null || echo core)}
  [ -n "${needs[$profile]:-}" ] || die "expected core, metrics or full, got \"$profile\""
}

check_memory() {
  local has
  has=$(awk '/^MemTotal:/ { print int($2 / 1024) }' "${MEMINFO:-/proc/meminfo}")
  [ "$has" -ge "${needs[$profile]}" ] ||
    die "$profile needs ${needs[$profile]} MiB of memory, this machine has $has MiB; nothing was started. Take a larger instance, or a smaller profile."
}

list_services() {
  local known name
  known=$(compose --profile "$profile" config --services)
  for name in ${without//,/ }; do
    grep -qx -- "$name" <<<"$known" || die "--without: $profile has no \"$name\"; it has ${known//$'\n'/, }"
  done
  services=$(grep -vx -e "${without//,/$'\n'}" <<<"$known" || :)
}

check_ports() {
  local name port taken running
  running=$(compose --profile '*' ps --services)
  for name in $services; do
    port=${ports[$name]:-}
    if [ -z "$port" ] || grep -qx "$name" <<<"$running"; then continue; fi
    taken=$(ss -Hltnp "sport = :$port")
    [ -z "$taken" ] || die "port $port, which $name needs, is taken; nothing was started. End what listens there, or go --without $name:
$taken"
  done
}

# Where the guard of a deploy, which need not be root, writes its marks: who may use Docker may write there, all may read.
make_marks_folder() {
  install -d -m 2775 -g "$(stat -Lc %g /var/run/docker.sock)" /var/lib/hello-devops/textfile_collector
}

# Each secret is a file of the user that its container runs as. It is never an argument, and never in a backup.
make_secrets() {
  install -d -m 0755 "$settings" "$settings/secrets" "$settings/alertmanager"
  make_password grafana-admin-password 472
  if [ "$profile" = full ]; then
    if [ ! -s "$settings/secrets/elastic-password" ] && docker volume inspect hello-devops-monitoring_elasticsearch >/dev/null 2>&1; then
      die "Elasticsearch has data, and a password that is lost ($settings/secrets/elastic-password); nothing was started. Bring the file back, or
give the logs up: docker volume rm hello-devops-monitoring_elasticsearch"
    fi
    make_password elastic-password 1000
    make_password logstash-password 0
    make_password kibana-password 1000
    make_password kibana-key 1000
    make_password operator-password 0
  fi
  [ -e "$settings/alertmanager/alertmanager.yml" ] ||
    install -m 0644 "$here/alertmanager/alertmanager.yml" "$settings/alertmanager/alertmanager.yml"
}

make_password() {
  local file=$settings/secrets/$1
  [ ! -s "$file" ] || return 0
  (umask 077 && head -c 36 /dev/urandom | base64 >"$file.new")
  chown "$2:0" "$file.new"
  mv "$file.new" "$file"
}

# What another profile, or a run with all parts, left running.
stop_others() {
  local others
  others=$(compose --profile '*' ps --all --services | grep -vx -e "$services" || :)
  # shellcheck disable=SC2086 # names, one word each
  [ -z "$others" ] || compose --profile '*' rm --stop --force $others
}

# A changed configuration is read again without a restart. Not by `docker kill --signal HUP`: that counts as stopped by hand,
# and Docker would not start the container after a reboot (moby, Daemon.killWithSignal).
reload() {
  local name
  for name in prometheus alertmanager; do
    ! grep -qx "$name" <<<"$services" || compose --profile "$profile" exec -T "$name" sh -c 'kill -HUP 1'
  done
}

# Kibana keeps what it shows in Elasticsearch, through itself alone: so after it is up.
fill_kibana() {
  ! grep -qx kibana <<<"$services" || compose --profile "$profile" run --rm --no-deps -T logs-setup kibana
}

keep_profile() { # what up.sh without a word starts the next time
  install -d -m 0755 "$settings"
  echo "$profile" >"$settings/monitoring"
}

main() {
  check_tools
  read_words "$@"
  if [ -n "$down" ] || [ "$profile" = core ]; then
    compose --profile '*' down
    [ -z "$down" ] || return 0
    keep_profile
    echo "monitoring: core is the CloudWatch agent alone; no container of it runs"
    return
  fi
  check_memory
  list_services
  check_ports
  make_secrets
  make_marks_folder
  stop_others
  # shellcheck disable=SC2086
  [ -z "$services" ] || compose --profile "$profile" up --detach --wait --wait-timeout 600 --remove-orphans $services
  reload
  fill_kibana
  keep_profile
  echo "monitoring: $profile is up: ${services//$'\n'/, }. Grafana's password (user admin): sudo cat $settings/secrets/grafana-admin-password"
  [ "$profile" != full ] || echo "monitoring: Kibana's password (user operator): sudo cat $settings/secrets/operator-password"
}

main "$@"
