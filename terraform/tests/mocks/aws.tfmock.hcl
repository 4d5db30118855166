# What the provider checks, or our own expressions read, of AWS's answers.
mock_data "aws_caller_identity" {
  defaults = { account_id = "111122223333" }
}

mock_data "aws_ec2_instance_type" {
  defaults = { supported_architectures = ["x86_64"], memory_size = 16384 }
}

mock_data "aws_iam_policy_document" {
  defaults = { json = "{}" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_resource "aws_instance" {
  defaults = { id = "i-0123456789abcdef0" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:us-east-1:111122223333:shop-alerts" }
}
