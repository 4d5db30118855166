# A plan as Markdown of at most $limit bytes, however GitHub counts characters: the rest of the plan's lines is left out.
# $text: the plan, or what Terraform said where there is none. The input: what plan.sh knows.

. as $facts |

def plain: gsub("[^A-Za-z0-9 ._/-]"; "?");

# Longer than any run of backquotes inside: nothing gets out of it.
def fence: [scan("`+") | length] | max // 0 | "`" * ([. + 1, 3] | max);

def fenced($mark): "\($mark)\n\(.)\n\($mark)";

# The first lines of it that fit.
def cut($room):
  split("\n") as $lines
  | [foreach $lines[] as $line (-1; . + 1 + ($line | utf8bytelength); select(. <= $room))] | length as $kept
  | {text: ($lines[:$kept] | join("\n")), kept: $kept, of: ($lines | length)};

def heading:
  "### Terraform in `\($facts.directory | plain)`\(if $facts.environment == "" then "" else " for \($facts.environment | plain)" end): \($facts.words)";

def refusal: if $facts.reason == "" then [] else ["❌ \($facts.reason)"] end;

def losses:
  if $facts.destroyed == [] then []
  else
    ($facts.destroyed | map(.[:200]) | if length > 50 then .[:50] + ["and \(length - 50) more"] else . end | join("\n")) as $list
    | ["**It destroys \($facts.destroyed | length):**", ($list | fenced(fence))]
  end;

def foot:
  "Commit `\($facts.commit[:12])`\(if $facts.hash == "" then "" else ", plan `\($facts.hash[:12])`" end), [the run](\($facts.run))";

def body($plan; $notes):
  [$facts.marker, heading] + refusal + losses
  + (if $plan == null then [] else ["<details><summary>\(if $facts.hash == "" then "What Terraform said" else "The plan" end)</summary>", $plan, "</details>"] end)
  + $notes + [foot] | join("\n\n");

def note($kept; $of): "✂️ \($kept) of its \($of) lines are here; the log of the run has all.";

($text | gsub("\r"; "") | sub("\n+$"; "")) as $text
| ($text | fence) as $mark
| if $text == "" then body(null; [])
  else
    ($text | split("\n") | length) as $lines
    | body("" | fenced($mark); [note($lines; $lines)]) as $frame
    | ($text | cut($limit - ($frame | utf8bytelength))) as $cut
    | body($cut.text | fenced($mark); if $cut.kept == $cut.of then [] else [note($cut.kept; $cut.of)] end)
  end
