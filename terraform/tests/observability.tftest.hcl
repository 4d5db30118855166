# That alarms and dashboard name what the agent sends is in test/terraform/agent.test.ts.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name        = "shop"
  alert_email = "ops@example.com"
}

run "cpu_memory_and_disk_alarm_above_80_percent_in_3_of_5_minutes" {
  assert {
    condition     = join(" ", keys(aws_cloudwatch_metric_alarm.usage)) == "cpu disk memory"
    error_message = "There are alarms for ${join(", ", keys(aws_cloudwatch_metric_alarm.usage))}."
  }

  assert {
    condition = alltrue([for alarm in values(aws_cloudwatch_metric_alarm.usage) :
      alarm.threshold == 80 && alarm.comparison_operator == "GreaterThanThreshold" && alarm.statistic == "Average" &&
      alarm.period == 60 && alarm.evaluation_periods == 5 && alarm.datapoints_to_alarm == 3
    ])
    error_message = "An alarm is not of 80 % in 3 of 5 minutes."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.usage["cpu"].metric_name == "cpu_usage_active" &&
      aws_cloudwatch_metric_alarm.usage["memory"].metric_name == "mem_used_percent" &&
      aws_cloudwatch_metric_alarm.usage["disk"].metric_name == "disk_used_percent"
    )
    error_message = "An alarm watches another metric than its name says."
  }
}

run "a_failed_status_check_alarms_after_two_minutes" {
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.status.namespace == "AWS/EC2" &&
      aws_cloudwatch_metric_alarm.status.metric_name == "StatusCheckFailed" &&
      aws_cloudwatch_metric_alarm.status.dimensions == tomap({ InstanceId = "i-0123456789abcdef0" }) &&
      aws_cloudwatch_metric_alarm.status.statistic == "Maximum" &&
      aws_cloudwatch_metric_alarm.status.comparison_operator == "GreaterThanThreshold" &&
      aws_cloudwatch_metric_alarm.status.threshold == 0 &&
      aws_cloudwatch_metric_alarm.status.period * aws_cloudwatch_metric_alarm.status.datapoints_to_alarm == 120
    )
    error_message = "The status check's alarm is another."
  }
}

run "each_alarm_tells_its_beginning_and_its_end_and_silence_is_told_once" {
  assert {
    condition = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.usage), [aws_cloudwatch_metric_alarm.status]) :
      alarm.alarm_actions == toset([aws_sns_topic.alerts.arn]) && alarm.ok_actions == toset([aws_sns_topic.alerts.arn])
    ])
    error_message = "An alarm does not tell the topic of its beginning and its end."
  }

  assert {
    condition = join(" ", [
      for alarm in concat(values(aws_cloudwatch_metric_alarm.usage), [aws_cloudwatch_metric_alarm.status]) : alarm.alarm_name
      if length(coalesce(alarm.insufficient_data_actions, [])) > 0
    ]) == "shop-memory"
    error_message = "A silent host is told by none, or by several."
  }
}

run "an_alarm_says_which_host_what_it_means_where_to_look_and_three_things_to_do" {
  assert {
    condition = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.usage), [aws_cloudwatch_metric_alarm.status]) :
      can(regex("^The host shop in us-east-1\\. .+\\nLook at https://.+\\n1\\. .+\\n2\\. .+\\n3\\. .+$", alarm.alarm_description)) &&
      length(alarm.alarm_description) <= 1024 # as much as CloudWatch takes
    ])
    error_message = "An alarm's description says too little, or too much for CloudWatch."
  }
}

run "a_deploy_is_told_each_alarm" {
  assert {
    condition = toset(split(",", output.alarm_names)) == toset([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.usage), [aws_cloudwatch_metric_alarm.status]) : alarm.alarm_name
    ])
    error_message = "The output says ${output.alarm_names}."
  }
}

run "a_data_volume_has_an_alarm_of_its_own" {
  variables {
    data_volume_size = 10
  }

  assert {
    condition = aws_cloudwatch_metric_alarm.usage["data-disk"].dimensions == tomap({
      InstanceId = "i-0123456789abcdef0", path = "/data"
    })
    error_message = "No alarm watches the disk at /data."
  }
}

run "the_topic_is_encrypted_by_a_key_that_cloudwatch_may_use_for_this_hosts_alarms" {
  assert {
    condition     = aws_sns_topic.alerts.kms_master_key_id == aws_kms_key.alerts.arn && aws_kms_key.alerts.enable_key_rotation
    error_message = "The topic is not encrypted by the key, or the key stays the same for ever."
  }

  assert {
    condition = [for statement in data.aws_iam_policy_document.alerts_key.statement : one(one(statement.principals).identifiers)] == [
      "arn:aws:iam::111122223333:root", "cloudwatch.amazonaws.com"
    ]
    error_message = "Others may use the key."
  }

  assert {
    condition = (
      toset(data.aws_iam_policy_document.alerts_key.statement[1].actions) == toset(["kms:Decrypt", "kms:GenerateDataKey*"]) &&
      { for it in data.aws_iam_policy_document.alerts_key.statement[1].condition : it.variable => one(it.values) } == {
        "aws:SourceAccount" = "111122223333"
        "aws:SourceArn"     = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:shop-*"
      }
    )
    error_message = "CloudWatch may use the key for more, or for less, than it needs."
  }
}

run "the_role_that_applies_may_manage_the_key_and_not_use_it" {
  variables {
    permissions_boundary = "arn:aws:iam::111122223333:policy/shop-boundary"
  }

  assert {
    condition     = one(data.aws_iam_policy_document.alerts_key.statement[1].principals).identifiers == toset(["arn:aws:iam::111122223333:role/shop-apply"])
    error_message = "bootstrap's role apply is refused the key that it makes."
  }

  assert {
    condition     = alltrue([for action in ["PutKeyPolicy", "EnableKeyRotation", "ScheduleKeyDeletion"] : contains(data.aws_iam_policy_document.alerts_key.statement[1].actions, "kms:${action}")])
    error_message = "The role apply can't make, turn or end the key."
  }

  assert {
    condition     = length([for action in data.aws_iam_policy_document.alerts_key.statement[1].actions : action if length(regexall("crypt|GenerateDataKey|[*]", action)) > 0]) == 0
    error_message = "The role apply may use the key."
  }
}

run "only_this_hosts_alarms_may_publish_and_only_by_tls" {
  assert {
    condition = [for statement in data.aws_iam_policy_document.alerts_topic.statement : [
      coalesce(statement.effect, "Allow"), one(one(statement.principals).identifiers), one(statement.actions)
    ]] == [["Allow", "cloudwatch.amazonaws.com", "sns:Publish"], ["Deny", "*", "sns:Publish"]]
    error_message = "The topic lets in others than CloudWatch."
  }

  assert {
    condition = { for it in data.aws_iam_policy_document.alerts_topic.statement[0].condition : it.variable => one(it.values) } == {
      "aws:SourceAccount" = "111122223333"
      "aws:SourceArn"     = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:shop-*"
    }
    error_message = "Alarms of others may publish."
  }

  assert {
    condition = { for it in data.aws_iam_policy_document.alerts_topic.statement[1].condition : it.variable => one(it.values) } == {
      "aws:SecureTransport" = "false"
    }
    error_message = "What is not TLS gets in."
  }
}

run "alert_email_is_subscribed" {
  assert {
    condition     = [for it in aws_sns_topic_subscription.email : [it.protocol, it.endpoint]] == [["email", "ops@example.com"]]
    error_message = "Another address is subscribed."
  }
}

run "without_alert_email_nobody_is_subscribed" {
  variables {
    alert_email = ""
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 0
    error_message = "Somebody is subscribed."
  }
}

run "logs_are_kept_7_days" {
  assert {
    condition = (
      aws_cloudwatch_log_group.this.name == "/aws/ec2/shop" &&
      aws_cloudwatch_log_group.this.retention_in_days == 7
    )
    error_message = "Logs go elsewhere, or are kept ${aws_cloudwatch_log_group.this.retention_in_days} days."
  }
}
