#!/usr/bin/env bash
# Sends one message. The webhook's URL is a secret: it goes to curl by its standard input, never as an argument.
set -euo pipefail

run="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"
if [[ $FAILED == true ]]; then mark=":rotating_light: <!channel>" color=danger; else mark=":white_check_mark:" color=good; fi

# Slack takes &, < and > for marks of its own (Slack's guide to formatting text)
message=$(jq -n --arg mark "$mark" --arg color "$color" --arg what "$WHAT" --arg reason "$REASON" --arg url "$APP_URL" \
  --arg run "$run" --arg where "$GITHUB_REPOSITORY, ${GITHUB_SHA:0:12} by $GITHUB_ACTOR" '
  def plain: gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub(">"; "&gt;");
  {
    text: "\($mark) *\($what | plain)*",
    attachments: [{
      color: $color,
      text: ([$where, $reason, $url] | map(select(. != "") | plain) + ["<\($run)|The run>"] | join("\n"))
    }]
  }')

if ! answer=$(curl --silent --show-error --fail --max-time 20 --retry 2 --config - \
  --header "Content-Type: application/json" --data-binary "$message" 2>&1 < <(printf 'url = "%s"\n' "$WEBHOOK_URL")); then
  echo "::warning title=Slack was not told::The message could not be sent (slack-webhook-url): ${answer//[^a-zA-Z0-9 ().:,-]/?}"
fi
