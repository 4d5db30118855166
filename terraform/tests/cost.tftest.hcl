mock_provider "aws" {
  source = "./tests/mocks"
}

run "the_default_costs_what_its_parts_do" {
  command = plan

  # 0.0104 and 0.005 an hour, 730 hours; 20 GiB at 0.08; 4 alarms at 0.10; 6 metrics at 0.30; a key. In all 16.04.
  assert {
    condition = output.monthly_cost.parts == {
      instance    = 7.59
      public_ipv4 = 3.65
      root_volume = 1.60
      data_volume = 0
      alarms      = 0.40
      metrics     = 1.80
      alert_key   = 1
    }
    error_message = "The parts are ${jsonencode(output.monthly_cost.parts)}"
  }

  assert {
    condition     = output.monthly_cost.total == 16.04
    error_message = "The total is ${output.monthly_cost.total}"
  }

  # The account's first 10 alarms and 10 metrics are free, and 200 dollars last longer than their six months.
  assert {
    condition     = output.monthly_cost.with_free_tier == 13.84 && output.monthly_cost.credits_last == 6
    error_message = "With the free tier it is ${output.monthly_cost.with_free_tier}, and credits last for ${output.monthly_cost.credits_last} months."
  }

  assert {
    condition     = output.monthly_cost.first_estimate == 0.90 && startswith(output.monthly_cost.note, "16.04 US dollars a month, 13.84 where")
    error_message = "The note does not compare it with the first estimate: ${output.monthly_cost.note}"
  }

  assert {
    condition     = output.monthly_cost.region == "us-east-1" && can(formatdate("YYYY", "${output.monthly_cost.date}T00:00:00Z"))
    error_message = "Prices are nothing without region and date."
  }
}

run "a_larger_host_with_data_costs_more_and_eats_credits_sooner" {
  command = plan

  variables {
    instance_type    = "t3.xlarge"
    data_volume_size = 50
    root_volume_size = 40
  }

  # 0.1664 an hour; 40 and 50 GiB; a metric of the data volume's own
  assert {
    condition     = output.monthly_cost.parts.instance == 121.47 && output.monthly_cost.parts.root_volume == 3.20 && output.monthly_cost.parts.data_volume == 4
    error_message = "The parts are ${jsonencode(output.monthly_cost.parts)}"
  }

  assert {
    condition     = output.monthly_cost.parts.metrics == 2.10 && abs(output.monthly_cost.total - sum(values(output.monthly_cost.parts))) < 0.001
    error_message = "The total of ${jsonencode(output.monthly_cost.parts)} is not ${output.monthly_cost.total}"
  }

  assert {
    condition     = output.monthly_cost.credits_last == 1
    error_message = "200 dollars pay for one whole month, got ${output.monthly_cost.credits_last}."
  }
}

run "what_comes_on_top_is_named" {
  command = plan

  variables {
    flow_logs   = true
    cpu_credits = "unlimited"
  }

  assert {
    condition     = strcontains(output.monthly_cost.note, "flow logs") && strcontains(output.monthly_cost.note, "CPU credits")
    error_message = "The note leaves out what costs extra: ${output.monthly_cost.note}"
  }
}

run "an_unknown_type_has_no_price" {
  command = plan

  variables {
    instance_type = "x9.large"
  }

  assert {
    condition     = output.monthly_cost.parts.instance == null && output.monthly_cost.total == null && output.monthly_cost.parts.public_ipv4 == 3.65
    error_message = "A price was made up: ${jsonencode(output.monthly_cost)}"
  }
}

run "another_region_has_no_price" {
  command = plan

  variables {
    aws_region = "eu-central-1"
  }

  assert {
    condition     = alltrue([for dollars in values(output.monthly_cost.parts) : dollars == null]) && output.monthly_cost.total == null && strcontains(output.monthly_cost.note, "eu-central-1")
    error_message = "Prices of us-east-1 were given for eu-central-1: ${jsonencode(output.monthly_cost)}"
  }
}

run "no_budget_unless_asked_for" {
  command = plan

  assert {
    condition     = length(aws_budgets_budget.this) == 0
    error_message = "A budget is there that nobody asked for."
  }
}

run "a_budget_tells_alert_email" {
  command = plan

  variables {
    monthly_budget = 20
    alert_email    = "ops@example.com"
  }

  assert {
    condition     = one(aws_budgets_budget.this).limit_amount == "20.00" && one(aws_budgets_budget.this).time_unit == "MONTHLY"
    error_message = "The budget is 20 dollars a month."
  }

  assert {
    condition = toset([for told in one(aws_budgets_budget.this).notification : "${told.notification_type} ${told.threshold} ${join(",", told.subscriber_email_addresses)}"]) == toset([
      "ACTUAL 80 ops@example.com", "FORECASTED 100 ops@example.com",
    ])
    error_message = "A mail goes out at 80 % and when more than all of it is forecast."
  }
}
