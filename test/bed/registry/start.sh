#!/bin/sh
# With BED_USER and BED_PASSWORD the registry asks for them; without, everybody may pull and push.
# AWS, the one user that ECR knows, has the same password.
set -eu
if [ -n "${BED_USER:-}" ]; then
  # A low cost: the registry checks the password at every request.
  for user in "$BED_USER" AWS; do htpasswd -Bbn -C 4 "$user" "$BED_PASSWORD"; done >/etc/docker/registry/htpasswd
  export REGISTRY_AUTH=htpasswd REGISTRY_AUTH_HTPASSWD_REALM=bed REGISTRY_AUTH_HTPASSWD_PATH=/etc/docker/registry/htpasswd
fi
exec docker-registry serve /etc/docker/registry/config.yml
