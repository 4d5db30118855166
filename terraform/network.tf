locals {
  availability_zone = var.availability_zone == "" ? "${var.aws_region}a" : var.availability_zone
  world             = "0.0.0.0/0"
}

# Remembers the zone of the first apply: another would drag the instance and its data along.
resource "terraform_data" "zone" {
  input = local.availability_zone

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_vpc" "this" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

# Whatever is put into the VPC without a group of its own lands in this one: nothing goes in or out there.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default" }
}

resource "aws_subnet" "public" {
  # checkov:skip=CKV_AWS_130: the instance needs an address as it boots, before it can have the elastic one
  vpc_id                  = aws_vpc.this.id
  cidr_block              = "10.0.1.0/24"
  availability_zone       = local.availability_zone
  map_public_ip_on_launch = true

  tags = { Name = "${var.name}-public" }

  lifecycle {
    precondition {
      condition     = terraform_data.zone.output == local.availability_zone
      error_message = "availability_zone: the host is in ${terraform_data.zone.output} and does not move to ${local.availability_zone}. Set aws_region and availability_zone back, or make another one under another name and state. (Was nothing made there yet, because the zone has no room for it? terraform state rm terraform_data.zone)"
    }
  }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-public" }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = local.world
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  subnet_id      = aws_subnet.public.id
  route_table_id = aws_route_table.public.id
}

resource "aws_cloudwatch_log_group" "flow_logs" {
  # checkov:skip=CKV_AWS_158: CloudWatch encrypts with its own key; one of one's own costs a dollar a month and guards no secret here
  # checkov:skip=CKV_AWS_338: log_retention_days decides; the default of a week keeps the price small
  count = var.flow_logs ? 1 : 0

  name              = "/aws/vpc/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_flow_log" "this" {
  count = var.flow_logs ? 1 : 0

  vpc_id          = aws_vpc.this.id
  traffic_type    = "ALL"
  log_destination = aws_cloudwatch_log_group.flow_logs[0].arn
  iam_role_arn    = aws_iam_role.flow_logs[0].arn

  tags = { Name = var.name }
}
