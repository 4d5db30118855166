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

