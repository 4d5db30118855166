# What a refresh reads. Names are written out where AWS takes them: another system whose name begins with this one's is not this one.

locals {
  # What terraform/ makes, by name.
  host_roles        = [for role in ["host", "flow-logs"] : "${local.arn}:iam::${local.account}:role/${var.name}-${role}"]
  instance_profiles = ["${local.arn}:iam::${local.account}:instance-profile/${var.name}-host"]
  log_groups        = flatten([for kind in ["ec2", "vpc"] : [for end in ["", ":*"] : "${local.arn}:logs:${local.at}:log-group:/aws/${kind}/${var.name}${end}"]])
  alarms            = ["${local.arn}:cloudwatch:${local.at}:alarm:${var.name}-*"]
  dashboards        = ["${local.arn}:cloudwatch::${local.account}:dashboard/${var.name}"]
  topics            = ["${local.arn}:sns:${local.at}:${var.name}-alerts"]
  budgets           = ["${local.arn}:budgets::${local.account}:budget/${var.name}"]
  keys              = ["${local.arn}:kms:${local.at}:key/*"]
}

data "aws_iam_policy_document" "read" {
  # checkov:skip=CKV_AWS_356: AWS narrows hardly any of these lists; what could hold secrets is denied
  statement {
    sid       = "SeeEc2"
    actions   = ["ec2:Describe*"] # EC2 narrows hardly any of them
    resources = ["*"]
  }

  statement {
    sid       = "NotOthersUserData" # others may keep secrets there
    effect    = "Deny"
    actions   = ["ec2:DescribeInstanceAttribute"]
    resources = ["*"]

    condition {
      test     = "StringNotEquals"
      variable = "aws:ResourceTag/Project"
      values   = [var.name]
    }
  }

  statement {
    sid       = "NotOthersTemplates" # user data again
    effect    = "Deny"
    actions   = ["ec2:DescribeLaunchTemplateVersions"]
    resources = ["*"]
  }

  statement {
    sid       = "FindImage"
    actions   = ["ssm:GetParameter"]
    resources = ["${local.arn}:ssm:${var.aws_region}::parameter/aws/service/ami-amazon-linux-latest/*"]
  }

  statement {
    sid = "SeeRoles"
    actions = [
      "iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies",
      "iam:ListInstanceProfilesForRole", "iam:GetInstanceProfile",
    ]
    resources = concat(local.host_roles, local.instance_profiles)
  }

  statement {
    sid       = "ListsThatCannotBeNarrowed"
    actions   = ["logs:DescribeLogGroups", "kms:ListAliases", "sns:GetSubscriptionAttributes", "cloudwatch:DescribeAlarms"]
    resources = ["*"]
  }

  statement {
    sid       = "SeeObservability"
    actions   = ["logs:ListTagsForResource", "cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource", "sns:GetTopicAttributes", "sns:ListTagsForResource"]
    resources = concat(local.log_groups, local.alarms, local.dashboards, local.topics)
  }

  statement {
    sid       = "SeeKey"
    actions   = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]
    resources = local.keys

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = [var.name]
    }
  }

  statement {
    sid       = "SeeBudget"
    actions   = ["budgets:ViewBudget", "budgets:ListTagsForResource"]
    resources = local.budgets
  }
}

data "aws_iam_policy_document" "plan" {
  source_policy_documents = [data.aws_iam_policy_document.read.json, data.aws_iam_policy_document.state_read.json]
}
