#!/bin/sh
# With BED_USER and BED_PASSWORD the registry asks for them; without, everybody may pull and push.
set -eu
if [ -n "${BED_USER:-}" ]; then
  # A low cost: the registry checks the password at every request.
  htpasswd -Bbn -C 4 "$BED_USER" "$BED_PASSWORD" >/etc/docker/registry/htpasswd
  export REGISTRY_AUTH=htpasswd REGISTRY_AUTH_HTPASSWD_REALM=bed REGISTRY_AUTH_HTPASSWD_PATH=/etc/docker/registry/htpasswd
fi
exec docker-registry serve /etc/docker/registry/config.yml
