locals {
  # The actions read it: fixed, whatever the name of the host.
  host_keys_path       = "/hello-devops/host-keys"
  permissions_boundary = var.permissions_boundary == "" ? null : var.permissions_boundary
}

# --- the instance ---

data "aws_iam_policy_document" "host_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "host" {
  name                 = "${var.name}-host"
  description          = "What the instance may do: its metrics, its logs, its host keys"
  assume_role_policy   = data.aws_iam_policy_document.host_trust.json
  permissions_boundary = local.permissions_boundary
}

resource "aws_iam_instance_profile" "host" {
  name = "${var.name}-host"
  role = aws_iam_role.host.name
}

# The agent takes the instance's id from the metadata, so it need not describe anything.
data "aws_iam_policy_document" "agent" {
  statement {
    sid       = "Metrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"] # a metric has no ARN: the namespace narrows it

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [local.namespace]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = [aws_cloudwatch_log_group.this.arn, "${aws_cloudwatch_log_group.this.arn}:*"]
  }
}

resource "aws_iam_role_policy" "agent" {
  name   = "agent"
  role   = aws_iam_role.host.id
  policy = data.aws_iam_policy_document.agent.json
}

# Its own parameter and no other's, and only with credentials that this very instance was given. The id is known once the
# instance runs, so this comes a moment after its boot: the instance tries again until it may.
# The parameter is the instance's: a destroy leaves it, and a replacement makes the next one.
data "aws_iam_policy_document" "host_keys" {
  statement {
    sid       = "HostKeys"
    actions   = ["ssm:PutParameter"]
    resources = ["arn:${data.aws_partition.current.partition}:ssm:${var.aws_region}:${data.aws_caller_identity.current.account_id}:parameter${local.host_keys_path}/${aws_instance.this.id}"]

    condition {
      test     = "ArnEquals"
      variable = "ec2:SourceInstanceARN"
      values   = [aws_instance.this.arn]
    }
  }
}

resource "aws_iam_role_policy" "host_keys" {
  name   = "host-keys"
  role   = aws_iam_role.host.id
  policy = data.aws_iam_policy_document.host_keys.json
}

resource "aws_iam_role_policy_attachment" "session_manager" {
  count = var.session_manager ? 1 : 0

  role       = aws_iam_role.host.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

# --- flow logs ---

data "aws_iam_policy_document" "flow_logs_trust" {
  count = var.flow_logs ? 1 : 0

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    # Flow logs of other accounts and regions can't borrow the role.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${data.aws_partition.current.partition}:ec2:${var.aws_region}:${data.aws_caller_identity.current.account_id}:vpc-flow-log/*"]
    }
  }
}

resource "aws_iam_role" "flow_logs" {
  count = var.flow_logs ? 1 : 0

  name                 = "${var.name}-flow-logs"
  description          = "Writes the network's flow logs"
  assume_role_policy   = data.aws_iam_policy_document.flow_logs_trust[0].json
  permissions_boundary = local.permissions_boundary
}

data "aws_iam_policy_document" "flow_logs" {
  count = var.flow_logs ? 1 : 0

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = [aws_cloudwatch_log_group.flow_logs[0].arn, "${aws_cloudwatch_log_group.flow_logs[0].arn}:*"]
  }
}

resource "aws_iam_role_policy" "flow_logs" {
  count = var.flow_logs ? 1 : 0

  name   = "logs"
  role   = aws_iam_role.flow_logs[0].id
  policy = data.aws_iam_policy_document.flow_logs[0].json
}
