#!/usr/bin/env bash
# Stands in PATH for a command that the guard runs (its own name says which). The guard dies by SIGKILL just before the
# CRASH_AT-th of them: so a test can kill it between any two steps.
here=${BASH_SOURCE[0]%/*}
printf . >>"$here/../steps"
if [[ $(stat -c %s "$here/../steps") == "${CRASH_AT:-}" ]]; then
  kill -KILL "$(<"$here/../guard.pid")"
  exit 137
fi
name=${0##*/}
if [[ $name == docker ]]; then exec "$here/docker-itself" "$@"; fi
PATH=${PATH#*:} exec "$name" "$@"
