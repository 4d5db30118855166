#!/bin/bash
# bed-init: PID 1 of a box. Prepares the disk, runs sshd, containerd and dockerd, and starts each again when it dies,
# unless /run/bed/NAME.hold says to leave it down. bash, as PID 1, reaps what it inherits.
# From the environment: BED_KEY (the login's public key), BED_DNS, BED_MIRROR, BED_REGISTRY ("PORT ADDRESS"), BED_CGROUP,
# BED_ENGINE (settings of daemon.json, each with a comma behind it).
set -u
export container=docker # runc and dockerd look for it: without, they try to load AppArmor profiles

# The box's /var/lib is a file system of its own size, in a file on its volume. Without loop devices: a folder there.
prepare_disk() {
  [ "$(findmnt -n -o TARGET /var/lib)" = "" ] || return 0
  local image=/bed/disk.img loop
  if [ ! -e /bed/var-lib ] && loop=$(attach "$image"); then
    mount -o noinit_itable "$loop" /mnt
    [ -e /mnt/dpkg ] || cp -a /var/lib/. /mnt/
    umount /mnt
    mount -o noinit_itable "$loop" /var/lib
    losetup -d "$loop" # takes effect when the file system is unmounted, however the box ends
    echo loop >/run/bed/disk
  else
    [ -e /bed/var-lib ] || cp -a /var/lib /bed/var-lib
    mount --bind /bed/var-lib /var/lib
    echo plain >/run/bed/disk
  fi
}

attach() {
  local image=$1 loop try
  [ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237 || return 1
  if [ ! -e "$image" ]; then
    truncate -s 8G "$image.new" && mkfs.ext4 -q -m 0 "$image.new" && mv "$image.new" "$image" || return 1
  fi
  for try in 1 2 3 4 5 6 7 8 9 10; do
    loop=$(losetup -f) || return 1
    loop=${loop% (lost)} # util-linux 2.41 says so of one whose node has to be made
    [ -b "$loop" ] || mknod "$loop" b 7 "${loop#/dev/loop}" || return 1
    # Another box may have taken it in between.
    if losetup "$loop" "$image" 2>/dev/null; then
      echo "$loop"
      return 0
    fi
    sleep "0.$try"
  done
  rm -f "$image"
  return 1
}

prepare_login() {
  local key=/var/lib/bed/ssh_host_ed25519_key
  mkdir -p /var/lib/bed /run/sshd
  [ -e "$key" ] || ssh-keygen -q -t ed25519 -N '' -C "$(hostname)" -f "$key"
  bed-access boot
}

prepare_docker() {
  local mirrors=''
  [ -z "${BED_MIRROR:-}" ] || mirrors=$(printf '"registry-mirrors": ["%s"],' "$BED_MIRROR")
  mkdir -p /etc/docker
  cat >/etc/docker/daemon.json <<JSON
{
  $mirrors ${BED_ENGINE:-}
  "dns": [$(printf '"%s"' "${BED_DNS// /\",\"}")],
  "cgroup-parent": "$BED_CGROUP",
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "storage-driver": "overlay2"
}
JSON
}

# supervise NAME PAUSE COMMAND...
supervise() {
  local name=$1 pause=$2
  shift 2
  while :; do
    while [ -e "/run/bed/$name.hold" ]; do sleep 0.1; done
    "$@" >>"/var/log/$name.log" 2>&1 &
    echo $! >"/run/bed/$name.pid"
    wait $!
    sleep "$pause"
  done
}

# A reboot: the engine ends its containers, then everything ends.
shut_down() {
  kill "${supervisors[@]}" 2>/dev/null
  bed-ctl dockerd stop
  bed-ctl containerd stop
  exit 0
}

main() {
  trap 'exit 0' TERM # a reboot in the middle of the boot; PID 1 would ignore it
  mkdir -p /run/bed
  prepare_disk
  prepare_login
  prepare_docker
  mount --make-rshared / # as systemd leaves it
  supervisors=()
  supervise sshd 1 /usr/sbin/sshd -D -e &
  supervisors+=($!)
  supervise containerd 1 containerd &
  supervisors+=($!)
  supervise dockerd 2 dockerd --containerd=/run/containerd/containerd.sock &
  supervisors+=($!)
  local port address
  read -r port address <<<"$BED_REGISTRY"
  # The registry has one address, the same here and on the machine: both engines trust plain HTTP on the loopback.
  supervise registry 1 socat "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr" "TCP:$address" &
  supervisors+=($!)
  trap shut_down TERM
  while :; do wait; sleep 1; done
}

main "$@"
