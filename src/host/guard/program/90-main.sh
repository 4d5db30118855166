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
