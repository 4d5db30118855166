#!/bin/sh
# A command that is none (an option, or a file that can't be run) is meant for node.
set -e
case "${1:-}" in
  -*) exec node "$@" ;;
esac
if ! command -v "${1:-}" >/dev/null 2>&1; then exec node "$@"; fi
exec "$@"
