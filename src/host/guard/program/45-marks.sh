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
