#!/bin/bash
# backup.sh FILE.tar.gz: what Prometheus, Grafana and Alertmanager know, in one file. They pause meanwhile; no app does.
# backup.sh --restore FILE.tar.gz: puts it back, in place of what is there. Passwords are in neither.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

parts=(prometheus grafana alertmanager)

# Runs tar where the volumes are, in the image that the proxy has anyway.
with_volumes() {
  local mounts=() part
  for part in "${parts[@]}"; do mounts+=(--volume "hello-devops-monitoring_$part:/data/$part"); done
  docker run --rm --interactive --network none --user 0:0 --entrypoint "" "${mounts[@]}" haproxy:3.0.11 "$@"
}

# pause/unpause or stop/start around a deed, the second whatever becomes of it.
while_held() {
  local hold=$1 release=$2
  shift 2
  mapfile -t held < <(compose --profile '*' ps --services --status running | grep -x -e prometheus -e grafana -e alertmanager)
  if [ ${#held[@]} -gt 0 ]; then
    trap 'compose --profile "*" '"$release"' "${held[@]}"' EXIT
    compose --profile '*' "$hold" "${held[@]}"
  fi
  "$@"
}

save() {
  (umask 077 && with_volumes tar -C /data -cz "${parts[@]}" >"$1.new")
  mv "$1.new" "$1"
  echo "monitoring: saved to $1 ($(du -h "$1" | cut -f 1))"
}

restore() {
  with_volumes sh -c 'find /data -mindepth 2 -delete && tar -C /data -xz' <"$1"
  echo "monitoring: restored from $1. Grafana's password is the one that it had then."
}

main() {
  check_tools
  case ${1:-} in
    --restore)
      gzip -t "${2:?which file?}" || die "$2 is not a whole backup; nothing was changed"
      while_held stop start restore "$2"
      ;;
    '' | -*) sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}" ;;
    *) while_held pause unpause save "$1" ;;
  esac
}

main "$@"
