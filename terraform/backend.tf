# Bucket, key and region come from `terraform init -backend-config=backend.hcl`; bootstrap/ makes the bucket and prints that file.
terraform {
  backend "s3" {}
}
