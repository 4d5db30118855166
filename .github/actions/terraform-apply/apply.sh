#!/usr/bin/env bash
# Applies the plan in the file PLAN, if it is the one that was approved: if HASH is APPROVED_HASH.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
source "$here/../terraform-plan/run.sh"
trap 'rm -f "$PLAN" "$PLAN".said' EXIT # the plan holds secrets in clear

main() {
  [[ $HASH == "$APPROVED_HASH" ]] || refuse
  local code=0
  run "$PLAN.said" apply -input=false -no-color -lock-timeout=5m "$PLAN" || code=$?
  if ((code == 0)); then
    printf '### ✅ Applied: %s\n' "$WORDS" >>"$GITHUB_STEP_SUMMARY"
    return
  fi
  local reason="terraform apply failed halfway. What it had done stays, and is in the state: run this again, and the next plan has what is left."
  echo "::error title=Applied in part::$reason"
  printf '### ❌ Applied in part\n\n%s\n' "$reason" >>"$GITHUB_STEP_SUMMARY"
  exit 1
}

refuse() {
  local reason="The plan is not the one that was approved any more (${APPROVED_HASH:0:12} then, ${HASH:0:12} now): something has changed in between. Run this again, and approve the new plan."
  echo "::error title=Nothing was applied::$reason"
  local lines
  lines=$(difference) # code for Markdown by its four spaces, whatever is in it
  printf '### ❌ Nothing was applied\n\n%s\n\n    %s\n' "$reason" "${lines//$'\n'/$'\n'    }" >>"$GITHUB_STEP_SUMMARY"
  unheard echo "$lines"
  exit 1
}

difference() {
  if [[ -z $APPROVED || -z $SEEN ]]; then
    echo "They are too long to be compared here: both jobs' logs have them."
    return
  fi
  jq -n --slurpfile approved <(unpacked "$APPROVED") --slurpfile now <(unpacked "$SEEN") \
    '{approved: $approved[0], now: $now[0]}' | jq -r -f "$here/difference.jq" | head -n 200 | grep . ||
    echo "What they differ in is a sensitive value, or the state is another one."
}

unpacked() { base64 -d <<<"$1" | gunzip; }

main "$@"
