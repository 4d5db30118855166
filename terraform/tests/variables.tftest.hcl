# What must be refused before anything is made; a run fails unless each of its values is.
mock_provider "aws" {
  source = "./tests/mocks"
}

run "every_default_is_allowed" {
  command = plan
}

run "good_values_are_allowed" {
  command = plan

  variables {
    alert_email          = "ops@example.com"
    app_port             = null
    availability_zone    = "eu-central-1b"
    aws_region           = "eu-central-1"
    data_volume_size     = 16384
    instance_type        = "u-3tb1.56xlarge"
    log_retention_days   = 3653
    monthly_budget       = 0.5
    name                 = "a12345678901234567890123456789"
    operator_cidrs       = ["203.0.113.7/32", "203.0.113.7/32", "10.0.0.0/8"]
    permissions_boundary = "arn:aws-us-gov:iam::111122223333:policy/teams/boundary"
    root_volume_size     = 8
    ssh_public_key       = "ssh-rsa AAAAB3NzaC1yc2E= me@example.com\n"
  }
}

run "values_that_are_too_small_are_refused" {
  command = plan

  variables {
    app_port           = 80
    data_volume_size   = -1
    host_revision      = 0
    log_retention_days = 0
    metadata_hop_limit = 0
    monthly_budget     = -1
    name               = ""
    root_volume_size   = 7
  }

  expect_failures = [
    var.app_port,
    var.data_volume_size,
    var.host_revision,
    var.log_retention_days,
    var.metadata_hop_limit,
    var.monthly_budget,
    var.name,
    var.root_volume_size,
  ]
}

run "values_that_are_too_large_are_refused" {
  command = plan

  variables {
    app_port           = 65536
    data_volume_size   = 16385
    log_retention_days = 3654
    metadata_hop_limit = 3
    name               = "a123456789012345678901234567890"
    root_volume_size   = 16385
  }

  expect_failures = [
    var.app_port,
    var.data_volume_size,
    var.log_retention_days,
    var.metadata_hop_limit,
    var.name,
    var.root_volume_size,
  ]
}

run "numbers_that_are_not_whole_are_refused" {
  command = plan

  variables {
    app_port         = 5000.5
    data_volume_size = 1.5
    host_revision    = 1.5
    root_volume_size = 20.5
  }

  expect_failures = [
    var.app_port,
    var.data_volume_size,
    var.host_revision,
    var.root_volume_size,
  ]
}

run "words_that_are_none_of_those_expected_are_refused" {
  command = plan

  variables {
    cpu_credits        = "free"
    log_retention_days = 8
    monitoring         = "all"
  }

  expect_failures = [
    var.cpu_credits,
    var.log_retention_days,
    var.monitoring,
  ]
}

run "values_of_another_form_are_refused" {
  command = plan

  variables {
    alert_email          = "ops"
    aws_region           = "us-east-1a"
    instance_type        = "micro"
    name                 = "Web"
    operator_cidrs       = ["203.0.113.7"]
    permissions_boundary = "hello-devops-boundary"
    ssh_public_key       = "ssh-dss AAAAB3Nza me"
  }

  expect_failures = [
    var.alert_email,
    var.aws_region,
    var.instance_type,
    var.name,
    var.operator_cidrs,
    var.permissions_boundary,
    var.ssh_public_key,
  ]
}

run "two_where_one_is_expected_are_refused" {
  command = plan

  variables {
    alert_email    = "a@example.com, b@example.com"
    ssh_public_key = "ssh-ed25519 AAAAC3Nz a\nssh-ed25519 AAAAC3Nz b"
  }

  expect_failures = [
    var.alert_email,
    var.ssh_public_key,
  ]
}

run "a_private_key_and_a_name_that_begins_with_a_digit_are_refused" {
  command = plan

  variables {
    name           = "1web"
    ssh_public_key = "-----BEGIN OPENSSH PRIVATE KEY-----"
  }

  expect_failures = [
    var.name,
    var.ssh_public_key,
  ]
}

run "the_operators_own_port_for_the_app_is_refused" {
  command = plan

  variables {
    app_port = 9200
  }

  expect_failures = [var.app_port]
}

run "a_zone_of_another_region_is_refused" {
  command = plan

  variables {
    availability_zone = "eu-west-1a"
  }

  expect_failures = [var.availability_zone]
}

run "a_budget_that_nobody_would_hear_of_is_refused" {
  command = plan

  variables {
    monthly_budget = 10
  }

  expect_failures = [var.monthly_budget]
}

run "the_world_among_the_operators_is_refused" {
  command = plan

  variables {
    operator_cidrs = ["203.0.113.7/32", "0.0.0.0/0"]
  }

  expect_failures = [var.operator_cidrs]
}

run "half_the_world_among_the_operators_is_refused" {
  command = plan

  variables {
    operator_cidrs = ["0.0.0.0/1"]
  }

  expect_failures = [var.operator_cidrs]
}

run "ipv6_among_the_operators_is_refused" {
  command = plan

  variables {
    operator_cidrs = ["::/0"]
  }

  expect_failures = [var.operator_cidrs]
}

run "a_small_root_volume_for_full_is_refused" {
  command = plan

  variables {
    monitoring       = "full"
    root_volume_size = 29
  }

  expect_failures = [var.root_volume_size]
}
