# ---------------------------------------------------------------- verbs of the journal: each may run twice

docker_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# is_there LIST-COMMAND... NAME-OR-ID: 0 yes, 1 no, 2 dockerd can't say. One question, so dockerd can't come and go in between.
is_there() {
  local found by="name=^/?${*: -1}\$"
  ! is_id "${*: -1}" || by="id=${*: -1}"
  found=$(docker "${@:1:$#-1}" --filter "$by" 2>/dev/null) || return 2
  [[ -n $found ]]
}
container_is_there() { is_there ps -aq "$1"; }
network_is_there() { is_there network ls -q "$1"; }

# A create or start that dockerd had in hand may still land after its connection has ended: so a container counts as
# gone, or stopped, only when it is found so several times. Traffic has moved back before, so nobody waits for this.
found_clear() { # found_clear FLAG NAME LABEL DEED...: looks with `docker ps -qFLAG`, does the deed to what it finds
  local flag=$1 name=$2 label=$3 found clear=0
  shift 3
  while ((clear < 2 + 2 * fenced)); do
    found=$(docker ps "-q$flag" --filter "label=hello-devops.$label" --filter "name=^/$name\$") || return 1
    if [[ -z $found ]]; then
      clear=$((clear + 1))
      pause 0.4
    else
      clear=0
      "$@" || return 1
    fi
  done
}

remove() { found_clear a "$1" "$(made_here)" stop_and_remove "$1" "$2"; }
stop_and_remove() { stop "$1" "$2" && docker rm -f -v "$1" >/dev/null; }
keep() { found_clear '' "$1" "$(made_here)" stop "$1" "$2"; }
rest() { found_clear '' "$1" role=app stop "$1" "$2"; } # an earlier transaction made it, and it was stopped
made_here() { printf 'transaction=%s' "${transaction_of_journal:-$transaction}"; }

# or_gone NAME: after a deed that failed; it counts as done when the container is not there
or_gone() {
  container_is_there "$1"
  (($? == 1))
}

stop() { docker_limit=$(($2 + 60)) docker stop -t "$2" "$1" >/dev/null || or_gone "$1"; } # stop NAME SECONDS
policy() { docker update --restart "$2" "$1" >/dev/null || or_gone "$1"; }

# A container of the strategy recreate mounts current/starts/NAME: Docker itself starts it, also after a reboot, only while
# the committed release permits it. So two of them never run at once, whatever their restart policies say meanwhile.
permit() { # permit RELEASE NAME
  mkdir -p "releases/$1/starts" && : >"releases/$1/starts/$2" && fsync "releases/$1/starts" "releases/$1" releases
}

forbid() { # forbid RELEASE NAME
  [[ -e releases/$1/starts ]] || return 0
  rm -f "releases/$1/starts/$2" && fsync "releases/$1/starts"
  rmdir "releases/$1/starts" 2>/dev/null || :
}

# The live release ends before the candidate begins: no new requests, and what is in flight is the app's to finish.
stand_aside() { # stand_aside SLOT NAME SECONDS
  set_slots "$1 drain" && stop "$2" "$3"
}

# Its address may be another one now. Whoever waits for the undo finds it serving, unless it takes longer than 30 s to start.
resume() { # resume SLOT NAME
  local address tries
  container_is_there "$2"
  case $? in 1) return 0 ;; 2) return 1 ;; esac
  docker start "$2" >/dev/null || return 1
  proxy_runs
  case $? in 1) return 0 ;; 2) return 1 ;; esac
  address=$(docker inspect -f "{{(index .NetworkSettings.Networks \"hello-devops-$app\").IPAddress}}" "$2") || return 1
  is_address "$address" || return 1
  runtime "set server app/$1 addr $address" >/dev/null 2>&1 || return 1
  set_slots "$1 ready" || return 1
  for ((tries = 0; tries < 150; tries++)); do
    ! is_up "$1" || return 0
    pause 0.2
  done
}

network() {
  network_is_there "$1"
  case $? in 1) return 0 ;; 2) return 1 ;; esac
  docker network rm "$1" >/dev/null
}

forget() { # never what is committed
  [[ "$(readlink current 2>/dev/null)" != "releases/$1" ]] || return 0
  rm -rf "releases/$1" && fsync releases
}

config() { # puts a release's own proxy configuration back; a reload only where it is the one in use
  local folder=releases/$1
  rm -f "$folder/haproxy.cfg.next"
  [[ -e $folder/haproxy.cfg.before ]] || return 0
  cp "$folder/haproxy.cfg.before" "$folder/haproxy.cfg.next" && fsync "$folder/haproxy.cfg.next" || return 1
  mv -T "$folder/haproxy.cfg.next" "$folder/haproxy.cfg" && fsync "$folder" || return 1
  if [[ "$(readlink current)" == "$folder" ]]; then
    proxy_runs
    case $? in 0) reload_proxy || return 1 ;; 2) return 1 ;; esac
  fi
  rm -f "$folder/haproxy.cfg.before" && fsync "$folder" # last: while it is there, a replay reloads
}

history() { # one line a transaction; the newest 200 are kept
  local line mark
  line=$(base64 -d <<<"$1") || return 1
  mark="\"transaction\":\"${transaction_of_journal:-$transaction}\""
  if [[ -e history ]] && grep -qF "$mark" history; then return 0; fi
  if ! { [[ ! -e history ]] || tail -n 199 history; printf '%s\n' "$line"; } >history.next || ! fsync history.next; then
    rm -f history.next
    return 1
  fi
  mv -T history.next history && fsync .
}

# tried LINE: what stays in the history of a transaction that is taken back. A full disk must not be in the way of that.
tried() { history "$1" || :; }

perform() { # perform VERB ARG...
  case $1 in
    remove | keep | rest | stop | policy | network | forget | config | history | tried | vacate | serve_committed) "$@" ;;
    permit | forbid | discard) "$@" ;;
    take-port) take_port "$2" "$3" ;;
    give-back) give_back "$2" ;;
    ready) set_slots "$2 ready" ;; # vacate follows, and marks
    resume) resume "$2" "$3" && mark_return ;;
    maint) set_slots "$2 maint" ;;
    *) false ;;
  esac
}

# perform_surely ENTRY: waits for dockerd as long as it is down; else gives up after a while, and the journal stays.
perform_surely() {
  local words tries=0
  read -ra words <<<"$1"
  until perform "${words[@]}" 2>/dev/null; do
    if docker_answers; then tries=$((tries + 1)); fi
    ((tries < ENTRY_TRIES)) || return 1
    pause 0.5
  done
}

