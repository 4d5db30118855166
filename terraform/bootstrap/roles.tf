locals {
  policies = {
    plan      = data.aws_iam_policy_document.plan.json
    apply     = data.aws_iam_policy_document.apply.json
    apply-ec2 = data.aws_iam_policy_document.apply_ec2.json
    deploy    = data.aws_iam_policy_document.deploy.json
  }

  # An apply reads what a plan reads.
  holders = {
    plan      = ["plan", "apply"]
    apply     = ["apply"]
    apply-ec2 = ["apply"]
    deploy    = ["deploy"]
  }

  sessions = {
    plan   = 3600
    apply  = 3600
    deploy = 6 * 3600 # a deploy may bake for hours; a job on GitHub's runners lasts six at the most
  }
}

resource "aws_iam_role" "this" {
  for_each             = local.sessions
  name                 = "${var.name}-${each.key}"
  description          = "Jobs of GitHub Actions that ${each.key}: ${join(", ", var.repositories[*].name)}"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = each.value
}

resource "aws_iam_policy" "this" {
  for_each    = local.policies
  name        = "${var.name}-${each.key}"
  description = "What the role ${join(" and the role ", [for role in local.holders[each.key] : "${var.name}-${role}"])} may do."
  policy      = each.value
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each   = merge([for policy, roles in local.holders : { for role in roles : "${role}:${policy}" => { role = role, policy = policy } }]...)
  role       = aws_iam_role.this[each.value.role].name
  policy_arn = aws_iam_policy.this[each.value.policy].arn
}

resource "aws_iam_policy" "boundary" {
  name        = "${var.name}-boundary"
  description = "The most that a role made by ${var.name}-apply can do."
  policy      = data.aws_iam_policy_document.boundary.json
}
