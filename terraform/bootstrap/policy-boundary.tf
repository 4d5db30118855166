# The most that a role made by the role apply can ever do, whatever policy it is given.

locals {
  boundary = "${local.arn}:iam::${local.account}:policy/${var.name}-boundary"
}

data "aws_iam_policy_document" "boundary" {
  # checkov:skip=CKV_AWS_111: a boundary gives no right; what a role may do is the part of its own policy that lies within
  # checkov:skip=CKV_AWS_356: as above
  statement {
    sid       = "SendMetrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = ["HelloDevOps/EC2"]
    }
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = local.log_groups
  }

  statement {
    sid       = "FindLogGroups" # the agent and the flow logs look for theirs
    actions   = ["logs:DescribeLogGroups"]
    resources = ["*"]
  }

  statement {
    sid       = "SayHostKeys"
    actions   = ["ssm:PutParameter"]
    resources = ["${local.arn}:ssm:${local.at}:parameter/hello-devops/host-keys/*"]
  }

  # AmazonSSMManagedInstanceCore without GetParameter and GetParameters: with these the host could read every secret of Parameter Store.
  statement {
    sid = "SessionManager"
    actions = [
      "ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage", "ec2messages:GetEndpoint",
      "ec2messages:GetMessages", "ec2messages:SendReply",
      "ssm:DescribeAssociation", "ssm:DescribeDocument", "ssm:GetDeployablePatchSnapshotForInstance", "ssm:GetDocument", "ssm:GetManifest",
      "ssm:ListAssociations", "ssm:ListInstanceAssociations", "ssm:PutComplianceItems", "ssm:PutConfigurePackageResult", "ssm:PutInventory",
      "ssm:UpdateAssociationStatus", "ssm:UpdateInstanceAssociationStatus", "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }
}
