# ---------------------------------------------------------------- the journal

checksum() { printf '%s' "$1" | sha256sum | cut -c1-16; }

# Space is taken and fsynced first, so that a full disk shows before the first mutation.
open_journal() { # open_journal TARGET
  target=$1 undo=() retire=() unwritten=0 reloaded=0
  head -c "$JOURNAL_SPACE" /dev/zero | tr '\0' '\n' >journal.next && fsync journal.next || return 1
  mv -T journal.next journal && fsync . || return 1
  exec 8<>journal
  append "begin $FORMAT $transaction $target $sshd $sshd_started $SSH_CONNECTION"
}

append() { # on disk when it returns 0
  printf '%s %s\n' "$1" "$(checksum "$1")" >&8 && fsync journal
}

# Entries overwrite the space that was taken at first: the next one begins behind the last whole one.
seek_end() { dd bs=1 count=0 seek="$journal_bytes" status=none >&8 9>&- </dev/null; }

close_journal() {
  exec 8>&-
  rm -f journal journal.next && fsync .
  forget_journal
}

forget_journal() { target='' transaction_of_journal='' undo=() retire=() prepared='' reverting=0 finishing=0; }

# Fills target, undo and retire from a journal that a dead guard left. A torn last line is ignored: its mutation
# was not yet allowed. Any other damage is not guessed at.
load_journal() {
  local line payload torn='' words
  target='' undo=() retire=() prepared='' reverting=0 finishing=0 journal_bytes=0 reloaded=1
  while IFS= read -r line || [[ -n $line ]]; do
    [[ -n $line ]] || continue
    [[ -z $torn ]] || refuse damage "a line in the middle of $STATE/$app/journal is damaged: $torn"
    payload=${line% *}
    if [[ "$(checksum "$payload")" != "${line##* }" ]]; then
      torn=$line
      continue
    fi
    journal_bytes=$((journal_bytes + ${#line} + 1))
    read -ra words <<<"$payload"
    case ${words[0]} in
      begin)
        is_format "${words[1]:-}" || refuse format "${words[1]:-}"
        is_header "${words[@]:2}" || refuse damage "the first line of $STATE/$app/journal is not ours: $payload"
        transaction_of_journal=${words[2]} target=${words[3]}
        dead_sshd=${words[4]} dead_sshd_started=${words[5]} dead_connection=${words[*]:6}
        ;;
      undo | retire)
        valid_entry "${words[@]:1}" || refuse damage "not an entry, in $STATE/$app/journal: $payload"
        if [[ ${words[0]} == undo ]]; then undo+=("${payload#undo }"); else retire+=("${payload#retire }"); fi
        ;;
      taken)
        is_connection "${words[@]:1}" || refuse damage "not a connection, in $STATE/$app/journal: $payload"
        dead_sshd=${words[1]} dead_sshd_started=${words[2]} dead_connection=${words[*]:3}
        ;;
      prepared)
        is_release "${words[1]:-}" || refuse damage "not a release, in $STATE/$app/journal: $payload"
        prepared=${words[1]}
        ;;
      revert) reverting=1 ;;
      finish) finishing=1 ;;
      *) refuse damage "unknown entry ${words[0]} in $STATE/$app/journal" ;;
    esac
  done <journal
}

