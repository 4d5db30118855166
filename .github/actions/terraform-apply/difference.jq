# In what two plans differ, a line for each resource, as far as everybody may see it. The input: {approved, now}.

# Where two values differ: `input.size`, not before, after or what is unknown in it.
def places($one; $other):
  [$one, $other | paths(type != "object" and type != "array")] | unique
  | map(select(. as $path | ($one | try getpath($path) catch null) != ($other | try getpath($path) catch null)))
  | map(.[1:] | map(tostring) | join(".")) | unique | map(select(. != "")) | if . == [] then "" else " of " + join(", ") end;

.approved as $approved | .now as $now
| ($approved + $now | keys[]) as $address
| [$approved[$address], $now[$address]] as [$then, $today]
| if $then == null then "\($address): to \($today.what), which nobody approved"
  elif $today == null then "\($address): to \($then.what) was approved, and is not to be done any more"
  elif $then.what != $today.what then "\($address): to \($then.what) was approved, now it is to \($today.what)"
  elif $then.values != $today.values then "\($address): to \($then.what), with other values\(places($then.values; $today.values))"
  else empty end
