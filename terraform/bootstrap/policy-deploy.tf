# The policies of docs/access.md, for this system's hosts and its door; a test holds the two together.

data "aws_iam_policy_document" "deploy" {
  # checkov:skip=CKV_AWS_356: AWS narrows neither these lists nor the login to ECR
  statement {
    sid       = "FindHosts"
    actions   = ["ec2:DescribeInstances"]
    resources = ["*"]
  }

  statement {
    sid       = "HostKeys"
    actions   = ["ssm:GetParameter"]
    resources = ["${local.arn}:ssm:${local.at}:parameter/hello-devops/host-keys/*"]
  }

  statement {
    sid       = "HostKeysOfTheConsole"
    actions   = ["ec2:GetConsoleOutput"]
    resources = ["${local.ec2}:instance/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Name"
      values   = [var.name]
    }
  }

  statement {
    sid       = "LogIn"
    actions   = ["ec2-instance-connect:SendSSHPublicKey"]
    resources = ["${local.ec2}:instance/*"]

    condition {
      test     = "StringEquals"
      variable = "ec2:osuser"
      values   = [var.ssh_user]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Name"
      values   = [var.name]
    }
  }

  statement {
    sid       = "SeeRules"
    actions   = ["ec2:DescribeSecurityGroupRules"]
    resources = ["*"]
  }

  statement {
    sid       = "OpenAndShut"
    actions   = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
    resources = ["${local.ec2}:security-group/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Name"
      values   = ["${var.name}-deploys"]
    }
  }

  statement {
    sid       = "TheRulesThemselves" # of one that is made with tags or ended by its id AWS may ask; the group is asked for all the same
    actions   = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
    resources = ["${local.ec2}:security-group-rule/*"]
  }

  statement {
    sid       = "SayWhoseRule"
    actions   = ["ec2:CreateTags", "ec2:DeleteTags"]
    resources = ["${local.ec2}:security-group-rule/*"]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "aws:TagKeys"
      values   = ["hello-devops:run", "hello-devops:run:*"]
    }

    condition {
      test     = "Null" # no keys at all would mean all of a rule's tags
      variable = "aws:TagKeys"
      values   = ["false"]
    }
  }

  statement {
    sid       = "ReadAlarms"
    actions   = ["cloudwatch:DescribeAlarms"]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = length(var.env_ssm_paths) == 0 ? [] : [var.env_ssm_paths]

    content {
      sid       = "EnvOfParameters"
      actions   = ["ssm:GetParametersByPath"]
      resources = flatten([for path in statement.value : ["${local.arn}:ssm:${local.at}:parameter${path}", "${local.arn}:ssm:${local.at}:parameter${path}/*"]])
    }
  }

  dynamic "statement" {
    for_each = length(var.env_secrets) == 0 ? [] : [var.env_secrets]

    content {
      sid       = "EnvOfSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [for name in statement.value : "${local.arn}:secretsmanager:${local.at}:secret:${name}-??????"] # AWS appends six characters
    }
  }

  dynamic "statement" {
    for_each = length(var.ecr_repositories) == 0 ? [] : [true]

    content {
      sid       = "LogInToEcr"
      actions   = ["ecr:GetAuthorizationToken"]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.ecr_repositories) == 0 ? [] : [var.ecr_repositories]

    content {
      sid       = "PullFromEcr"
      actions   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = [for name in statement.value : "${local.arn}:ecr:${local.at}:repository/${name}"]
    }
  }
}
