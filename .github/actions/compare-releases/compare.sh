#!/usr/bin/env bash
# Compares what each host serves with the last deploy that GitHub knows to have succeeded. Output: reason, blank = they agree.
set -euo pipefail
shopt -s inherit_errexit

main() {
  local commit reason
  commit=$(last_deployed)
  reason=$(differences "$commit")
  echo "reason=$reason" >>"$GITHUB_OUTPUT"
  if [[ -z $reason ]]; then
    echo "### ✅ Each host serves the last deploy: ${commit:0:12}" >>"$GITHUB_STEP_SUMMARY"
    return
  fi
  echo "::error title=Hosts have drifted::$reason"
  printf '### ❌ Hosts have drifted\n\n%s\n' "$reason" >>"$GITHUB_STEP_SUMMARY"
  exit 1
}

# Of the newest deployment with a success among its statuses, which is inactive since if a later one failed.
last_deployed() {
  local id commit statuses place
  place=$(jq -rn --arg name "$ENVIRONMENT" '$name | @uri')
  github "deployments?environment=$place&per_page=100" | jq -r '.[] | "\(.id) \(.sha)"' | while read -r id commit; do
    statuses=$(github "deployments/$id/statuses?per_page=100")
    if jq -e 'any(.[]; .state == "success")' <<<"$statuses" >/dev/null; then
      echo "$commit"
      break
    fi
  done
}

# A release is called by the first 12 digits of its commit, with -2, -3, ... where the same was deployed with other options.
differences() {
  jq -nr --arg commit "$1" --argjson hosts "$HOSTS" --argjson releases "$RELEASES" '
    def plain: gsub("[^a-zA-Z0-9 ._:@/-]"; "?");
    $commit[:12] as $expected
    | ($releases | map(select(.result != "failed"))[0]) as $newest
    | [$hosts[] | select(.release | test("^\($expected)(-[0-9]+)?$") | not)
        | "\(.name // .host | plain) serves \(.release | if . == "" then "nothing" else plain end)"]
    | if . == [] then "" else
        join(", ")
        + (if $expected == "" then "; GitHub knows of no deploy that succeeded." else "; the last deploy was \($expected)." end)
        + (if $newest.result == "rolled-back" then
            " It was rolled back at \($newest.when | plain) by \($newest.who | plain): \($newest.reason | plain)"
          else "" end)
      end'
}

# The token is in curl's settings, never among its arguments.
github() {
  curl --silent --show-error --fail --max-time 30 --retry 3 --header "Accept: application/vnd.github+json" \
    --config <(printf 'header = "Authorization: Bearer %s"\n' "$TOKEN") "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/$1"
}

main "$@"
