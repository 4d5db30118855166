#!/bin/bash
# bed-ctl: plays faults within a box, and asks how it is. Run it with `docker exec BOX bed-ctl ...`.
set -u
usage() {
  cat >&2 <<'TEXT'
bed-ctl dockerd|containerd|sshd stop      end it, and leave it down
bed-ctl dockerd|containerd|sshd start     let it run again, and wait until it answers
bed-ctl dockerd|containerd|sshd kill      SIGKILL; it comes back by itself after a short pause
bed-ctl dockerd|containerd|sshd restart   end it, and wait until it answers again (ssh connections live on, as on a real host)
bed-ctl sshd drop                         end every ssh connection; new ones are taken
bed-ctl disk fill [KIB] | clear           fill the box's disk but for KIB (0); give the space back
bed-ctl wait                              wait until sshd and dockerd answer; prints the disk's kind and the host key
bed-ctl reset [--images]                  back to a new host: containers, networks, volumes, state (and images) go; port 22 opens
TEXT
  exit 2
}

answers() {
  case $1 in
    dockerd) docker version >/dev/null 2>&1 ;;
    containerd) ctr version >/dev/null 2>&1 ;;
    sshd) greets ;;
  esac
}

greets() {
  local banner
  { read -r -t 2 banner </dev/tcp/127.0.0.1/22; } 2>/dev/null && [[ $banner == SSH-2.0-* ]]
}

until_answers() {
  local try
  for ((try = 0; try < 600; try++)); do
    answers "$1" && return 0
    sleep 0.1
  done
  echo "bed-ctl: $1 did not answer within 60 s" >&2
  exit 1
}

signal() {
  local pid
  pid=$(cat "/run/bed/$1.pid" 2>/dev/null) && kill "-$2" "$pid" 2>/dev/null
}

# dockerd waits for its containers' own stop timeouts; what takes longer than any of those hangs.
until_gone() {
  local pid try
  pid=$(cat "/run/bed/$1.pid" 2>/dev/null) || return 0
  for ((try = 0; try < 1000; try++)); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.05
  done
  kill -KILL "$pid" 2>/dev/null
}

service() {
  local name=$1
  case ${2:-} in
    stop)
      touch "/run/bed/$name.hold"
      signal "$name" TERM
      until_gone "$name"
      ;;
    start)
      rm -f "/run/bed/$name.hold"
      until_answers "$name"
      ;;
    kill) signal "$name" KILL ;;
    restart)
      service "$name" stop
      service "$name" start
      ;;
    drop)
      [ "$name" = sshd ] || usage
      # The listener is bed-init's child; the connections are the others, from OpenSSH 9.8 on programs of their own.
      pgrep -x 'sshd(-session|-auth)?' | grep -vx "$(cat /run/bed/sshd.pid)" | { xargs -r kill -KILL 2>/dev/null || :; } # one may end by itself meanwhile
      ;;
    *) usage ;;
  esac
}

disk() {
  local left=${2:-0} free
  case ${1:-} in
    fill)
      [ "$(cat /run/bed/disk)" = loop ] || { echo "bed-ctl: this box shares the machine's disk, it is not filled" >&2; exit 3; }
      free=$(df --output=avail -k /var/lib | tail -n 1)
      # fallocate takes space without a write; of the very last blocks it takes none, and those dd takes.
      fallocate -l "$((free - left - 65536))KiB" /var/lib/bed/filler
      dd if=/dev/zero bs=64k count="$((left ? 1024 : 2048))" status=none >>/var/lib/bed/filler.rest 2>/dev/null
      # The file system finds some more when it writes back: full means full.
      if [ "$left" = 0 ]; then
        for _ in 1 2 3; do
          dd if=/dev/zero bs=4k status=none >>/var/lib/bed/filler.rest 2>/dev/null
          sync -f /var/lib/bed
        done
      fi
      ;;
    clear) rm -f /var/lib/bed/filler /var/lib/bed/filler.rest ;;
    *) usage ;;
  esac
}

wait_ready() {
  until_answers sshd
  until_answers dockerd
  cat /run/bed/disk
  cut -d ' ' -f 1,2 /var/lib/bed/ssh_host_ed25519_key.pub
}

reset() {
  disk clear
  rm -f /run/bed/*.hold
  service sshd drop
  pkill -KILL -u ec2-user # e.g. a guard that was left
  until_answers containerd
  until_answers dockerd
  docker ps -aq | xargs -r docker rm -f -v >/dev/null
  docker network prune -f >/dev/null
  docker volume ls -q | xargs -r docker volume rm -f >/dev/null
  if [ "${1:-}" = --images ]; then docker image ls -aq | sort -u | xargs -r docker image rm -f >/dev/null; fi
  rm -rf /var/lib/hello-devops
  bed-access restore
  find /home/ec2-user -mindepth 1 -maxdepth 1 ! -name .ssh ! -name '.bash*' ! -name .profile -exec rm -rf {} +
  until_answers sshd
}

case ${1:-} in
  dockerd | containerd | sshd) service "$@" ;;
  disk) shift; disk "$@" ;;
  wait) wait_ready ;;
  reset) shift; reset "$@" ;;
  *) usage ;;
esac
