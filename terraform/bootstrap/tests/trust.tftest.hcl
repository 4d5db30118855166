# Who may take which role. The provider is the real one, since it writes the policies; it is asked for nothing in AWS.
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

override_resource {
  target          = aws_iam_openid_connect_provider.this
  override_during = plan
  values          = { arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
}

variables {
  repositories = [{ name = "acme/web", owner_id = 123, id = 456 }]
}

run "a_repository_is_let_in_by_its_name_and_by_its_ids_and_by_nothing_else" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.this["apply"].assume_role_policy).Statement == [{
      Sid       = "GitHubJobs"
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = ["repo:acme/web:environment:infrastructure", "repo:acme@123/web@456:environment:infrastructure"]
        }
      }
    }]
    error_message = aws_iam_role.this["apply"].assume_role_policy
  }
}

run "pull_requests_and_the_default_branch_plan_and_environments_deploy" {
  command = plan

  variables {
    repositories      = [{ name = "acme/web" }, { name = "acme/shop" }]
    default_branch    = "trunk"
    plan_environments = ["drift"]
  }

  assert {
    condition = { for role, subjects in local.subjects : role => toset(subjects) } == {
      plan = toset([
        "repo:acme/web:pull_request", "repo:acme/web:ref:refs/heads/trunk", "repo:acme/web:environment:drift",
        "repo:acme/shop:pull_request", "repo:acme/shop:ref:refs/heads/trunk", "repo:acme/shop:environment:drift",
      ])
      apply = toset(["repo:acme/web:environment:infrastructure", "repo:acme/shop:environment:infrastructure"])
      deploy = toset([
        "repo:acme/web:environment:production", "repo:acme/web:environment:staging",
        "repo:acme/shop:environment:production", "repo:acme/shop:environment:staging",
      ])
    }
    error_message = jsonencode(local.subjects)
  }
}

run "ids_of_many_digits_are_written_out" {
  command = plan

  variables {
    repositories = [{ name = "acme/web", owner_id = 292269961, id = 12345678901 }]
  }

  assert {
    condition     = contains(local.subjects.plan, "repo:acme@292269961/web@12345678901:pull_request")
    error_message = jsonencode(local.subjects.plan)
  }
}

run "a_pull_request_can_take_the_role_plan_alone" {
  command = plan

  assert {
    condition     = [for role, this in aws_iam_role.this : role if strcontains(this.assume_role_policy, "pull_request")] == ["plan"]
    error_message = "another role than plan is open to pull requests"
  }

  assert {
    condition     = alltrue([for this in aws_iam_role.this : !strcontains(this.assume_role_policy, "*") && !strcontains(this.assume_role_policy, "?")])
    error_message = "a trust policy holds a wildcard"
  }
}

run "the_accounts_own_provider_is_used" {
  command = plan

  variables {
    create_oidc_provider = false
  }

  override_data {
    target = data.aws_iam_openid_connect_provider.existing
    values = { arn = "arn:aws:iam::111122223333:oidc-provider/theirs", client_id_list = ["sts.amazonaws.com"] }
  }

  assert {
    condition = length(aws_iam_openid_connect_provider.this) == 0 && alltrue([
      for this in aws_iam_role.this : jsondecode(this.assume_role_policy).Statement[0].Principal.Federated == "arn:aws:iam::111122223333:oidc-provider/theirs"
    ])
    error_message = "a provider was made, or the account's was not used"
  }
}

run "a_provider_that_does_not_take_the_audience_of_aws_is_refused" {
  command = plan

  variables {
    create_oidc_provider = false
  }

  override_data {
    target = data.aws_iam_openid_connect_provider.existing
    values = { arn = "arn:aws:iam::111122223333:oidc-provider/theirs", client_id_list = ["https://github.com/acme"] }
  }

  expect_failures = [data.aws_iam_openid_connect_provider.existing]
}

run "without_environments_nobody_takes_the_role" {
  command = plan

  variables {
    apply_environments = []
  }

  assert {
    condition     = local.subjects.apply == ["nobody"] && length(local.subjects.plan) > 1
    error_message = "The role apply can be taken by ${jsonencode(local.subjects.apply)}."
  }
}
