# Values that would let in the wrong job, or that AWS would refuse half-way.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  repositories = [{ name = "acme/web" }]
}

run "no_repository_is_refused" {
  command = plan
  variables {
    repositories = []
  }
  expect_failures = [var.repositories]
}

run "a_repository_with_a_wildcard_is_refused" {
  command = plan
  variables {
    repositories = [{ name = "acme/*" }]
  }
  expect_failures = [var.repositories]
}

run "an_owner_without_a_repository_is_refused" {
  command = plan
  variables {
    repositories = [{ name = "acme" }]
  }
  expect_failures = [var.repositories]
}

run "an_owner_id_without_the_repositorys_id_is_refused" {
  command = plan
  variables {
    repositories = [{ name = "acme/web", owner_id = 123 }]
  }
  expect_failures = [var.repositories]
}

run "environments_with_a_wildcard_are_refused" {
  command = plan
  variables {
    apply_environments  = ["*"]
    deploy_environments = ["prod*"]
    plan_environments   = ["pull?request"]
  }
  expect_failures = [var.apply_environments, var.deploy_environments, var.plan_environments]
}

run "an_environment_that_holds_a_claim_of_its_own_is_refused" {
  command = plan
  variables {
    apply_environments = ["x:ref:refs/heads/main"]
  }
  expect_failures = [var.apply_environments]
}

run "a_branch_with_a_wildcard_is_refused" {
  command = plan
  variables {
    default_branch = "*"
  }
  expect_failures = [var.default_branch]
}

run "more_than_a_name_is_refused_where_a_deploy_may_read" {
  command = plan
  variables {
    ecr_repositories = ["111122223333.dkr.ecr.us-east-1.amazonaws.com/web:latest"]
    env_secrets      = ["web/*"]
    env_ssm_paths    = ["/"]
  }
  expect_failures = [var.ecr_repositories, var.env_secrets, var.env_ssm_paths]
}

run "bad_names_are_refused" {
  command = plan
  variables {
    aws_region   = "Virginia"
    lock_table   = "no spaces"
    name         = "Hello DevOps"
    ssh_user     = "*"
    state_bucket = "Has_Capitals"
  }
  expect_failures = [var.aws_region, var.lock_table, var.name, var.ssh_user, var.state_bucket]
}

run "old_versions_that_live_no_day_are_refused" {
  command = plan
  variables {
    state_version_days = 0
  }
  expect_failures = [var.state_version_days]
}
