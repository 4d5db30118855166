#!/usr/bin/env bash
# Plans one directory. Outputs: changes, destroys, words, hash; seen: what the plan does, without secrets, packed; plan: its
# file, where it is kept; comment: a file of Markdown; reason: why this is to end red, blank = it isn't.
set -euo pipefail
umask 077 # a plan and variables hold secrets in clear

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
source "$here/run.sh"
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/terraform-plan.XXXXXX")
said=$work/said.txt # by the command that ran last
reason=
trap 'rm -rf "$work"/plan "$work"/plan.json "$work"/secret.tfvars "$work"/hidden.json "$said"' EXIT

main() {
  export -n SECRET_VARS # Terraform has them from the file
  hide_values
  if prepare && plan; then
    read_plan
  else
    reason="Terraform made no plan: terraform $command failed."
    no_plan
  fi
  report
  outputs
  if [[ $KEEP_PLAN == true && -z $reason ]]; then trap 'rm -f "$work"/plan.json "$work"/secret.tfvars "$work"/hidden.json "$said"' EXIT; fi
}

# GitHub masks a secret line by line. Here each value is masked without its name, too.
hide_values() {
  jq -Rs -L "$here" 'include "plan"; hidden' <<<"$SECRET_VARS" >"$work/hidden.json"
  jq -r '.[] | "::add-mask::" + (gsub("%"; "%25") | gsub("\r"; "%0D"))' "$work/hidden.json"
}

# The runner's masks reach the log. What goes into a comment, or is packed, is covered here.
covered() { jq -Rsj -L "$here" --slurpfile hidden "$work/hidden.json" 'include "plan"; covered($hidden[0])'; }

prepare() {
  local words=() code=0
  mapfile -t words < <(lines "$BACKEND_CONFIG" | sed 's/^/-backend-config=/')
  echo "::group::terraform init, terraform validate"
  { tell init -input=false -no-color -lockfile=readonly "${words[@]}" && tell validate -no-color; } || code=$?
  echo "::endgroup::"
  return "$code"
}

plan() {
  local words=()
  mapfile -t words < <(lines "${VAR_FILE//,/$'\n'}" | sed 's/^/-var-file=/')
  if [[ -n $SECRET_VARS ]]; then
    printf '%s\n' "$SECRET_VARS" >"$work/secret.tfvars"
    words+=("-var-file=$work/secret.tfvars")
  fi
  tell plan -input=false -no-color -lock-timeout=5m -out="$work/plan" "${words[@]}"
}

lines() { sed 's/^[[:space:]]*//; s/[[:space:]]*$//; /^$/d' <<<"$1"; }

# By its name and its words.
tell() {
  command=$1
  run "$said" "$@"
}

read_plan() {
  terraform -chdir="$DIRECTORY" show -no-color "$work/plan" >"$said"
  terraform -chdir="$DIRECTORY" show -json "$work/plan" >"$work/plan.json"
  ask '{changes: count, words: in_words, destroyed: destroyed}' | covered >"$work/facts.json"
  hash=$({ salt && ask normal; } | sha256sum | cut -d' ' -f1)
  seen=$(ask seen | covered | gzip -9n | base64 -w0)
  ((${#seen} < 100000)) || seen= # there is no room for more in an environment variable
  local destroys
  destroys=$(fact '.destroyed | length')
  [[ $destroys == 0 || $ALLOW_DESTROY == true ]] ||
    reason="The plan destroys $destroys, and allow-destroy is false. Where that is meant, give allow-destroy: true."
}

no_plan() {
  echo '{"changes": "", "words": "no plan", "destroyed": []}' >"$work/facts.json"
  hash='' seen=''
}

ask() { jq -L "$here" -S -c "include \"plan\"; $1" "$work/plan.json"; }
fact() { jq -r "$1" "$work/facts.json"; }

# Only who can read the state knows it. Without it a reader of the log could try passwords until the hash is right.
salt() { terraform -chdir="$DIRECTORY" state pull | jq -r '.lineage'; }

report() {
  covered <"$said" >"$work/shown.txt"
  local run="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"
  jq --arg directory "$DIRECTORY" --arg environment "$ENVIRONMENT" --arg commit "$COMMIT" --arg run "$run" \
    --arg reason "$reason" --arg hash "$hash" --arg marker "<!-- terraform-plan $(place) -->" \
    '. + $ARGS.named' "$work/facts.json" >"$work/told.json"
  markdown 65536 >"$work/comment.md" # GitHub takes no more in a comment,
  markdown 1000000 >>"$GITHUB_STEP_SUMMARY" # and 1 MiB in a summary
}

# Tells the comments of two plans in one pull request apart.
place() { printf '%s\n' "$DIRECTORY" "$ENVIRONMENT" "$VAR_FILE" "$BACKEND_CONFIG" | sha256sum | cut -c1-12; }

markdown() { jq -j --rawfile text "$work/shown.txt" --argjson limit "$1" -f "$here/report.jq" "$work/told.json"; }

outputs() {
  {
    echo "changes=$(fact .changes)"
    echo "destroys=$([[ -z $hash ]] || fact '.destroyed | length')"
    echo "words=$(fact .words)"
    echo "hash=$hash"
    echo "seen=$seen"
    echo "plan=$work/plan"
    echo "comment=$work/comment.md"
    echo "reason=$reason"
  } >>"$GITHUB_OUTPUT"
}

main "$@"
