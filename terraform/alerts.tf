# From an alarm to a person. CloudWatch may not use the key behind alias/aws/sns, and nobody can change that key's policy: on a topic
# under it alarms are lost in silence. So the topic has a key of its own.
resource "aws_kms_key" "alerts" {
  description             = "${var.name}: the topic of its alarms"
  policy                  = data.aws_iam_policy_document.alerts_key.json
  enable_key_rotation     = true
  deletion_window_in_days = 7 # the shortest: nothing stays encrypted under it
}

resource "aws_kms_alias" "alerts" {
  name          = "alias/${var.name}-alerts"
  target_key_id = aws_kms_key.alerts.id
}

resource "aws_sns_topic" "alerts" {
  name              = "${var.name}-alerts"
  kms_master_key_id = aws_kms_key.alerts.arn
}

resource "aws_sns_topic_policy" "alerts" {
  arn    = aws_sns_topic.alerts.arn
  policy = data.aws_iam_policy_document.alerts_topic.json
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alert_email == "" ? 0 : 1

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = var.alert_email
}

locals {
  account    = data.aws_caller_identity.current.account_id
  own_alarms = "arn:${data.aws_partition.current.partition}:cloudwatch:${var.aws_region}:${local.account}:alarm:${var.name}-*"
}

data "aws_iam_policy_document" "alerts_key" {
  # checkov:skip=CKV_AWS_109: a key's policy speaks of this key alone; without this statement nobody could change it again
  # checkov:skip=CKV_AWS_111: as above
  # checkov:skip=CKV_AWS_356: as above
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:root"]
    }
  }

  # IAM could give it no right over this key alone: who may tag a key at its creation may tag any. So the key itself says it.
  dynamic "statement" {
    for_each = var.permissions_boundary == "" ? [] : ["${var.name}-apply"] # the role that bootstrap makes, as the boundary

    content {
      sid       = "Apply"
      resources = ["*"]
      actions = [
        "kms:PutKeyPolicy", "kms:EnableKeyRotation", "kms:DisableKeyRotation", "kms:UpdateKeyDescription", "kms:TagResource",
        "kms:UntagResource", "kms:ScheduleKeyDeletion", "kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias",
        # it reads by its tag, too, but a tag may take minutes until KMS goes by it
        "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags",
      ]

      principals {
        type        = "AWS"
        identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:role/${statement.value}"]
      }
    }
  }

  statement {
    sid       = "Alarms"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = [local.own_alarms]
    }
  }
}

data "aws_iam_policy_document" "alerts_topic" {
  statement {
    sid       = "Alarms"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alerts.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = [local.own_alarms]
    }
  }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alerts.arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}
