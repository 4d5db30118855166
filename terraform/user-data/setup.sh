#!/bin/bash
# Makes a new instance ready for deploys. A second run changes nothing, and what fails does not keep the rest from the host.
set -uo pipefail
ended=0
try() { "$@" || { echo "setup: failed: $*" >&2; ended=1; }; }

for _ in 1 2 3 4 5; do
  dnf --assumeyes install docker amazon-cloudwatch-agent logrotate && break
  sleep 10
done

try usermod --append --groups docker ec2-user
try systemctl daemon-reload
for unit in hello-devops-log.service docker.service hello-devops-updates.timer logrotate.timer; do
  try systemctl enable --now "$unit"
done
# Not waited for: the instance's role may write its host keys only a moment later.
for unit in hello-devops-{data-volume,host-keys}.service; do
  try systemctl enable "$unit"
  try systemctl start --no-block "$unit"
done
try /opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s \
  -c file:/opt/aws/amazon-cloudwatch-agent/etc/hello-devops.json
exit "$ended"
