# What a plan changes, from `terraform show -json`.

# No-ops apart, unless they move or import; what is read while applying changes nothing.
def changes:
  [.resource_changes[]? | select(
    (.change.actions | . != ["no-op"] and . != ["read"]) or .change.importing != null or .previous_address != null
  )];

def output_changes: .output_changes // {} | with_entries(select(.value.actions != ["no-op"]));

def destroyed: [changes[] | select(.change.actions | index("delete") != null) | .address];

def what: .change as $change | $change.actions |
  if . == ["no-op"] then (if $change.importing then "import" else "move" end)
  elif length > 1 and index("delete") != null then "replace"
  else join(", then ") end;

# At least 1 where Terraform itself says that there is something to apply.
def count: [(changes | length) + (output_changes | length), (if .applyable then 1 else 0 end)] | max;

def in_words:
  (changes | map(what) | group_by(.) | map("\(length) to \(.[0])"))
  + (output_changes | length | if . == 0 then [] elif . == 1 then ["1 output"] else ["\(.) outputs"] end)
  | if length == 0 then "nothing to change" else join(", ") end;

# The same for the same plan, whenever and wherever it is made: no times, no versions, no order.
# What Terraform 1.14 invokes beside its resources counts, too.
def normal: {
  resources: (changes | map({
    address, deposed, previous_address, importing: .change.importing, actions: .change.actions,
    before: .change.before, after: .change.after, after_unknown: .change.after_unknown,
    before_sensitive: .change.before_sensitive, after_sensitive: .change.after_sensitive
  }) | sort_by(.address, .deposed)),
  outputs: output_changes,
  invocations: (.action_invocations // [])
};

# The mask is true where all of the value is sensitive, and built like the value where parts of it are.
def redacted($mask):
  if $mask == true then "(sensitive)"
  elif type == "object" or type == "array" then reduce keys[] as $key (.; .[$key] = (.[$key] | redacted(try $mask[$key] catch null)))
  else . end;

def visible: {
  before: (.before_sensitive as $mask | .before | redacted($mask)),
  after: (.after_sensitive as $mask | .after | redacted($mask)),
  after_unknown
};

# By address what is done and to what, as far as everybody may see it.
def seen:
  [changes[] | {key: ([.address, .deposed // empty] | join(" ")), value: {what: what, values: (.change | visible)}}]
  + [output_changes | to_entries[] | {key: "output.\(.key)", value: {what: (.value.actions[0]), values: (.value | visible)}}]
  | from_entries;

# The texts of a .tfvars file that nobody may see, the longest first, and each as JSON writes it, too. Short ones are no secrets:
# their masks would blacken the log, and GitHub drops an output that holds a masked text.
def hidden:
  [
    split("\n")[] | scan("\"(?:[^\"\\\\]|\\\\.)*\"") | (try fromjson catch .[1:-1])
    | split("\n")[] | select(length >= 6) | ., (tojson | .[1:-1])
  ] | unique | sort_by(-length);

def covered($hidden): reduce $hidden[] as $value (.; split($value) | join("***"));
