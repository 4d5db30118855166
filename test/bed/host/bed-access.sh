#!/bin/bash
# bed-access: what AWS does around a host, played within a box: its security group's port 22, and the keys that EC2
# Instance Connect sends. Run it with `docker exec BOX bed-access ...`. Door and login outlive a reboot, sent keys don't.
set -u
usage() {
  cat >&2 <<'TEXT'
bed-access lock [CIDR...]   take new connections to port 22 from these sources only; made ones live on
bed-access unlock           take them from everywhere
bed-access keyless | keyed  take the login's own key away; put it back
bed-access sent USER        let the public key on stdin in as USER, for 60 s
bed-access keys USER        print the keys that were sent for USER less than 60 s ago (sshd's AuthorizedKeysCommand)
bed-access restore          unlock, keyed, and no sent key
bed-access boot             door and login as they were before the reboot
TEXT
  exit 2
}

state=/bed/access # on the box's volume
sent=/run/bed/sent-keys

apply_door() {
  local source
  {
    printf '%s\n' '*filter' ':BED-DOOR - [0:0]'
    # A security group tracks connections: what was let in once stays, whatever becomes of its rule.
    printf -- '-A BED-DOOR %s\n' '-m conntrack --ctstate ESTABLISHED -j RETURN' '-i lo -j RETURN'
    while read -r source; do printf -- '-A BED-DOOR -s %s -j RETURN\n' "$source"; done
    printf '%s\n' '-A BED-DOOR -j DROP' COMMIT
  } <"$state/door" | iptables-restore -w --noflush || return
  iptables -w -C INPUT -p tcp --dport 22 -j BED-DOOR 2>/dev/null || iptables -w -I INPUT -p tcp --dport 22 -j BED-DOOR
}

lock() {
  mkdir -p "$state"
  if [ $# = 0 ]; then : >"$state/door"; else printf '%s\n' "$@" >"$state/door"; fi
  apply_door
}

unlock() {
  rm -f "$state/door"
  iptables -w -D INPUT -p tcp --dport 22 -j BED-DOOR 2>/dev/null || return 0
  iptables -w -F BED-DOOR && iptables -w -X BED-DOOR
}

# BED_KEY is in the box's environment: the login's public key.
login() {
  local keys=/home/ec2-user/.ssh/authorized_keys
  install -d -o ec2-user -g ec2-user -m 700 "${keys%/*}"
  if [ -e "$state/keyless" ]; then rm -f "$keys"; else install -o ec2-user -g ec2-user -m 600 /dev/stdin "$keys" <<<"$BED_KEY"; fi
}

keyless() {
  mkdir -p "$state" && touch "$state/keyless" && login
}

keyed() {
  rm -f "$state/keyless" && login
}

# Made aside: sshd sees a whole key or none. A file's time is when its key was sent.
take_key() {
  local folder=$sent/$1 file
  mkdir -p "$folder"
  file=$(mktemp "$sent/new.XXXXXX") && cat >"$file" && chmod 644 "$file" && mv "$file" "$folder/"
}

print_keys() {
  find "$sent/$1" -type f -newermt '-60 seconds' -exec cat {} + 2>/dev/null || :
}

restore() {
  unlock && keyed && rm -rf "$sent"
}

boot() {
  login
  [ ! -e "$state/door" ] || apply_door
}

case ${1:-} in
  lock) shift; lock "$@" ;;
  sent) take_key "${2:?USER is missing}" ;;
  keys) print_keys "${2:?USER is missing}" ;;
  unlock | keyless | keyed | restore | boot) "$1" ;;
  *) usage ;;
esac
