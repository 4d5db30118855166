# In what two plans differ, a line for each resource, as far as everybody may see it. The input: {approved, now}.

# Where two values differ: `input.size`, not before, after or what is unknown in it.
def places($one; $other):
  [$one, $other | paths(type != "object" and type != "array")] | unique
  | map(select(. as $path | ($one | try getpath($path) catch null) != ($other | try getpath($path) catch null)))
  | map(.[1:] | map(tostring) | join(".")) | unique | map(select(. != "")) | if . == [] then "" else " of " + join(", ") end;

.approved as $approved | .now as $now
| ($approved + $now | keys[]) as $address
| [$approved[$address], $now[$address]] as [$was, $is]
| if $was == null then "\($address): to \($is.what), which nobody approved"
  elif $is == null then "\($address): to \($was.what) was approved, and is not to be done any more"
  elif $was.what != $is.what then "\($address): to \($was.what) was approved, now it is to \($is.what)"
  elif $was.values != $is.values then "\($address): to \($was.what), with other values\(places($was.values; $is.values))"
  else empty end
