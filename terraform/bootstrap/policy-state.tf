# What Terraform itself asks for: its state, and the locks. Bootstrap's own state is in the bucket, too, and open to none of the roles.

locals {
  state_item = "${local.bucket}/${local.key}" # what the table's items are called
}

data "aws_iam_policy_document" "state_read" {
  statement {
    sid       = "FindState"
    actions   = ["s3:ListBucket"] # without it a state that isn't there yet looks like one that is forbidden
    resources = [local.bucket_arn]
  }

  statement {
    sid       = "ReadState"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/${local.key}"]
  }

  statement {
    sid       = "Lock" # a plan locks, too: it must not read a state that is half written
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${local.bucket_arn}/${local.key}.tflock"]
  }

  statement {
    sid       = "LockByTable"
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"]
    resources = [local.table_arn]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:LeadingKeys"
      values   = [local.state_item]
    }
  }

  statement {
    sid       = "ReadDigest"
    actions   = ["dynamodb:GetItem"]
    resources = [local.table_arn]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:LeadingKeys"
      values   = ["${local.state_item}-md5"]
    }
  }
}

data "aws_iam_policy_document" "state_write" {
  statement {
    sid       = "WriteState"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/${local.key}"]
  }

  statement {
    sid       = "WriteDigest"
    actions   = ["dynamodb:PutItem", "dynamodb:DeleteItem"]
    resources = [local.table_arn]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:LeadingKeys"
      values   = ["${local.state_item}-md5"]
    }
  }
}
