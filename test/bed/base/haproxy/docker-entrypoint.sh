#!/bin/sh
# `haproxy ARGS`, or options alone, run the master (-W) in the foreground (-db); anything else runs as it is.
set -e
case "${1:-}" in
  haproxy) shift ;;
  -*) ;;
  *) exec "$@" ;;
esac
exec haproxy -W -db "$@"
