# What the roles may do. The provider is the real one, since it writes the policies; it is asked for nothing in AWS.
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
  repositories     = [{ name = "acme/web" }]
  ecr_repositories = ["acme/web"]
  env_secrets      = ["web/prod/database"]
  env_ssm_paths    = ["/web/prod"]
}

run "each_policy_fits_into_what_iam_takes" {
  command = plan

  assert {
    condition     = alltrue([for this in aws_iam_policy.this : length(this.policy) <= 6144])
    error_message = jsonencode({ for name, this in aws_iam_policy.this : name => length(this.policy) })
  }
}

run "apply_touches_two_roles_and_one_profile_by_name_and_no_policy" {
  command = plan

  assert {
    condition = toset(flatten([
      for statement in jsondecode(aws_iam_policy.this["apply"].policy).Statement : statement.Resource
      if strcontains(jsonencode(statement.Action), "\"iam:")
      ])) == toset([
      "arn:aws:iam::111122223333:role/hello-devops-host", "arn:aws:iam::111122223333:role/hello-devops-flow-logs",
      "arn:aws:iam::111122223333:instance-profile/hello-devops-host",
    ])
    error_message = aws_iam_policy.this["apply"].policy
  }

  assert {
    condition     = !strcontains(aws_iam_policy.this["apply-ec2"].policy, "iam:")
    error_message = "another policy of the role touches IAM"
  }
}

run "apply_gives_a_role_rights_under_the_boundary_alone" {
  command = plan

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.this["apply"].policy).Statement :
      try(statement.Condition.StringEquals["iam:PermissionsBoundary"], "") == "arn:aws:iam::111122223333:policy/hello-devops-boundary"
      if length(setintersection(flatten([statement.Action]), ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"])) > 0
    ])
    error_message = aws_iam_policy.this["apply"].policy
  }

  assert {
    condition     = !strcontains(aws_iam_policy.this["apply"].policy, "DeleteRolePermissionsBoundary")
    error_message = "the boundary could be taken off"
  }
}

run "apply_changes_nothing_of_ec2_without_the_tag" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(aws_iam_policy.this["apply-ec2"].policy).Statement : statement.Sid
      if try(statement.Condition.StringEquals["aws:RequestTag/Project"], statement.Condition.StringEquals["aws:ResourceTag/Project"], "") != "hello-devops"
    ] == ["RunAmazonsImages", "InterfaceOfInstance", "TagWhatIsMade"]
    error_message = aws_iam_policy.this["apply-ec2"].policy
  }
}

run "plan_writes_locks_and_nothing_else" {
  command = plan

  assert {
    condition = toset(flatten([
      for statement in jsondecode(aws_iam_policy.this["plan"].policy).Statement : [
        for action in flatten([statement.Action]) : "${statement.Sid} ${action}"
        if !can(regex(":(Get|List|Describe|View)", action))
      ]
    ])) == toset(["Lock s3:PutObject", "Lock s3:DeleteObject", "LockByTable dynamodb:PutItem", "LockByTable dynamodb:DeleteItem"])
    error_message = aws_iam_policy.this["plan"].policy
  }
}

run "no_role_reaches_bootstraps_own_state" {
  command = plan

  assert {
    condition = toset(flatten([
      for this in aws_iam_policy.this : [
        for statement in jsondecode(this.policy).Statement : statement.Resource if strcontains(jsonencode(statement.Action), "\"s3:")
      ]
      ])) == toset([
      "arn:aws:s3:::hello-devops-state-111122223333-us-east-1",
      "arn:aws:s3:::hello-devops-state-111122223333-us-east-1/hello-devops/terraform.tfstate",
      "arn:aws:s3:::hello-devops-state-111122223333-us-east-1/hello-devops/terraform.tfstate.tflock",
    ])
    error_message = "a role reaches more of the bucket"
  }
}

run "a_host_can_never_read_a_secret_of_parameter_store" {
  command = plan

  assert {
    condition     = !strcontains(aws_iam_policy.boundary.policy, "ssm:GetParameter")
    error_message = aws_iam_policy.boundary.policy
  }
}

run "a_deploy_reaches_the_systems_hosts_and_its_door" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(aws_iam_policy.this["deploy"].policy).Statement : statement.Sid => try(statement.Condition.StringEquals, null)
      if contains(["HostKeysOfTheConsole", "LogIn", "OpenAndShut"], statement.Sid)
      } == {
      HostKeysOfTheConsole = { "aws:ResourceTag/Name" = "hello-devops" }
      LogIn                = { "aws:ResourceTag/Name" = "hello-devops", "ec2:osuser" = "ec2-user" }
      OpenAndShut          = { "aws:ResourceTag/Name" = "hello-devops-deploys" }
    }
    error_message = aws_iam_policy.this["deploy"].policy
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_policy.this["deploy"].policy).Statement : statement.Sid => flatten([statement.Resource])
      if contains(["EnvOfParameters", "EnvOfSecrets", "PullFromEcr"], statement.Sid)
      } == {
      EnvOfParameters = ["arn:aws:ssm:us-east-1:111122223333:parameter/web/prod/*", "arn:aws:ssm:us-east-1:111122223333:parameter/web/prod"]
      EnvOfSecrets    = ["arn:aws:secretsmanager:us-east-1:111122223333:secret:web/prod/database-??????"]
      PullFromEcr     = ["arn:aws:ecr:us-east-1:111122223333:repository/acme/web"]
    }
    error_message = aws_iam_policy.this["deploy"].policy
  }
}
