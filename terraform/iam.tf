locals {
  # The actions read it: fixed, whatever the name of the host.
  host_keys_path       = "/hello-devops/host-keys"
  permissions_boundary = var.permissions_boundary == "" ? null : var.permissions_boundary

  # "arn:aws:%s:us-east-1:111122223333:%s"
  arn_here = "arn:${data.aws_partition.current.partition}:%s:${var.aws_region}:${data.aws_caller_identity.current.account_id}:%s"
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# --- the instance ---

resource "aws_iam_role" "host" {
  name                 = "${var.name}-host"
  description          = "What the instance may do: its metrics, its logs, its host keys"
  permissions_boundary = local.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_instance_profile" "host" {
  name = "${var.name}-host"
  role = aws_iam_role.host.name
}

# The agent takes the instance's id from its metadata, so it need not describe anything.
resource "aws_iam_role_policy" "agent" {
  name = "agent"
  role = aws_iam_role.host.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Metrics"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*" # a metric has no ARN: the namespace narrows it
        Condition = { StringEquals = { "cloudwatch:namespace" = local.namespace } }
      },
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [aws_cloudwatch_log_group.this.arn, "${aws_cloudwatch_log_group.this.arn}:*"]
      },
    ]
  })
}

# Its own parameter and no other's, and only with credentials that this very instance was given. The id is known once the
# instance runs, so this comes a moment after its boot: the instance tries again until it may.
# The parameter is the instance's: a destroy leaves it, and a replacement makes the next one.
resource "aws_iam_role_policy" "host_keys" {
  name = "host-keys"
  role = aws_iam_role.host.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "HostKeys"
      Effect    = "Allow"
      Action    = "ssm:PutParameter"
      Resource  = format(local.arn_here, "ssm", "parameter${local.host_keys_path}/${aws_instance.this.id}")
      Condition = { ArnEquals = { "ec2:SourceInstanceARN" = aws_instance.this.arn } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "session_manager" {
  count = var.session_manager ? 1 : 0

  role       = aws_iam_role.host.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

# --- flow logs ---

resource "aws_iam_role" "flow_logs" {
  count = var.flow_logs ? 1 : 0

  name                 = "${var.name}-flow-logs"
  description          = "Writes the network's flow logs"
  permissions_boundary = local.permissions_boundary

  # The conditions: flow logs of other accounts and regions can't borrow the role.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id }
        ArnLike      = { "aws:SourceArn" = format(local.arn_here, "ec2", "vpc-flow-log/*") }
      }
    }]
  })
}

resource "aws_iam_role_policy" "flow_logs" {
  count = var.flow_logs ? 1 : 0

  name = "logs"
  role = aws_iam_role.flow_logs[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [aws_cloudwatch_log_group.flow_logs[0].arn, "${aws_cloudwatch_log_group.flow_logs[0].arn}:*"]
      },
      {
        Sid      = "FindGroups"
        Effect   = "Allow"
        Action   = "logs:DescribeLogGroups"
        Resource = "*" # it lists; a list of one group can't be asked for
      },
    ]
  })
}
