mock_provider "aws" {
  source = "./tests/mocks"
}

run "the_instance_may_do_its_metrics_its_logs_and_its_host_keys" {
  assert {
    condition = jsondecode(aws_iam_role_policy.agent.policy).Statement == [
      {
        Sid       = "Metrics"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = "HelloDevOps/EC2" } }
      },
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [aws_cloudwatch_log_group.this.arn, "${aws_cloudwatch_log_group.this.arn}:*"]
      },
    ]
    error_message = "The agent may do something else: ${aws_iam_role_policy.agent.policy}"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.host_keys.policy).Statement == [{
      Sid       = "HostKeys"
      Effect    = "Allow"
      Action    = "ssm:PutParameter"
      Resource  = "arn:aws:ssm:us-east-1:111122223333:parameter/hello-devops/host-keys/i-0123456789abcdef0"
      Condition = { ArnEquals = { "ec2:SourceInstanceARN" = "arn:aws:ec2:us-east-1:111122223333:instance/i-0123456789abcdef0" } }
    }]
    error_message = "The instance may write another's host keys: ${aws_iam_role_policy.host_keys.policy}"
  }

  assert {
    condition     = jsondecode(aws_iam_role.host.assume_role_policy).Statement[0].Principal == { Service = "ec2.amazonaws.com" }
    error_message = "Somebody else may take the instance's role: ${aws_iam_role.host.assume_role_policy}"
  }

  assert {
    condition     = aws_instance.this.iam_instance_profile == "hello-devops-host" && aws_iam_instance_profile.host.role == "hello-devops-host"
    error_message = "The instance has its role by the profile hello-devops-host."
  }

  assert {
    condition     = length(aws_iam_role_policy_attachment.session_manager) == 0 && aws_iam_role.host.permissions_boundary == null
    error_message = "Neither Session Manager nor a boundary unless asked for."
  }
}

run "the_host_keys_stay_where_the_actions_read_them_under_any_name" {
  variables {
    name = "web"
  }

  assert {
    condition     = endswith(jsondecode(aws_iam_role_policy.host_keys.policy).Statement[0].Resource, ":parameter/hello-devops/host-keys/i-0123456789abcdef0")
    error_message = "deploy-ec2 looks for the keys under /hello-devops/host-keys/, whatever the host is called."
  }
}

run "session_manager_is_one_policy_of_aws" {
  command = plan

  variables {
    session_manager = true
  }

  assert {
    condition     = one(aws_iam_role_policy_attachment.session_manager).policy_arn == "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    error_message = "Session Manager needs AmazonSSMManagedInstanceCore."
  }
}

run "a_boundary_is_on_each_role" {
  command = plan

  variables {
    flow_logs            = true
    permissions_boundary = "arn:aws:iam::111122223333:policy/hello-devops-boundary"
  }

  assert {
    condition     = toset([aws_iam_role.host.permissions_boundary, aws_iam_role.flow_logs[0].permissions_boundary]) == toset(["arn:aws:iam::111122223333:policy/hello-devops-boundary"])
    error_message = "A role has no boundary."
  }
}
