#!/usr/bin/env bash
# guard.sh APP TRANSACTION LEASE HOLDER MODE
#
# Holds the lock of APP on this host while one deploy runs, and takes the deploy back when its runner ends.
# It is sent over an SSH channel for each deploy (bash -s) and is never installed. It reads one message a line
# on stdin and answers one line on stdout; guard.ts is the other end and documents the messages.
#
#   APP          a-z 0-9 -      the folder /var/lib/hello-devops/APP is its state
#   TRANSACTION  a-z 0-9 -      the label of every container that this deploy makes
#   LEASE        seconds        silence after which the runner counts as dead
#   HOLDER       one line       who holds the lock, told to those who wait for it
#   MODE         deploy, look   look: reads only, without the lock and without touching a journal
#
# The lock is the kernel's (flock on fd 9): it dies with this process. The journal is written and fsynced before
# a mutation is allowed, so whoever takes the lock next finds what has to be taken back.
set -u
export LC_ALL=C
umask 007 # the group of the folder shares it, nobody else

readonly FORMAT=1
readonly STATE=${HELLO_DEVOPS_STATE:-/var/lib/hello-devops}
readonly JOURNAL_SPACE=65536
readonly ENTRY_TRIES=40 # half a second apart, for an entry that fails while dockerd answers

# ---------------------------------------------------------------- talking

say() { printf '%s\n' "$*" 2>/dev/null || :; } # a broken pipe ends nothing: the undo must go on

# A read that runs out of time in the middle of a line keeps what has come of it: the rest is on its way.
unfinished=''
hear() { # hear SECONDS: fills $heard; > 128: no whole line yet; else the input has ended
  local more status
  IFS= read -r -t "$1" more
  status=$?
  heard=$unfinished$more unfinished=''
  ((status <= 128)) || unfinished=$heard
  return "$status"
}

refuse() { # refuse REASON DETAIL...: before the lock, or when the state can't be trusted
  say "REFUSED $*"
  exit 0
}

encoded() { base64 -w0 <"$1" 2>/dev/null; }

# Children never hold the lock (a dead guard must free it), nor the line to the proxy, and never eat a message.
docker() { timeout -k 5 "${docker_limit:-60}" docker "$@" 6>&- 7<&- 9>&- </dev/null; }
pause() { sleep "$1" 6>&- 7<&- 9>&-; }
fsync() { sync "$@" 6>&- 7<&- 9>&- </dev/null; }


# ---------------------------------------------------------------- what a name may look like

is_container() { [[ $1 =~ ^[a-z0-9][a-z0-9-]{0,62}$ ]]; }
is_id() { [[ $1 =~ ^[0-9a-f]{64}$ ]]; }
is_release() { [[ $1 =~ ^[a-z0-9][a-z0-9-]{0,31}$ ]]; }
is_version() { [[ $1 =~ ^[0-9A-Za-z._-]{1,64}$ ]]; }
is_slot() { [[ $1 == blue || $1 == green ]]; }
is_seconds() { [[ $1 =~ ^(0|[1-9][0-9]{0,4})$ ]]; } # 08 would be octal in arithmetic
is_format() { [[ $1 =~ ^[0-9]{1,3}$ ]] && ((10#$1 <= FORMAT)); }
is_header() { [[ "$*" =~ ^[a-z0-9-]{1,63}\ [a-z0-9][a-z0-9-]{0,31}\ [0-9]+\ [0-9]+\ [0-9A-Fa-f.:%a-z\ ]+$ ]]; }
is_connection() { [[ "$*" =~ ^[0-9]+\ [0-9]+\ [0-9A-Fa-f.:%a-z\ ]+$ ]]; }
is_share() { [[ $1 =~ ^[1-9][0-9]?$ ]]; } # per cent; all of it is a shift
is_port() { [[ $1 =~ ^[0-9]{1,5}$ ]]; }
is_address() { [[ $1 =~ ^[0-9a-f.:]{2,45}$ ]]; }
is_path() { [[ $1 =~ ^/[A-Za-z0-9/_.-]{0,200}$ ]]; }
is_base64() { [[ $1 =~ ^[A-Za-z0-9+/=]*$ ]]; }
is_state_file() { [[ $1 =~ ^releases/[a-z0-9][a-z0-9-]{0,31}/(release\.json|haproxy\.cfg|haproxy\.cfg\.next|slots\.map)$ ]]; }

# valid_entry VERB ARG...: the fixed list of what a journal may hold. Nothing in it is ever evaluated as shell.
valid_entry() {
  case ${1:-}:$# in
    remove:3 | keep:3 | rest:3 | stop:3) is_container "$2" && is_seconds "$3" ;;
    policy:3) { is_container "$2" || is_id "$2"; } && [[ $3 =~ ^(always|no|unless-stopped|on-failure(:[0-9]{1,5})?)$ ]] ;;
    take-port:3) is_id "$2" && is_seconds "$3" ;;
    give-back:2 | discard:2) is_id "$2" ;;
    forbid:3) is_release "$2" && is_container "$3" ;;
    ready:3 | resume:3) is_slot "$2" && is_container "$3" ;;
    maint:2) is_slot "$2" ;;
    vacate:3) is_slot "$2" && is_seconds "$3" ;;
    config:2 | forget:2) is_release "$2" ;;
    network:2) is_container "$2" ;;
    history:2 | tried:2) is_base64 "$2" ;;
    *) false ;;
  esac
}

# valid_deed VERB ARG...: what a living runner may ask for now (DO).
valid_deed() {
  case ${1:-}:$# in
    write:3) is_state_file "$2" && is_base64 "$3" ;;
    read:2) is_state_file "$2" || [[ $2 == history ]] ;;
    releases:1) : ;;
    space:2) is_path "$2" ;;
    begin-with:2 | check:2 | apply:2) is_release "$2" ;;
    fill:6) is_slot "$2" && is_container "$3" && is_address "$4" && is_port "$5" && is_version "$6" ;;
    shift:4) is_slot "$2" && [[ $2 != "$3" ]] && { is_slot "$3" || [[ $3 == none ]]; } && is_address "$4" ;;
    share:5) is_slot "$2" && is_slot "$3" && [[ $2 != "$3" ]] && is_address "$4" && is_share "$5" ;;
    stand-aside:4) is_slot "$2" && is_container "$3" && is_seconds "$4" ;;
    permit:3) is_release "$2" && is_container "$3" ;;
    policy:3 | forget:2 | forbid:3 | take-port:3) valid_entry "$@" ;;
    *) false ;;
  esac
}


# ---------------------------------------------------------------- the journal

checksum() { printf '%s' "$1" | sha256sum | cut -c1-16; }

# Space is taken and fsynced first, so that a full disk shows before the first mutation.
open_journal() { # open_journal TARGET
  target=$1 undo=() retire=() unwritten=0 reloaded=0
  head -c "$JOURNAL_SPACE" /dev/zero | tr '\0' '\n' >journal.next && fsync journal.next || return 1
  mv -T journal.next journal && fsync . || return 1
  exec 8<>journal
  append "begin $FORMAT $transaction $target $sshd $sshd_started $SSH_CONNECTION"
}

append() { # on disk when it returns 0
  printf '%s %s\n' "$1" "$(checksum "$1")" >&8 && fsync journal
}

# Entries overwrite the space that was taken at first: the next one begins behind the last whole one.
seek_end() { dd bs=1 count=0 seek="$journal_bytes" status=none >&8 9>&- </dev/null; }

close_journal() {
  exec 8>&-
  rm -f journal journal.next && fsync .
  forget_journal
}

forget_journal() { target='' transaction_of_journal='' undo=() retire=() prepared='' reverting=0 finishing=0; }

# Fills target, undo and retire from a journal that a dead guard left. A torn last line is ignored: its mutation
# was not yet allowed. Any other damage is not guessed at.
load_journal() {
  local line payload torn='' words
  target='' undo=() retire=() prepared='' reverting=0 finishing=0 journal_bytes=0 reloaded=1
  while IFS= read -r line || [[ -n $line ]]; do
    [[ -n $line ]] || continue
    [[ -z $torn ]] || refuse damage "a line in the middle of $STATE/$app/journal is damaged: $torn"
    payload=${line% *}
    if [[ "$(checksum "$payload")" != "${line##* }" ]]; then
      torn=$line
      continue
    fi
    journal_bytes=$((journal_bytes + ${#line} + 1))
    read -ra words <<<"$payload"
    case ${words[0]} in
      begin)
        is_format "${words[1]:-}" || refuse format "${words[1]:-}"
        is_header "${words[@]:2}" || refuse damage "the first line of $STATE/$app/journal is not ours: $payload"
        transaction_of_journal=${words[2]} target=${words[3]}
        dead_sshd=${words[4]} dead_sshd_started=${words[5]} dead_connection=${words[*]:6}
        ;;
      undo | retire)
        valid_entry "${words[@]:1}" || refuse damage "not an entry, in $STATE/$app/journal: $payload"
        if [[ ${words[0]} == undo ]]; then undo+=("${payload#undo }"); else retire+=("${payload#retire }"); fi
        ;;
      taken)
        is_connection "${words[@]:1}" || refuse damage "not a connection, in $STATE/$app/journal: $payload"
        dead_sshd=${words[1]} dead_sshd_started=${words[2]} dead_connection=${words[*]:3}
        ;;
      prepared)
        is_release "${words[1]:-}" || refuse damage "not a release, in $STATE/$app/journal: $payload"
        prepared=${words[1]}
        ;;
      revert) reverting=1 ;;
      finish) finishing=1 ;;
      *) refuse damage "unknown entry ${words[0]} in $STATE/$app/journal" ;;
    esac
  done <journal
}


# ---------------------------------------------------------------- the proxy

# runtime COMMANDS [PATTERN]: one line to HAProxy's runtime API (admin level, reachable inside its container alone), then
# the state of both slots: be_name srv_name addr op_state admin_state ... (HAProxy management guide, "show servers state").
# With a pattern only if that state and the statistics match it: to look and to act is one call.
runtime() {
  local status=2
  [[ -z $line ]] || { line_answers "$1" "${2:-}"; status=$?; }
  ((status == 2)) || return "$status"
  docker exec "$app-proxy" bash -c "$ORDERS" - "$1" "${2:-}"
}

# What runs in the container: one order, or those that come on a line, until none has come for a minute.
# shellcheck disable=SC2016 # expanded by the bash in the container
readonly ORDERS='ask() { exec 3<>/dev/tcp/127.0.0.1/9999 && printf "%s\n" "$1" >&3 && cat <&3; }
order() { [[ -z $2 || "$(ask "show servers state app; show stat app 4 -1")" =~ $2 ]] && ask "$1; show servers state app"; }
if (($#)); then order "$@"; exit; fi
while IFS="|" read -r -t 60 id limit pattern commands; do
  read -r up _ </proc/uptime
  ((10#${up/./} < limit)) || continue
  if text=$(order "$commands" "$pattern"); then printf "%s\n" "$id" "$text" "$id yes"; else printf "%s\n" "$id no"; fi
done'

# An exec takes 60 to 120 ms, a deploy has several, and traffic waits for two of them. So one stays open from the slot's
# filling to this guard's end. Its end in the container sees that end, or the minute pass; whatever else becomes of it,
# each order is then an exec of its own again. An order is not taken up once its time is over: what a hung dockerd holds
# back must not land behind the undo.
readonly ORDER_SECONDS=5
line=''
open_line() {
  [[ -z $line ]] || return 0
  line=over
  coproc LINE { exec 8>&- 9>&- docker exec -i "$app-proxy" bash -c "$ORDERS" 2>/dev/null; }
  line_pid=$!
  [[ -n ${LINE[1]:-} ]] || return 0 # it has ended already
  exec 6>&"${LINE[1]}" 7<&"${LINE[0]}" # those of a coproc are not a subshell's
  line=open
}
end_line() { # also in a subshell: whoever comes next finds the pipe's other end gone
  [[ $line == open ]] || return 0
  kill -KILL "$line_pid" 2>/dev/null
  line=over
}

line_answers() { # line_answers COMMANDS PATTERN: as runtime; 2: nobody has answered, and nobody will
  local id="$BASHPID.$RANDOM$RANDOM" row mine='' text='' status
  [[ $line == open ]] || return 2
  printf '%s|%s|%s|%s\n' "$id" "$(($(ticks) + ORDER_SECONDS * 100))" "$2" "$1" 2>/dev/null >&6 || return 2
  while :; do
    IFS= read -r -t "$((ORDER_SECONDS + 1))" row <&7
    status=$?
    ((status == 0)) || break
    case $row in
      "$id") mine=1 ;;
      "$id no") return 1 ;;
      "$id yes") printf '%s\n' "$text" && return ;;
      *) [[ -z $mine ]] || text+=$row$'\n' ;;
    esac
  done
  ((status <= 128)) || end_line
  return 2
}

proxy_runs() { # 1: it doesn't; 2: dockerd can't say, and then it may well run and serve (live-restore)
  local id
  id=$(docker ps -q --filter "name=^/$app-proxy\$" 2>/dev/null) || return 2
  [[ -n $id ]]
}

# admin_state ANSWER SLOT: bit 0 = maint, bit 3 = drain
admin_state() { awk -v s="$2" '$2 == "app" && $4 == s { print $7 }' <<<"$1"; }
weight_of() { awk -v s="$2" '$2 == "app" && $4 == s { print $8 }' <<<"$1"; }

# set_slots "SLOT STATE" ...: in one line, so in one pass of the proxy's loop; read back before it counts as done.
# The state `cut` ends what the slot still carries, `weight N` is its part of the traffic. A proxy that doesn't run has nothing to be told: it starts on what
# `current` says. Whether it runs is asked only when it does not answer: each call of docker's client costs 30 ms.
# Leaves the proxy's answer in `answer`, for sessions.
set_slots() {
  local pair slot state weight bits commands=''
  for pair in "$@"; do
    read -r slot state weight <<<"$pair"
    case $state in
      cut) commands+="shutdown sessions server app/$slot; " ;;
      weight) commands+="set server app/$slot weight $weight; " ;;
      *) commands+="set server app/$slot state $state; " ;;
    esac
  done
  answer=$(runtime "${commands}show stat app 4 -1" "${only_if:-}" 2>/dev/null) || {
    proxy_runs
    case $? in 1) return "$proxy_down_is" ;; *) return 1 ;; esac
  }
  for pair in "$@"; do
    read -r slot state weight <<<"$pair"
    bits=$(admin_state "$answer" "$slot")
    [[ -n $bits ]] || return 1
    case $state in
      ready) (((bits & 9) == 0)) ;;
      drain) (((bits & 9) == 8)) ;;
      maint) (((bits & 1) == 1)) ;;
      weight) [[ "$(weight_of "$answer" "$slot")" == "$weight" ]] ;;
      cut) : ;;
    esac || return 1
  done
}

set_slots_if() { # set_slots_if PATTERN "SLOT STATE" ...
  local only_if=$1
  set_slots "${@:2}"
}

is_up() { # is_up SLOT: its check passed, and it leads to a container
  local row
  row=$(runtime 'show info' 2>/dev/null)
  awk -v s="$1" '$2 == "app" && $4 == s && $6 == 2 && $18 !~ /\.invalid$/ { up = 1 } END { exit !up }' <<<"$row"
}

# sessions SLOT: how many requests, streams and tunnels the slot still carries, by the answer
sessions() { awk -F, -v s="$1" '$1 == "app" && $2 == s { print $5 }' <<<"$answer"; }

old_worker_left() { # a master and one worker is what stays
  local processes
  # shellcheck disable=SC2016 # expanded by the bash in the container
  processes=$(docker exec "$app-proxy" bash -c \
    'n=0; for f in /proc/[0-9]*/comm; do read -r c <"$f" && [[ $c == haproxy ]] && n=$((n + 1)); done; echo "$n"' 2>/dev/null)
  [[ $processes =~ ^[0-9]+$ ]] && ((processes > 2))
}

ticks() { # hundredths of a second since the boot: a clock that nobody sets
  local up
  read -r up _ </proc/uptime && printf '%s' "$((10#${up/./}))"
}

vacate() { # vacate SLOT SECONDS: no new requests; what is in flight may finish; what still runs then is cut
  local slot=$1 end=$(($(ticks) + $2 * 100)) open answer='' looks=0
  # drained since the shift, and idle: as a rule
  if ((!reloaded)) && committed && set_slots_if "app,$slot,[0-9]*,[0-9]*,0,([^,]*,){12}DRAIN," "$slot cut" "$slot maint"; then
    return 0
  fi
  set_slots "$slot drain" || return 1
  mark_return
  while open=$(sessions "$slot") && [[ -n $open ]] && ((open > 0 && $(ticks) < end)); do
    pause "0.$((looks < 5 ? 0 : 2))2" # most requests are over at once
    looks=$((looks + 1))
    answer=$(runtime "show stat app 4 -1" 2>/dev/null)
  done
  # after a reload the worker before it still carries its own connections, to the servers as they were then
  while ((reloaded)) && committed && (($(ticks) < end)) && old_worker_left; do
    pause 0.2
  done
  set_slots "$slot cut" "$slot maint"
}

reload_proxy() { # the new worker serves before this returns
  local was now tries
  reloaded=1
  was=$(runtime 'show info' 2>/dev/null | awk '$1 == "Pid:" { print $2 }')
  [[ -n $was ]] && docker kill -s USR2 "$app-proxy" >/dev/null || return 1
  for ((tries = 0; tries < 50; tries++)); do
    now=$(runtime 'show info' 2>/dev/null | awk '$1 == "Pid:" { print $2 }')
    [[ -n $now && $now != "$was" ]] && return 0
    pause 0.1
  done
  return 1
}


# ---------------------------------------------------------------- marks: when a release got the traffic

# For graphs: one line of Prometheus' text format for each, in a file of the app that node-exporter's textfile collector
# reads (docs/adr/0021). Whoever wants marks makes the folder; no app is called so, for the underscore.
readonly MARKS=$STATE/textfile_collector
readonly MARK=hello_devops_release_timestamp_seconds
readonly MARKS_KEPT=20

# Nobody waits for a mark, and nothing fails by one that could not be written.
mark() { # mark EVENT RELEASE SLOT
  local file=$MARKS/$app.prom series="$MARK{app=\"$app\",release=\"$2\",slot=\"$3\",event=\"$1\"}" now
  now=$(date +%s.%3N)
  if ! (
    umask 002 # node-exporter is another user, and another user may deploy next
    {
      printf '# HELP %s When a release got the live traffic.\n# TYPE %s gauge\n' "$MARK" "$MARK"
      grep "^$MARK{" "$file" | grep -vF "$series" | tail -n "$((MARKS_KEPT - 1))" # a series may be there once
      printf '%s %s\n' "$series" "$now"
    } >"$file.next" && mv -T "$file.next" "$file"
  ) 6>&- 7<&- 8>&- 9>&- </dev/null 2>/dev/null; then
    rm -f "$file.next" 2>/dev/null
    say "UNMARKED $file"
  fi
}

# The newest mark is the last: by it any guard knows who has the traffic, also the one that comes after a dead one.
marked_last() { [[ "$(tail -n 1 "$MARKS/$app.prom" 2>/dev/null)" == *"release=\"$1\""* ]]; }

mark_arrival() { # mark_arrival SLOT: of a share, or of all traffic
  [[ -d $MARKS ]] && ! marked_last "$target" || return 0
  mark "$change" "$target" "$1"
}

mark_return() { # only where the release that is taken back had traffic
  local release slot
  [[ -d $MARKS ]] && ! committed && marked_last "$target" || return 0
  release=$(readlink current)
  read -r slot _ < <(committed_seat)
  mark put-back "${release#releases/}" "$slot"
}

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


# ---------------------------------------------------------------- the host's port changes hands

# Docker gives a port to one container. HOLDER, which has it, is the proxy before this one or a container made by hand,
# known by its id; $app-proxy-next waits beside it. Until the commit Docker itself starts the holder after a reboot
# (`always`) and not the next one (`no`); the journal's `retire` turns that round. Each of these may run twice.

id_of() { docker ps -aq --no-trunc --filter "name=^/?$1\$"; } # nothing = no such container; fails: dockerd can't say

# What is in flight may end within SECONDS; meanwhile new connections are refused.
take_port() { # take_port HOLDER SECONDS: $app-proxy-next becomes $app-proxy, in the holder's place
  local named next
  named=$(id_of "$app-proxy") && next=$(id_of "$app-proxy-next") || return 1
  [[ $named != "$1" ]] || docker rename "$app-proxy" "$app-proxy-before" || return 1
  [[ -z $next ]] || docker rename "$app-proxy-next" "$app-proxy" || return 1
  stop "$1" "$2" && docker start "$app-proxy" >/dev/null
}

give_back() { # give_back HOLDER: it has the port again, and the proxy's name if that was its own
  local named before
  end_line # it leads to the one that goes
  named=$(id_of "$app-proxy") || return 1
  [[ -z $named || $named == "$1" ]] || stop_and_remove "$app-proxy" 1 || return 1
  before=$(id_of "$app-proxy-before") || return 1
  [[ -z $before ]] || docker rename "$app-proxy-before" "$app-proxy" || return 1
  docker start "$1" >/dev/null || or_gone "$1"
}

discard() { docker rm -f -v "$1" >/dev/null || or_gone "$1"; } # discard HOLDER

# ---------------------------------------------------------------- back, and forward

take_back() {
  local i entry words later=()
  proxy_down_is=0
  for ((i = ${#undo[@]} - 1; i >= 0; i--)); do
    entry=${undo[i]}
    read -ra words <<<"$entry"
    # What brings the traffic back waits neither for the history nor for a policy that Docker can't write on a full disk.
    if [[ ${words[0]} == tried ]] || { [[ ${words[0]} == policy ]] && ! perform "${words[@]}" 2>/dev/null && docker_answers; }; then
      later+=("$entry")
      continue
    fi
    perform_surely "$entry" || { failed_entry=$entry; return 1; }
    say "UNDONE ${entry:0:100}"
  done
  for entry in "${later[@]}"; do
    perform_surely "$entry" || { failed_entry=$entry; return 1; }
    say "UNDONE ${entry:0:100}"
  done
  start_proxy
  close_journal
}

finish() { # after the rename everything leads forward
  local entry
  proxy_down_is=0
  perform_surely serve_committed || { failed_entry=serve_committed; return 1; }
  for entry in "${retire[@]}"; do
    perform_surely "$entry" || { failed_entry=$entry; return 1; }
    say "FINISHED ${entry:0:60}"
  done
  close_journal
}

# A proxy that restarted between the shift and the rename serves what was committed before: it has to load `current`.
serve_committed() {
  local slot name row bits fqdn
  read -r slot name < <(committed_seat)
  [[ -n $slot ]] || return 0
  row=$(runtime 'show info' 2>/dev/null) || {
    proxy_runs
    (($? == 1))
    return
  }
  read -r bits fqdn < <(awk -v s="$slot" '$2 == "app" && $4 == s { print $7, $18 }' <<<"$row")
  [[ -n $bits ]] || return 1
  if (((bits & 9) != 0)) || [[ $fqdn != "$name" ]]; then reload_proxy; fi
}

committed_seat() { awk '$1 == "server" && !/ disabled/ { sub(/:.*/, "", $3); print $2, $3 }' current/haproxy.cfg; } # SLOT NAME

start_proxy() { # somebody stopped it by hand: the committed release is to serve
  container_is_there "$app-proxy" && ! proxy_runs && docker start "$app-proxy" >/dev/null 2>&1
  return 0
}

# Forward or back. Once it is on disk, a journal that was `prepared` is not what it was, and nobody takes it over.
may_finish() { ((finishing)) || { ((!reverting)) && committed; }; }
decide() { # decide finish|revert
  [[ -n $prepared ]] && ((!reverting && !finishing)) || return 0
  { : >&8; } 2>/dev/null || { exec 8<>journal && seek_end; }
  append "$1" || { failed_entry=$1 && return 1; }
  if [[ $1 == finish ]]; then finishing=1; else reverting=1; fi
}
point_back() { ! committed || point_current "$prepared" || { failed_entry="point $prepared" && return 1; }; }
committed() { [[ -n $target && "$(readlink current 2>/dev/null)" == "releases/$target" ]]; }

# Replays whatever the journal says; used alike after an abort, a crash and a lost runner. A line or a rename that is seen
# may be in memory alone: it is fsynced before anything is built on it.
settle() {
  fsync journal . || :
  if may_finish; then decide finish && finish
  else decide revert && point_back && take_back; fi || {
    stuck=1
    return 1
  }
}

# Nothing of a connection may land after the undo: a command that the wire delayed would. So the connection ends first:
# our own, or that of a guard which died and whose runner may still live. Its channels are found by what sshd gave each
# of them, SSH_CONNECTION; ours is the session that we lead.
fence() { # fence SSHD STARTED CONNECTION
  local pid others tries
  fenced=1
  [[ "$(started "$1")" == "$2" ]] && kill -KILL "$1" 2>/dev/null
  for ((tries = 0; tries < 100; tries++)); do
    others=$(channels "$3")
    [[ -n $others || "$(started "$1")" == "$2" ]] || return 0
    if ((tries >= 10)); then
      for pid in $others; do kill -KILL "$pid" 2>/dev/null; done
    fi
    pause 0.05
  done
  return 1 # another user's, as a rule
}

started() { awk '{ sub(/^.*\) /, ""); print $20 }' "/proc/$1/stat" 2>/dev/null; }
session_of() { awk '{ sub(/^.*\) /, ""); print $4 }' "/proc/$1/stat" 2>/dev/null; }

channels() { # channels CONNECTION
  local file pid session
  while IFS= read -r file; do
    pid=${file//[!0-9]/} session=$(session_of "$pid")
    # without a session it is gone already, as the grep that found itself is
    [[ -z $session || $session == "$own_session" ]] || printf '%s\n' "$pid"
  done < <(grep -lsFxz "SSH_CONNECTION=$1" /proc/[0-9]*/environ 9>&- </dev/null)
}


# ---------------------------------------------------------------- deeds: what the runner asks for now

write_file() { # write_file PATH BASE64
  mkdir -p "${1%/*}" && base64 -d <<<"$2" >"$1.tmp" && fsync "$1.tmp" && mv -T "$1.tmp" "$1" && fsync "${1%/*}" && fsync releases
}

deed() { # deed VERB ARG...: its answer, if any, is one word on stdout
  proxy_down_is=1
  case $1 in
    write) write_file "$2" "$3" ;;
    read) [[ ! -e $2 ]] || encoded "$2" ;;
    releases) list_releases ;;
    space) df -Pk "$2" | awk 'NR == 2 { print $4 }' ;;
    begin-with) [[ -e current ]] || point_current "$2" ;;
    check) docker exec "$app-proxy" haproxy -c -f "/state/releases/$2/haproxy.cfg" 2>&1 ;;
    apply) apply_config "$2" ;;
    fill) fill "$2" "$3" "$4" "$5" "$6" ;;
    shift) shift_to "$2" "$3" "$4" ;;
    share) share_to "$2" "$3" "$4" "$5" ;;
    stand-aside) stand_aside "$2" "$3" "$4" ;;
    take-port) take_port "$2" "$3" ;;
    policy | forget | permit | forbid) "$@" ;;
  esac
}

list_releases() { # every release.json, as one array
  local file first=1
  {
    printf '['
    for file in releases/*/release.json; do
      [[ -e $file ]] || continue
      ((first)) || printf ','
      cat "$file"
      first=0
    done
    printf ']'
  } | base64 -w0
}

# A slot takes traffic only after a check that began after this: its health is set down, so that UP is news.
fill() {
  local slot=$1 name=$2 address=$3 port=$4 version=$5 answer
  answer=$(runtime "set server app/$slot state maint; set server app/$slot addr $address port $port; \
set server app/$slot fqdn $name; set map /state/current/slots.map $slot $version; \
set server app/$slot state drain; set server app/$slot health down") || return 1
  [[ "$(admin_state "$answer" "$slot")" =~ ^[0-9]+$ ]] || { printf '%s' "$answer"; return 1; }
}

# A proxy that restarted since has forgotten what the slot was filled with, and would send all traffic nowhere: so only a
# slot whose check passed, and which leads to this address, gets it.
shift_to() { # shift_to SLOT FROM|none ADDRESS
  local pairs=("$1 ready")
  [[ $2 == none ]] || pairs+=("$2 drain")
  set_slots_if_up "$1" "$3" "${pairs[@]}"
}

# The slot takes so much of the traffic, and the other one, which serves already, the rest.
share_to() { # share_to SLOT OTHER ADDRESS PERCENT
  set_slots_if_up "$1" "$3" "$1 weight $4" "$2 weight $((100 - $4))" "$1 ready"
}

set_slots_if_up() { # set_slots_if_up SLOT ADDRESS "SLOT STATE"...
  set_slots_if "app [0-9]+ $1 ${2//./\\.} 2 " "${@:3}" && return
  printf 'the slot %s is not up' "$1"
  return 1
}

# New settings for the release that serves now: checked by the proxy itself, swapped in by a rename, reloaded.
apply_config() {
  local folder=releases/$1 report
  report=$(docker exec "$app-proxy" haproxy -c -f "/state/$folder/haproxy.cfg.next" 2>&1) || { printf '%s' "$report"; return 1; }
  [[ -e $folder/haproxy.cfg.before ]] || ln "$folder/haproxy.cfg" "$folder/haproxy.cfg.before" || return 1
  mv -T "$folder/haproxy.cfg.next" "$folder/haproxy.cfg" && fsync "$folder" && reload_proxy
}

# THE COMMIT POINT: one rename. A reader of the link sees the old release or the new one, never neither.
point_current() {
  local before
  before=$(readlink current)
  ln -sfn "releases/$1" current.next && mv -T current.next current || return 1
  fsync . && return 0
  [[ -z $before ]] || { ln -sfn "$before" current.next && mv -T current.next current; } # it would not outlive a power cut
  return 1
}


# ---------------------------------------------------------------- messages of the runner

answer() { # answer N STATUS TEXT: one line; a failure's text goes as base64
  if (($2 == 0)); then say "OK $1 ${3//$'\n'/ }"; else say "FAIL $1 $(printf '%s' "$3" | head -c 4000 | base64 -w0)"; fi
}

on_message() {
  local words kind n text status
  read -ra words <<<"$1"
  kind=${words[0]:-} n=${words[1]:-0}
  [[ $n =~ ^[0-9]+$ ]] || broken "number expected, got $n"
  words=("${words[@]:2}")
  case $kind in
    BEAT) say "OK $n" ;;
    BEGIN) begin "$n" "${words[0]:-}" ;;
    UNDO | RETIRE) note "$n" "$kind" "${words[@]}" ;;
    DO)
      if ! valid_deed "${words[@]}"; then answer "$n" 1 "not a deed: ${words[*]:0:2}"
      elif ((unwritten)); then answer "$n" 1 "an entry before it could not be written"
      else
        case ${words[0]} in # here: what a deed sets ends with its subshell
          apply) reloaded=1 ;;
          fill | stand-aside) open_line ;;
        esac
        text=$(deed "${words[@]}" 2>&1)
        status=$?
        answer "$n" "$status" "$text"
        case $status:${words[0]} in 0:share | 0:shift) mark_arrival "${words[1]}" ;; esac
      fi
      ;;
    PREPARE) prepare "$n" ;;
    COMMIT) commit "$n" ;;
    FINISH)
      if ! may_finish; then answer "$n" 1 "nothing is committed"
      elif decide finish && finish; then say "RETIRED $n"
      else say "STUCK $n $failed_entry"; fi
      ;;
    REVERT) revert "$n" ;;
    ABORT)
      if may_finish; then text=COMMITTED; else text=ABORTED; fi
      end_with "$n" "$text"
      ;;
    BYE) leave "$n" ;;
    *) broken "unknown message $kind" ;;
  esac
}

begin() { # begin N RELEASE
  if [[ -n $target ]] || ! is_release "$2"; then answer "$1" 1 "cannot begin $2"
  elif open_journal "$2" 2>/dev/null; then
    if [[ -e releases/$2/release.json ]]; then change=rollback; else change=deploy; fi # to a release that was here before
    answer "$1" 0 ''
  else
    rm -f journal.next
    answer "$1" 1 "the undo journal can't be written: $(df -Pk . | awk 'NR == 2 { print $4 }') KiB are free on $PWD"
    target=''
  fi
}

# On disk before it is answered. The runner need not wait for that: behind an entry that could not be written nothing is done.
note() { # note N UNDO|RETIRE ENTRY...
  local n=$1 kind=$2
  shift 2
  if [[ -z $target ]] || ! valid_entry "$@"; then answer "$n" 1 "not a journal entry: $*"
  elif append "${kind,,} $*"; then
    if [[ $kind == UNDO ]]; then undo+=("$*"); else retire+=("$*"); fi
    answer "$n" 0 ''
  else
    unwritten=1
    answer "$n" 1 "the undo journal can't be written"
  fi
}

# A fleet's host: all but the rename is done. From here on a lost runner gets a lease's time to come back and decide.
prepare() {
  local was
  was=$(readlink current)
  if ((!unwritten)) && [[ -n $target && -e releases/$target/haproxy.cfg ]] && append "prepared ${was#releases/}"; then
    prepared=${was#releases/}
    answer "$1" 0 ''
  else answer "$1" 1 "current can't be prepared for $target"; fi
}

commit() {
  if ((unwritten)) || [[ -z $target || ! -e releases/$target/haproxy.cfg ]] || ! point_current "$target"; then
    answer "$1" 1 "current could not be renamed"
    return
  fi
  say "COMMITTED $1"
}

# Another host of the fleet could not commit, and nothing was retired here: what was committed goes back.
revert() {
  if [[ -z $prepared ]] || ((finishing)) || ! decide revert; then
    answer "$1" 1 "nothing is prepared"
    return
  fi
  end_with "$1" ABORTED
}

end_with() { # end_with N WORD: settles, and this guard is over
  if settle; then say "$2 $1"; else say "STUCK $1 $failed_entry"; fi
  exit 0
}

leave() { # with a transaction open this is an abort
  if [[ -n $target ]] && ((!stuck)); then settle; fi
  say "OK $1"
  exit 0
}

# ---------------------------------------------------------------- the lock, the loop, and what comes first

# The runner asks for the lock when it is this host's turn: hosts of a fleet are locked one after the other.
#   first   a deploy that begins; this lock held by its own transaction is a host that it names twice
#   again   the same deploy after a lost connection: a prepared journal of its own is taken over, not replayed
#   settle  whatever an earlier guard of it left is replayed
await_turn() {
  local n how=''
  until [[ -n $how ]]; do
    hear "$lease" || exit 0
    case $heard in
      BEAT\ *) say "OK ${heard#BEAT }" ;;
      LOCK\ *) read -r _ n how _ <<<"$heard" ;;
      *) refuse message "LOCK expected" ;;
    esac
  done
  [[ $n =~ ^[0-9]+$ && $how =~ ^(first|again|settle)$ ]] || refuse message "LOCK expected"
  turn=$how turn_number=$n
}

take_lock() {
  local status told='' holder_now='' owner='' unnamed=0
  until flock -n 9 && nobody_comes_back; do
    { IFS= read -r holder_now && IFS= read -r owner; } 2>/dev/null <holder
    [[ $turn == first || -e reconnect ]] || printf '%s\n' "$transaction" >reconnect 2>/dev/null
    if [[ ${owner:-} == "$transaction" ]]; then
      [[ $turn != first ]] || refuse twice "$holder_now"
    elif [[ ${holder_now:0:400} != "$told" ]]; then
      say "HELD ${holder_now:0:400}"
      told=${holder_now:0:400}
    elif [[ -z $told ]] && ((++unnamed == 10)); then
      say HELD # on a full disk it could not write who it is
    fi
    hear 0.3
    status=$?
    if ((status == 0)); then
      [[ $heard == BEAT\ * ]] && say "OK ${heard#BEAT }" || exit 0
    elif ((status <= 128)); then
      exit 0
    fi
  done
  rm -f reconnect
  printf '%s\n%s\n' "$holder" "$transaction" >holder 2>/dev/null
  say "OK $turn_number"
}

broken() { # broken WHY: a runner that can't be understood is no runner
  if [[ -n $target ]]; then lose "$1"; else refuse message "$1"; fi
}

lose() { # lose WHY
  say "LOST $1"
  fence "$sshd" "$sshd_started" "$SSH_CONNECTION"
  [[ -z $target ]] || ((stuck)) || { await_reconnect "$transaction" && settle; }
  exit 0
}

# Other hosts of the fleet may be committed by now, or may have failed to: for a lease, that is the runner's to say. It
# comes back with a guard of its own, to which the lock and the journal are left as they are.
await_reconnect() { # await_reconnect TRANSACTION; 1: it came, and has the lock
  local tries
  [[ -n $prepared ]] && ((!reverting && !finishing)) || return 0
  for ((tries = 0; tries < lease * 5; tries++)); do
    [[ "$(cat reconnect 2>/dev/null)" != "$1" ]] || hand_over "$1" || return 1
    pause 0.2
  done
}

# A guard that was killed, or died with its host, may leave a prepared journal whose runner lives and is on its way.
nobody_comes_back() {
  local status
  [[ $turn == first && -e journal ]] || return 0
  load_journal
  await_reconnect "$transaction_of_journal"
  status=$?
  forget_journal
  return "$status"
}

# It lets go, and looks again: a guard that asked and died since would leave a journal that nobody settles.
hand_over() {
  rm -f reconnect
  flock -u 9
  pause 1 # longer than whoever waits for the lock sleeps
  flock -n 9 || return 1
  [[ ! -e journal ]] || load_journal
  if [[ ! -e journal || $transaction_of_journal != "$1" ]]; then
    flock -u 9
    return 1
  fi
  fence "$dead_sshd" "$dead_sshd_started" "$dead_connection" # it may have come, and died since
}

serve() {
  local status ending
  while :; do
    hear "$lease"
    status=$? # kept at once: a test around it would lose it, and a run-out lease would look like end of input
    if ((status == 0)); then
      on_message "$heard"
      continue
    fi
    ((status > 128)) && ending='the lease ran out' || ending='end of input'
    lose "$ending"
  done
}

tell_facts() { # what the Engine API doesn't tell; KiB
  say "FACTS $(stat -Lc %g /var/run/docker.sock 2>/dev/null || echo -)" \
    "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)"
}

main() {
  app=$1 transaction=$2 lease=$3 holder=$4 mode=$5
  transaction_of_journal='' target='' undo=() retire=() prepared='' reverting=0 finishing=0 unwritten=0 reloaded=1
  change='' fenced=0 stuck=0 failed_entry='' proxy_down_is=1
  trap '' HUP PIPE
  say "GUARD $FORMAT"
  sshd=$PPID sshd_started=$(started "$PPID") own_session=$(session_of $$)
  [[ "$(cat "/proc/$sshd/comm" 2>/dev/null)" == sshd* ]] || refuse sshd "its parent is not OpenSSH's sshd"
  [[ -n ${SSH_CONNECTION:-} && -n $sshd_started ]] || refuse sshd "SSH_CONNECTION is not set by its sshd"
  outlives_logout || refuse kill-user-processes
  type -P docker >/dev/null || refuse client
  tell_facts
  cd "$STATE/$app" 2>/dev/null || refuse absent
  [[ -w . ]] || refuse rights "$STATE/$app"
  if [[ -s format ]] && ! is_format "$(head -c 9 format)"; then refuse format "$(head -c 9 format)"; fi
  recovered=nothing
  await_turn
  if [[ $mode == look ]]; then
    say "OK $turn_number"
    [[ ! -e journal ]] || recovered=pending
    look
  fi
  exec 9>>lock || refuse rights "$STATE/$app/lock"
  take_lock
  rm -f journal.next # of a guard that was killed as it began
  [[ ! -e journal ]] || recover
  tell_ready
  serve
}

tell_ready() {
  local current
  current=$(readlink current 2>/dev/null)
  say "READY ${current#releases/} $recovered"
}

recover() { # a journal without a lock holder is a deploy that died
  load_journal
  if [[ -z $target ]]; then # its header never got to disk: nothing was allowed
    close_journal
    return
  fi
  fence "$dead_sshd" "$dead_sshd_started" "$dead_connection" ||
    refuse fence "the connection of the deploy that died (sshd process $dead_sshd) can't be ended by $(id -un). End it: sudo kill $dead_sshd"
  if [[ $turn == again && $transaction_of_journal == "$transaction" && -n $prepared ]] && ((!reverting && !finishing)); then
    take_over
    return
  fi
  if may_finish; then recovered=finished; else recovered=undone; fi
  settle || say "STUCK 0 $failed_entry"
  fenced=0
}

take_over() { # the journal goes on, with the connection that a later guard has to fence
  exec 8<>journal
  { fsync journal . && seek_end && append "taken $sshd $sshd_started $SSH_CONNECTION"; } || refuse journal "it can't be written"
  fenced=0 recovered=prepared
  ! may_finish || recovered=committed
}

look() { # deeds that read, until the input ends
  local kind verb
  tell_ready
  while hear "$lease"; do
    read -r kind _ verb _ <<<"$heard"
    case $kind:$verb in
      BEAT:* | BYE:* | DO:read | DO:releases | DO:space) on_message "$heard" ;;
      *) refuse message "a look changes nothing" ;;
    esac
  done
  exit 0
}

# With logind's KillUserProcesses=yes the end of the session is the end of the guard. (logind.conf(5))
outlives_logout() {
  command -v busctl >/dev/null 2>&1 || return 0
  [[ "$(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager KillUserProcesses 2>/dev/null 9>&- </dev/null)" != "b true" ]]
}

main "$@" # the last line, so that half a program received runs nothing
