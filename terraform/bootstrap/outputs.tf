locals {
  lock = var.dynamodb_lock ? "\ndynamodb_table = \"${var.lock_table}\"" : ""
}

output "apply_role" {
  description = "The role that changes the infrastructure."
  value       = aws_iam_role.this["apply"].arn
}

output "backend_config" {
  description = "Where terraform/ keeps its state: terraform output -raw backend_config > ../backend.hcl"
  value       = <<-EOT
    bucket       = "${local.bucket}"
    key          = "${local.key}"
    region       = "${var.aws_region}"
    encrypt      = true
    use_lockfile = true${local.lock}
  EOT
}

output "backend_tf" {
  description = "Where bootstrap keeps its own state from then on: terraform output -raw backend_tf > backend.tf && terraform init -migrate-state"
  value       = <<-EOT
    terraform {
      backend "s3" {
        bucket       = "${local.bucket}"
        key          = "${var.name}/bootstrap.tfstate"
        region       = "${var.aws_region}"
        encrypt      = true
        use_lockfile = true
      }
    }
  EOT
}

output "deploy_role" {
  description = "The role that deploys."
  value       = aws_iam_role.this["deploy"].arn
}

output "github_variables" {
  description = "The variables that the workflows read, NAME=value lines: terraform output -raw github_variables | gh variable set --env-file -"
  value       = <<-EOT
    AWS_REGION=${var.aws_region}
    TF_STATE_BUCKET=${local.bucket}
    TF_PLAN_ROLE=${aws_iam_role.this["plan"].arn}
    TF_APPLY_ROLE=${aws_iam_role.this["apply"].arn}
    DEPLOY_ROLE=${aws_iam_role.this["deploy"].arn}
  EOT
}

output "permissions_boundary" {
  description = "The boundary that each role in terraform/ must carry: its variable permissions_boundary."
  value       = aws_iam_policy.boundary.arn
}

output "plan_role" {
  description = "The role that reads the infrastructure."
  value       = aws_iam_role.this["plan"].arn
}

output "tfvars" {
  description = "The variables of terraform/ that must agree with the roles: terraform output -raw tfvars > ../bootstrap.auto.tfvars"
  value       = <<-EOT
    name                 = "${var.name}"
    aws_region           = "${var.aws_region}"
    permissions_boundary = "${aws_iam_policy.boundary.arn}"
  EOT
}
