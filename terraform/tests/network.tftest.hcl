mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  operator_cidrs = ["203.0.113.7/32", "198.51.100.9/24"]
}

run "one_public_subnet_in_zone_a_of_the_region" {
  command = plan

  assert {
    condition     = aws_vpc.this.cidr_block == "10.0.0.0/16" && aws_subnet.public.cidr_block == "10.0.1.0/24"
    error_message = "B1's networks are 10.0.0.0/16 and 10.0.1.0/24, got ${aws_vpc.this.cidr_block} and ${aws_subnet.public.cidr_block}."
  }

  assert {
    condition     = aws_subnet.public.availability_zone == "us-east-1a"
    error_message = "The subnet is in us-east-1a, got ${aws_subnet.public.availability_zone}."
  }

  assert {
    condition     = aws_route.internet.destination_cidr_block == "0.0.0.0/0"
    error_message = "The route table leads to the internet."
  }
}

run "exactly_the_rules_of_the_specification" {
  command = plan

  assert {
    condition = toset([for rule in aws_vpc_security_group_ingress_rule.host : "${rule.ip_protocol} ${rule.from_port}-${rule.to_port} ${rule.cidr_ipv4}"]) == toset([
      "tcp 22-22 203.0.113.7/32", "tcp 22-22 198.51.100.0/24",
      "tcp 80-80 0.0.0.0/0",
      "tcp 5000-5000 0.0.0.0/0",
      "tcp 3000-3000 203.0.113.7/32", "tcp 3000-3000 198.51.100.0/24",
      "tcp 9090-9090 203.0.113.7/32", "tcp 9090-9090 198.51.100.0/24",
      "tcp 5601-5601 203.0.113.7/32", "tcp 5601-5601 198.51.100.0/24",
      "tcp 9200-9200 10.0.0.0/16",
    ])
    error_message = "The rules are not those of B3: ${jsonencode([for rule in aws_vpc_security_group_ingress_rule.host : "${rule.from_port} ${rule.cidr_ipv4}"])}"
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.host) == 11
    error_message = "Each rule is there once, got ${length(aws_vpc_security_group_ingress_rule.host)}."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.host : rule.description != "" && rule.cidr_ipv6 == null])
    error_message = "Each rule says what it is for, and none lets IPv6 in."
  }

  # EC2 refuses others, and only when it is applied: an apostrophe, say.
  assert {
    condition = alltrue([
      for text in concat(
        values(aws_vpc_security_group_ingress_rule.host)[*].description, [aws_vpc_security_group_egress_rule.host.description],
        [aws_security_group.host.description, aws_security_group.deploy.description],
      ) : can(regex("^[A-Za-z0-9 ._:/()#,@+=&;{}!$*\\[\\]-]{1,255}$", text))
    ])
    error_message = "A description has a character that EC2 takes in none."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.host.ip_protocol == "-1" && aws_vpc_security_group_egress_rule.host.cidr_ipv4 == "0.0.0.0/0"
    error_message = "The host reaches everything by IPv4."
  }
}

run "without_operators_only_the_app_is_reached_from_outside" {
  command = plan

  variables {
    operator_cidrs = []
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.host : "${rule.from_port} ${rule.cidr_ipv4}"]) == toset(["80 0.0.0.0/0", "5000 0.0.0.0/0", "9200 10.0.0.0/16"])
    error_message = "More than ports 80, 5000 and 9200 is open."
  }
}

run "ssh_can_be_shut_to_the_operators_too" {
  command = plan

  variables {
    ssh_open = false
  }

  assert {
    condition     = length([for rule in aws_vpc_security_group_ingress_rule.host : rule if rule.from_port <= 22 && rule.to_port >= 22]) == 0
    error_message = "Port 22 is open although ssh_open is false."
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.host) == 9
    error_message = "The other rules stay, got ${length(aws_vpc_security_group_ingress_rule.host)}."
  }
}

run "the_app_port_is_closed_or_another" {
  command = plan

  variables {
    app_port       = null
    operator_cidrs = []
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.host : rule.from_port]) == toset([80, 9200])
    error_message = "With app_port = null no port but 80 is open to the world."
  }
}

run "no_rules_in_the_default_group_and_in_the_deploys_group" {
  assert {
    condition     = length(aws_security_group.deploy.ingress) == 0 && length(aws_security_group.deploy.egress) == 0
    error_message = "An inline rule of the deploys' group would shut a running deploy's door."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.host : rule.security_group_id == aws_security_group.host.id])
    error_message = "A rule is in another group than the host's."
  }

  assert {
    condition     = length(aws_security_group.host.ingress) == 0 && length(aws_security_group.host.egress) == 0
    error_message = "The host's rules are resources, never inline."
  }

  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "The default group has a rule."
  }

  assert {
    condition     = aws_security_group.deploy.tags.Name == "hello-devops-deploys" && contains(aws_instance.this.vpc_security_group_ids, aws_security_group.deploy.id)
    error_message = "The instance is in the group that a deploy opens, and that is found by its tag."
  }
}

run "the_host_does_not_move_to_another_zone" {
  command = plan

  variables {
    availability_zone = "us-east-1b"
  }

  expect_failures = [aws_subnet.public]
}

run "flow_logs_are_written_by_a_role_that_nobody_else_can_borrow" {
  variables {
    flow_logs          = true
    log_retention_days = 30
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow_logs[0].name == "/aws/vpc/hello-devops" && aws_cloudwatch_log_group.flow_logs[0].retention_in_days == 30
    error_message = "Flow logs go to /aws/vpc/<name> for log_retention_days."
  }

  assert {
    condition = jsondecode(aws_iam_role.flow_logs[0].assume_role_policy).Statement[0].Condition == {
      StringEquals = { "aws:SourceAccount" = "111122223333" }
      ArnLike      = { "aws:SourceArn" = "arn:aws:ec2:us-east-1:111122223333:vpc-flow-log/*" }
    }
    error_message = "The role can be borrowed: ${aws_iam_role.flow_logs[0].assume_role_policy}"
  }

  assert {
    condition     = toset(jsondecode(aws_iam_role_policy.flow_logs[0].policy).Statement[0].Resource) == toset([aws_cloudwatch_log_group.flow_logs[0].arn, "${aws_cloudwatch_log_group.flow_logs[0].arn}:*"])
    error_message = "The role writes to more than its group: ${aws_iam_role_policy.flow_logs[0].policy}"
  }
}

run "no_flow_logs_unless_asked_for" {
  command = plan

  assert {
    condition     = length(aws_flow_log.this) == 0 && length(aws_iam_role.flow_logs) == 0
    error_message = "Flow logs cost money: they are there only when asked for."
  }
}
