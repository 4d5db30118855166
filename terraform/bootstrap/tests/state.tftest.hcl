# The bucket and the table. The provider is the real one, since it writes the policies; it is asked for nothing in AWS.
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "tests"
  secret_key                  = "tests"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.this
  values = { account_id = "111122223333" }
}

variables {
  repositories = [{ name = "acme/web" }]
}

run "the_bucket_is_private_encrypted_and_keeps_old_versions_for_a_while" {
  command = plan

  assert {
    condition     = aws_s3_bucket.this[0].bucket == "hello-devops-state-111122223333-us-east-1" && !aws_s3_bucket.this[0].force_destroy
    error_message = aws_s3_bucket.this[0].bucket
  }

  assert {
    condition     = aws_s3_bucket_versioning.this[0].versioning_configuration[0].status == "Enabled"
    error_message = "old versions are not kept"
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this[0].rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "not encrypted"
  }

  assert {
    condition = alltrue([
      for answer in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"] :
      aws_s3_bucket_public_access_block.this[0][answer]
    ])
    error_message = "it can be opened to the public"
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.this[0].rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "ACLs count"
  }

  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.this[0].rule[0].noncurrent_version_expiration[0].noncurrent_days == 90 &&
      aws_s3_bucket_lifecycle_configuration.this[0].rule[0].expiration[0].expired_object_delete_marker
    )
    error_message = "old versions or the markers of locks stay for ever"
  }
}

run "the_bucket_answers_over_tls_alone" {
  command = plan

  assert {
    condition = jsondecode(aws_s3_bucket_policy.this[0].policy).Statement == [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Action    = "s3:*"
      Principal = "*"
      Resource  = ["arn:aws:s3:::hello-devops-state-111122223333-us-east-1/*", "arn:aws:s3:::hello-devops-state-111122223333-us-east-1"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = aws_s3_bucket_policy.this[0].policy
  }
}

run "the_table_costs_nothing_while_it_rests" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.this[0].name == "terraform-state-lock" && aws_dynamodb_table.this[0].hash_key == "LockID" && aws_dynamodb_table.this[0].billing_mode == "PAY_PER_REQUEST"
    error_message = "not the table that Terraform locks by"
  }
}

run "the_lock_is_s3s_own" {
  command = plan

  assert {
    condition     = output.backend_config == "bucket       = \"hello-devops-state-111122223333-us-east-1\"\nkey          = \"hello-devops/terraform.tfstate\"\nregion       = \"us-east-1\"\nencrypt      = true\nuse_lockfile = true\n"
    error_message = output.backend_config
  }
}

run "an_older_terraform_finds_the_table_as_well" {
  command = plan

  variables {
    dynamodb_lock = true
  }

  assert {
    condition     = endswith(output.backend_config, "use_lockfile = true\ndynamodb_table = \"terraform-state-lock\"\n")
    error_message = output.backend_config
  }
}

run "bootstraps_own_state_is_another_object_of_the_bucket" {
  command = plan

  assert {
    condition     = strcontains(output.backend_tf, "bucket       = \"hello-devops-state-111122223333-us-east-1\"\n    key          = \"hello-devops/bootstrap.tfstate\"")
    error_message = output.backend_tf
  }
}

run "a_bucket_and_a_table_that_are_there_are_used_and_left_alone" {
  command = plan

  variables {
    create_state_bucket = false
    create_lock_table   = false
    state_bucket        = "acme-states"
    lock_table          = "acme-locks"
  }

  override_data {
    target = data.aws_s3_bucket.existing
    values = { id = "acme-states" }
  }

  override_data {
    target = data.aws_dynamodb_table.existing
    values = { hash_key = "LockID" }
  }

  assert {
    condition = 0 == length(concat(
      aws_s3_bucket.this[*].id, aws_dynamodb_table.this[*].id, aws_s3_bucket_policy.this[*].id, aws_s3_bucket_versioning.this[*].id,
      aws_s3_bucket_lifecycle_configuration.this[*].id, aws_s3_bucket_ownership_controls.this[*].id,
      aws_s3_bucket_public_access_block.this[*].id, aws_s3_bucket_server_side_encryption_configuration.this[*].id,
    ))
    error_message = "what was there would be changed"
  }

  assert {
    condition = (
      strcontains(aws_iam_policy.this["plan"].policy, "arn:aws:s3:::acme-states/hello-devops/terraform.tfstate") &&
      strcontains(aws_iam_policy.this["plan"].policy, "table/acme-locks") && strcontains(output.backend_config, "\"acme-states\"")
    )
    error_message = "what was there is not used"
  }
}

run "a_table_that_terraform_cannot_lock_by_is_refused" {
  command = plan

  variables {
    create_lock_table = false
  }

  override_data {
    target = data.aws_dynamodb_table.existing
    values = { hash_key = "id" }
  }

  expect_failures = [data.aws_dynamodb_table.existing]
}
