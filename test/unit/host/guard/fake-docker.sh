#!/usr/bin/env bash
# docker of a host that is a folder: answers the very calls that guard.sh makes, and the runtime API of its proxy.
#
#   docker/containers/NAME/   running (0, 1), policy, transaction, id, port ("" = none)     docker/networks/NAME
#   docker/slots/SLOT         STATE CONTAINER                          docker/sessions/SLOT   requests in flight
#   docker/weights/SLOT       its part of the traffic
#   docker/worker             the proxy's pid                          docker/loaded          its configuration
#   docker/processes          how many HAProxy processes run in the proxy's container: a master and one worker, as a rule
#   docker/calls              what was asked, a line a call
#   docker/orders/            down: no daemon; fail-VERB: fails; hold-VERB: answers once the file is gone
set -u
cd "${BASH_SOURCE[0]%/*}/../docker" || exit 125
PATH=${PATH#*:} # its own mv and rm are not the guard's

containers=containers
down() { [[ -e orders/down ]]; }
no_daemon() {
  echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >&2
  exit 1
}
put() { printf '%s\n' "$2" >"$1"; }
get() { IFS= read -r got <"$1" || [[ -n $got ]]; }
running() { [[ -d $containers/$1 ]] && get "$containers/$1/running" && [[ $got == 1 ]]; }
# Where a container is called by its id, the name that it has now.
named() { # named NAME-OR-ID
  local file
  name=$1
  [[ $1 =~ ^[0-9a-f]{64}$ ]] || return 0
  for file in "$containers"/*/id; do
    get "$file"
    [[ $got != "$1" ]] || { name=${file%/id} && name=${name##*/}; }
  done
}
port_is_free() { # port_is_free NAME
  local port other
  port=$(<"$containers/$1/port")
  [[ -n $port ]] || return 0
  for other in "$containers"/*/; do
    other=${other%/} other=${other##*/}
    if [[ $other != "$1" && $(<"$containers/$other/port") == "$port" ]] && running "$other"; then
      echo "Error response from daemon: Bind for 0.0.0.0:$port failed: port is already allocated" >&2
      return 1
    fi
  done
}
known() { [[ -d $containers/$1 ]] || { echo "Error: No such container: $1" >&2 && exit 1; }; }

# What HAProxy does with haproxy.cfg as it starts: slots that are not "disabled" take traffic.
load_config() {
  local words
  get app
  cp "$got/current/haproxy.cfg" loaded
  while read -ra words; do
    [[ ${words[0]:-} == server ]] || continue
    put "weights/${words[1]}" 1
    if [[ ${words[3]:-} == disabled ]]; then put "slots/${words[1]}" "maint ${words[2]%:*}"; else put "slots/${words[1]}" "ready ${words[2]%:*}"; fi
  done <loaded
}

slots() {
  local slot number=0 state name bits up
  printf '1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state\n'
  for slot in blue green; do
    number=$((number + 1))
    read -r state name <"slots/$slot"
    case $state in ready) bits=0 up=2 ;; drain) bits=8 up=2 ;; maint) bits=1 up=0 ;; esac
    printf '3 app %s %s 172.18.0.%s %s %s %s 1 0 6 3 7 6 0 0 0 %s 5000\n' \
      "$number" "$slot" "$number" "$up" "$bits" "$(<"weights/$slot")" "$name"
  done
  printf '\n'
}

statistics() { # pxname,svname,qcur,qmax,scur and, as the 18th, status
  local slot state name
  printf '# pxname,svname,qcur,qmax,scur\n'
  for slot in blue green; do
    read -r state name <"slots/$slot"
    case $state in ready) state=UP ;; drain) state=DRAIN ;; maint) state=MAINT ;; esac
    printf 'app,%s,0,0,%s,,,,,,,,,,,,,%s,\n' "$slot" "$(<"sessions/$slot")" "$state"
  done
}

runtime() {
  local command words slot state name
  while IFS= read -r -d ';' command; do
    read -ra words <<<"$command"
    slot=${words[2]:-} slot=${slot#app/}
    case ${words[0]:-}:${words[1]:-}:${words[3]:-} in
      set:server:state) read -r state name <"slots/$slot"; put "slots/$slot" "${words[4]} $name" ;;
      set:server:weight) put "weights/$slot" "${words[4]}" ;;
      set:server:fqdn) read -r state name <"slots/$slot"; put "slots/$slot" "$state ${words[4]}" ;;
      show:servers:app) slots ;;
      show:info:*) printf 'Name: HAProxy\nPid: %s\n' "$(<worker)" ;;
      show:stat:4) statistics ;;
      shutdown:sessions:*) slot=${words[3]#app/}; put "sessions/$slot" 0 ;;
    esac
  done <<<"$1;"
}

inside() { # inside COMMAND...: docker exec in the proxy
  case $1 in
    bash)
      if (($# == 3)); then cat processes && return; fi
      [[ -z ${6:-} || "$(runtime 'show servers state app; show stat app 4 -1')" =~ $6 ]] || exit 1
      runtime "$5; show servers state app"
      ;;
    haproxy)
      local file
      get app; file=$got/${4#/state/}
      if grep -q broken "$file"; then printf '[ALERT] parsing [%s:1]\n[ALERT] fatal\n' "$4" >&2 && exit 1; fi
      printf '[WARNING] one\n[WARNING] two\nConfiguration file is valid\n'
      ;;
  esac
}

# exec -i PROXY ...: orders on a line, each as an exec of its own would be; the daemon's end is the end of it
line() {
  local id pattern commands text
  while IFS='|' read -r id _ pattern commands; do
    down || [[ -e orders/fail-exec ]] || ! running "$1" && exit 1
    if text=$(main exec "$1" bash -c '' - "$commands" "$pattern"); then printf '%s\n' "$id" "$text" "$id yes"; else printf '%s\n' "$id no"; fi
  done
}

network() { # network ls -q --filter name=^/?NAME$ | rm NAME
  local name=${*: -1}
  if [[ $1 == rm ]]; then rm "networks/$name"; return; fi
  name=${name#name=^/?} name=${name%\$}
  [[ ! -e networks/$name ]] || printf '%s\n' "$name"
}

list() { # list -q|-qa --filter KEY=VALUE...
  local every=$1 name='' owner='' long='' folder
  for folder in "$@"; do
    case $folder in
      --no-trunc) long=1 ;;
      id=*) named "${folder#id=}" ;;
      name=*) name=${folder#name=^/} name=${name#\?} name=${name%\$} ;;
      label=hello-devops.transaction=*) owner=${folder##*=} ;;
    esac
  done
  [[ -d $containers/$name ]] || return 0
  [[ -z $owner || $(<"$containers/$name/transaction") == "$owner" ]] || return 0
  if [[ $every == *a* ]] || running "$name"; then
    if [[ -n $long ]]; then cat "$containers/$name/id"; else printf '%s\n' "$name"; fi
  fi
}

step() { # step CALL: only a call that changes something is one; to die before a look is to die before what follows it
  # shellcheck source=/dev/null # crashing-command.sh
  case $1 in
    version* | ps* | "exec -i "* | inspect* | *" ls "* | *" haproxy -c "* | *" - show "*) ;;
    *) . ../bin/step ;;
  esac
}

main() {
  local last=${*: -1} name
  printf '%s\n' "$*" >>calls
  [[ ! -e ../crash-at ]] || step "$*"
  down && no_daemon
  while [[ -e orders/hold-$1 ]]; do sleep 0.01; done
  down && no_daemon
  [[ ! -e orders/fail-$1 ]] || exit 1
  case $1 in start | stop | rm | update) named "$last" && last=$name ;; esac
  case $1 in
    version) echo 29.1.2 ;;
    exec)
      if [[ $2 == -i ]]; then running "$3" && line "$3" || exit 1; else running "$2" && inside "${@:3}" || exit 1; fi
      ;;
    ps) list "${@:2}" ;;
    kill) put worker "$(($(<worker) + 1))"; load_config ;;
    start) known "$last"; running "$last" && exit; port_is_free "$last" || exit 1; put "$containers/$last/running" 1; [[ $last != *-proxy ]] || load_config ;;
    stop) known "$last"; put "$containers/$last/running" 0 ;;
    rm) known "$last"; rm -rf "${containers:?}/$last" ;;
    inspect) known "$last"; [[ $last == *-1 ]] && echo 172.18.0.1 || echo 172.18.0.2 ;;
    update) known "$last"; put "$containers/$last/policy" "$3" ;;
    rename) known "$2"; [[ ! -e $containers/$3 ]] || exit 1; mv "$containers/$2" "$containers/$3" ;;
    network) network "${@:2}" ;;
    *) echo "fake-docker.sh: unknown call $*" >&2; exit 125 ;;
  esac
}

main "$@"
