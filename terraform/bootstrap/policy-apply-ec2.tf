# All that is made carries the tag Project = <name> from its first moment, and nothing without it can be changed. So the role reaches
# what it made and no more.

locals {
  ec2       = "${local.arn}:ec2:${local.at}"
  snapshots = "${local.arn}:ec2:${var.aws_region}::snapshot/*" # AWS leaves the account out of its name

  # What AWS asks about at a creation: what is made, and what it is made in.
  creations = {
    made = [
      "AllocateAddress", "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "CreateFlowLogs", "CreateInternetGateway",
      "CreateRouteTable", "CreateSecurityGroup", "CreateSnapshot", "CreateSubnet", "CreateVolume", "CreateVpc", "ImportKeyPair", "RunInstances",
    ]
    within = [
      "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "CreateFlowLogs", "CreateRouteTable", "CreateSecurityGroup",
      "CreateSnapshot", "CreateSubnet", "RunInstances",
    ]
  }
  kinds = {
    made = [
      "elastic-ip", "instance", "internet-gateway", "key-pair", "route-table", "security-group", "security-group-rule", "subnet", "volume",
      "vpc", "vpc-flow-log",
    ]
    within = ["key-pair", "security-group", "subnet", "volume", "vpc"]
  }
}

data "aws_iam_policy_document" "apply_ec2" {
  statement {
    sid       = "MakeWithTag"
    actions   = [for action in local.creations.made : "ec2:${action}"]
    resources = concat([local.snapshots], [for kind in local.kinds.made : "${local.ec2}:${kind}/*"])

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Project"
      values   = [var.name]
    }
  }

  statement {
    sid       = "MakeInOwn" # a subnet in its VPC, an instance in its subnet, a rule in its group
    actions   = [for action in local.creations.within : "ec2:${action}"]
    resources = [for kind in local.kinds.within : "${local.ec2}:${kind}/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = [var.name]
    }
  }

  statement {
    sid       = "RunAmazonsImages"
    actions   = ["ec2:RunInstances"]
    resources = ["${local.arn}:ec2:${var.aws_region}::image/*"]

    condition {
      test     = "StringEquals"
      variable = "ec2:Owner"
      values   = ["amazon"]
    }
  }

  statement {
    sid       = "InterfaceOfInstance" # has no tag; the instance, address and group at its other end have
    actions   = ["ec2:RunInstances", "ec2:AssociateAddress", "ec2:DisassociateAddress"]
    resources = ["${local.ec2}:network-interface/*"]
  }

  statement {
    sid       = "TagWhatIsMade"
    actions   = ["ec2:CreateTags"]
    resources = ["${local.ec2}:*/*", local.snapshots]

    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values   = local.creations.made
    }
  }

  statement {
    sid       = "EmptyTheDefaultGroup" # AWS makes it with the VPC, without a tag
    actions   = ["ec2:CreateTags"]
    resources = ["${local.ec2}:security-group/*"]

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/Project"
      values   = ["true"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Project"
      values   = [var.name]
    }
  }

  statement {
    sid = "ChangeOwn"
    actions = [
      "ec2:CreateTags", "ec2:DeleteTags",
      "ec2:ModifyVpcAttribute", "ec2:DeleteVpc", "ec2:ModifySubnetAttribute", "ec2:DeleteSubnet", "ec2:DeleteFlowLogs",
      "ec2:AttachInternetGateway", "ec2:DetachInternetGateway", "ec2:DeleteInternetGateway",
      "ec2:CreateRoute", "ec2:DeleteRoute", "ec2:AssociateRouteTable", "ec2:DisassociateRouteTable", "ec2:DeleteRouteTable",
      "ec2:ModifySecurityGroupRules", "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress", "ec2:DeleteSecurityGroup",
      "ec2:ModifyInstanceAttribute", "ec2:ModifyInstanceCreditSpecification", "ec2:ModifyInstanceMetadataOptions",
      "ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances", "ec2:DeleteKeyPair",
      "ec2:AttachVolume", "ec2:DetachVolume", "ec2:ModifyVolume", "ec2:DeleteVolume",
      "ec2:AssociateAddress", "ec2:DisassociateAddress", "ec2:ReleaseAddress",
    ]
    resources = ["${local.ec2}:*/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = [var.name]
    }
  }
}
