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
