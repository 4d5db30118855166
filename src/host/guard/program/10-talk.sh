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

