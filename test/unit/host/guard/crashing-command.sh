#!/usr/bin/env bash
# Stands in PATH for a command that the guard runs (its own name says which). The guard dies by SIGKILL just before the
# N-th of them (the file crash-at), once: so a test can kill it between any two.
here=${BASH_SOURCE[0]%/*}
if [[ -e $here/../crash-at ]]; then
  printf . >>"$here/../steps"
  read -r steps <"$here/../steps"
  read -r at <"$here/../crash-at"
  if [[ ${#steps} == "$at" ]]; then
    read -r guard <"$here/../guard.pid"
    kill -KILL "$guard"
    exit 137
  fi
fi
name=${BASH_SOURCE[0]##*/}
[[ $name != step ]] || return # sourced by fake-docker.sh
PATH=${PATH#*:} exec "$name" "$@"
