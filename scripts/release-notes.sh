#!/usr/bin/env bash
# Prints what CHANGELOG.md says of a version. Usage: release-notes.sh 1.2.3
set -euo pipefail

version=$1
notes=$(awk -v heading="## [$version]" '
  index($0, "## ") == 1 { inside = index($0, heading) == 1; next }
  inside
' "$(dirname "$0")/../CHANGELOG.md")

if [[ -z ${notes//[[:space:]]/} ]]; then
  echo "::error title=Nothing was released::CHANGELOG.md has no section [$version]. Write one before the tag." >&2
  exit 1
fi
printf '%s\n' "$notes"
