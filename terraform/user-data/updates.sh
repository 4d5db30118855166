#!/bin/bash
# Installs security updates. Amazon Linux holds an instance to the repositories of its image's day, where none ever arrive:
# hence the release "latest", of which the security updates alone are taken.
set -uo pipefail

dnf --assumeyes --releasever=latest --security upgrade
ended=$?

# An update of containerd stops Docker with it, and systemd does not start again what it stopped itself. Containers run on
# meanwhile (live-restore).
systemctl start docker || ended=1

# A reboot takes the app down for a minute, so its owner decides when: this says in the log whether one is due.
dnf needs-restarting --reboothint
newest=$(find /lib/modules -mindepth 1 -maxdepth 1 -printf '%f\n' | sort --version-sort | tail -n 1) # it knows no kernel6.12
[[ $newest == "$(uname -r)" ]] || echo "A reboot is due: the kernel $newest is installed, $(uname -r) runs."
exit "$ended"
