data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

locals {
  account = data.aws_caller_identity.this.account_id
  arn     = "arn:${data.aws_partition.this.partition}"
  at      = "${var.aws_region}:${local.account}"

  bucket = var.state_bucket != "" ? var.state_bucket : "${var.name}-state-${local.account}-${var.aws_region}"
  key    = "${var.name}/terraform.tfstate"

  # From the names, so that a plan shows the policies whole.
  bucket_arn = "${local.arn}:s3:::${local.bucket}"
  table_arn  = "${local.arn}:dynamodb:${local.at}:table/${var.lock_table}"
}

# tflint-ignore: terraform_unused_declarations # a bucket that is not there fails the plan by it
data "aws_s3_bucket" "existing" {
  count  = var.create_state_bucket ? 0 : 1
  bucket = local.bucket
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_21:versions are kept, see below; the check does not follow a count
  # checkov:skip=CKV2_AWS_6:public access is blocked, see below; the check does not follow a count
  # checkov:skip=CKV2_AWS_61:old versions expire, see below; the check does not follow a count
  # checkov:skip=CKV_AWS_18:a log of who reads the state needs a second bucket; CloudTrail's data events tell the same where it is asked for
  # checkov:skip=CKV_AWS_144:a copy in a second region doubles the price; old versions bring back a lost state
  # checkov:skip=CKV_AWS_145:S3's own encryption costs nothing; a key of one's own costs a dollar a month and protects from nobody who has the role
  # checkov:skip=CKV2_AWS_62:nobody waits for an event of this bucket
  count         = var.create_state_bucket ? 1 : 0
  bucket        = local.bucket
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "this" {
  count  = var.create_state_bucket ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  count  = var.create_state_bucket ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  count  = var.create_state_bucket ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  count  = var.create_state_bucket ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count  = var.create_state_bucket ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.state_version_days
    }

    # Each lock that is let go leaves a marker where its object was.
    expiration {
      expired_object_delete_marker = true
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

data "aws_iam_policy_document" "tls_only" {
  count = var.create_state_bucket ? 1 : 0

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.bucket_arn, "${local.bucket_arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  count  = var.create_state_bucket ? 1 : 0
  bucket = aws_s3_bucket.this[0].id
  policy = data.aws_iam_policy_document.tls_only[0].json

  # S3 refuses two changes of a bucket's access at the same time.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

# tflint-ignore: terraform_unused_declarations # a table that is not there, or has another key, fails the plan by it
data "aws_dynamodb_table" "existing" {
  count = var.create_lock_table ? 0 : 1
  name  = var.lock_table

  lifecycle {
    postcondition {
      condition     = self.hash_key == "LockID"
      error_message = "lock_table: ${var.lock_table} has the key ${self.hash_key}; Terraform locks by a table whose key is LockID. Name another."
    }
  }
}

resource "aws_dynamodb_table" "this" {
  # checkov:skip=CKV_AWS_28:it holds locks that live for minutes; there is nothing to go back to
  # checkov:skip=CKV_AWS_119:DynamoDB encrypts every table; a key of one's own would cost a dollar a month and hide no secret
  count        = var.create_lock_table ? 1 : 0
  name         = var.lock_table
  billing_mode = "PAY_PER_REQUEST" # costs nothing while nobody locks by it
  hash_key     = "LockID"

  attribute {
    name = "LockID"
    type = "S"
  }
}
