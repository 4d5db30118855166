locals {
  # US dollars in us-east-1, on demand. Instances: AWS's price list of 2026-07-20, as Karpenter publishes it. Addresses and volumes:
  # AWS's price lists of 2026-07-24 and 2026-08-17. Alarms, metrics, logs and the key: as published in 2026, read on 2026-11-26.
  prices = {
    date = "2026-07-20" # the oldest of these lists

    instance_hour = {
      "t2.micro"  = 0.0116, "t2.small" = 0.023, "t2.medium" = 0.0464, "t2.large" = 0.0928
      "t3.micro"  = 0.0104, "t3.small" = 0.0208, "t3.medium" = 0.0416, "t3.large" = 0.0832, "t3.xlarge" = 0.1664
      "t3a.micro" = 0.0094, "t3a.small" = 0.0188, "t3a.medium" = 0.0376, "t3a.large" = 0.0752, "t3a.xlarge" = 0.1504
      "t4g.micro" = 0.0084, "t4g.small" = 0.0168, "t4g.medium" = 0.0336, "t4g.large" = 0.0672, "t4g.xlarge" = 0.1344
    }
    public_ipv4_hour = 0.005
    gp3_gib          = 0.08
    alarm            = 0.10
    metric           = 0.30
    kms_key          = 1.00
    log_gb           = 0.50
  }
  hours = 730 # a month as AWS counts it

  # CloudWatch takes nothing for the first of an account, in every month.
  free_alarms  = 10
  free_metrics = 10

  # What an account made since 2025-07-15 is given at most, for its first six months. The free year of older accounts is over.
  credits       = 200
  credit_months = 6

  known_instance = var.aws_region == "us-east-1" && contains(keys(local.prices.instance_hour), var.instance_type)
  monthly = {
    instance    = local.known_instance ? local.hours * local.prices.instance_hour[var.instance_type] : null
    public_ipv4 = local.hours * local.prices.public_ipv4_hour
    root_volume = var.root_volume_size * local.prices.gp3_gib
    data_volume = var.data_volume_size * local.prices.gp3_gib
    alarms      = length(local.alarm_names) * local.prices.alarm
    metrics     = local.metric_count * local.prices.metric
    alert_key   = local.prices.kms_key
  }
  # To the cent, each part: so they add up to the total that is printed.
  monthly_parts = { for part, dollars in local.monthly :
    part => var.aws_region != "us-east-1" || dollars == null ? null : tonumber(format("%.2f", dollars))
  }
  monthly_total = anytrue([for dollars in values(local.monthly_parts) : dollars == null]) ? null : tonumber(format("%.2f", sum(values(local.monthly_parts))))
  # The agent's, by user-data: cpu, memory, two of the network, and the disk as a whole and by mount.
  metric_count = 5 + length(local.mounts)

  monthly_free = (
    min(length(local.alarm_names), local.free_alarms) * local.prices.alarm
    + min(local.metric_count, local.free_metrics) * local.prices.metric
  )
  monthly_least = local.monthly_total == null ? null : tonumber(format("%.2f", local.monthly_total - local.monthly_free))

  monthly_cost = {
    region         = var.aws_region
    date           = local.prices.date
    parts          = local.monthly_parts
    total          = local.monthly_total
    first_estimate = 0.90

    # Where nothing else in the account uses CloudWatch's free part up.
    with_free_tier = local.monthly_least

    # How many months credits pay for all of it.
    credits_last = local.monthly_least == null ? null : min(local.credit_months, floor(local.credits / local.monthly_least))

    note = local.monthly_total == null ? "The prices of ${var.instance_type} in ${var.aws_region} are not known here: https://calculator.aws has them." : join(" ", [
      format("%.2f US dollars a month, %.2f where the account's free part of CloudWatch is unused, against a first estimate of 0.90, which left out most parts.", local.monthly_total, local.monthly_least),
      "A new account's credits pay for it for up to ${min(local.credit_months, floor(local.credits / local.monthly_least))} months.",
      format("Not in it: logs (%.2f a GB after the account's first 5)%s, traffic out, snapshots%s.", local.prices.log_gb, var.flow_logs ? ", flow logs among them" : "", var.cpu_credits == "unlimited" ? ", CPU credits beyond those that are free" : ""),
    ])
  }
}

resource "aws_budgets_budget" "this" {
  count = var.monthly_budget > 0 ? 1 : 0

  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_unit   = "USD"
  limit_amount = format("%.2f", var.monthly_budget)

  notification {
    notification_type          = "ACTUAL"
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    subscriber_email_addresses = [var.alert_email]
  }

  notification {
    notification_type          = "FORECASTED"
    comparison_operator        = "GREATER_THAN"
    threshold                  = 100
    threshold_type             = "PERCENTAGE"
    subscriber_email_addresses = [var.alert_email]
  }
}
