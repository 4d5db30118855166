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

