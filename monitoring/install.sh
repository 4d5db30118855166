#!/bin/bash
# install.sh [-e SSH] USER@HOST [core|metrics|full] [--without NAME,...]: puts this folder on a host, in /opt/hello-devops/monitoring, and runs
# up.sh there. From your machine, by your ssh, which knows the host's key; -e "ssh -i FILE -p PORT" says how, as rsync's does.
# Again from a newer checkout: the upgrade. USER needs sudo.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=/opt/hello-devops/monitoring

ssh=(ssh)
if [ "${1:-}" = -e ]; then
  read -ra ssh <<<"${2:?-e: which ssh?}"
  shift 2
fi
case ${1:-} in '' | -*) sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}" && exit 2 ;; esac
host=$1
shift

# Whole first, then in place of what is there: containers have these folders mounted, so they stay, and their files change.
tar -C "$here" -cz . | "${ssh[@]}" "$host" "set -e
  sudo rm -rf $folder.new; sudo mkdir -p $folder $folder.new
  sudo tar -C $folder.new -xz --no-same-owner
  sudo chmod -R u=rwX,go=rX $folder.new
  sudo find $folder -type f -delete; sudo cp -Rp $folder.new/. $folder; sudo rm -rf $folder.new"
# ssh makes one line of all words: each of ours is quoted for the shell there.
"${ssh[@]}" "$host" "sudo $folder/up.sh ${*@Q}"
