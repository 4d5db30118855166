#!/bin/bash
# Mounts the data volume at /data. A file system is made only on a volume that holds nothing at all.
set -euo pipefail

device=/dev/sdf # Amazon Linux links it to the NVMe device
[[ -e $device ]] || { echo "$device is not attached"; exit 1; }

found=0
blkid --probe "$device" >/dev/null || found=$?
if ((found == 2)); then # nothing; 0: something, 8: several things
  mkfs.xfs -q "$device"
fi

# By UUID: a device's name is another on another instance type. nofail: the host boots without it. Docker waits for the mount,
# else a container would write to the disk below.
line="UUID=$(blkid --probe --match-tag UUID --output value "$device") /data auto defaults,nofail,x-systemd.before=docker.service 0 2"
if ! grep --quiet --line-regexp --fixed-strings "$line" /etc/fstab; then
  sed --in-place '\| /data |d' /etc/fstab
  echo "$line" >>/etc/fstab
  systemctl daemon-reload
fi

mkdir -p /data
mountpoint --quiet /data || mount /data
xfs_growfs /data >/dev/null || true # where data_volume_size was raised; another file system stays as it is
