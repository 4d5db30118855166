#!/usr/bin/env bash
# Puts the file COMMENT under the pull request: as a new comment, or in place of the one that begins with the same line.
set -euo pipefail
shopt -s inherit_errexit

comments="$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments"
trap '(($? == 0)) || echo "::error title=The pull request has no plan::comment: it could not be written; the log above says why. Does the calling job grant pull-requests: write? With comment: false none is written."' EXIT

main() {
  local id
  id=$(earlier)
  if [[ -n $id ]]; then
    body | github PATCH "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues/comments/$id" --data-binary @- >/dev/null
  else
    body | github POST "$comments" --data-binary @- >/dev/null
  fi
}

body() { jq -Rs '{body: .}' "$COMMENT"; }

# Of this token's own comments: another's could be made to say anything later.
earlier() {
  local page=1 found id marker
  read -r marker <"$COMMENT"
  while true; do
    found=$(github GET "$comments?per_page=100&page=$page")
    id=$(jq -r --arg marker "$marker" \
      'map(select(.user.login == "github-actions[bot]" and (.body | startswith($marker))))[0].id // empty' <<<"$found")
    [[ -z $id && $(jq length <<<"$found") == 100 ]] || break
    page=$((page + 1))
  done
  echo "$id"
}

# The token is in curl's settings, never among its arguments.
github() {
  local method=$1 url=$2
  shift 2
  curl --silent --show-error --fail-with-body --max-time 30 --retry 3 --request "$method" \
    --config <(printf 'header = "Authorization: Bearer %s"\n' "$TOKEN") \
    --header "Accept: application/vnd.github+json" --header "Content-Type: application/json" "$@" "$url"
}

main "$@"
