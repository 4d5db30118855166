locals {
  dashboard_url = "https://${var.aws_region}.console.aws.amazon.com/cloudwatch/home?region=${var.aws_region}#dashboards/dashboard/${var.name}"

  host = ["InstanceId", aws_instance.this.id]
  percent = {
    view        = "timeSeries"
    region      = var.aws_region
    stat        = "Average"
    period      = 60
    yAxis       = { left = { min = 0, max = 100 } }
    annotations = { horizontal = [{ label = "alarm", value = 80 }] }
  }
  widgets = [
    { type = "metric", properties = merge(local.percent, {
      title   = "CPU, % busy"
      metrics = [concat([local.namespace, "cpu_usage_active"], local.host)]
    }) },
    { type = "metric", properties = merge(local.percent, {
      title   = "Memory, % in use"
      metrics = [concat([local.namespace, "mem_used_percent"], local.host)]
    }) },
    { type = "metric", properties = merge(local.percent, {
      title   = "Disk, % in use"
      metrics = [for path in keys(local.mounts) : concat([local.namespace, "disk_used_percent"], local.host, ["path", path])]
    }) },
    { type = "metric", properties = {
      title   = "Network, bytes a minute"
      view    = "timeSeries"
      region  = var.aws_region
      stat    = "Sum"
      period  = 60
      metrics = [for name in ["net_bytes_recv", "net_bytes_sent"] : concat([local.namespace, name], local.host)]
    } },
    { type = "alarm", properties = {
      title  = "Alarms"
      alarms = concat(values(aws_cloudwatch_metric_alarm.usage)[*].arn, [aws_cloudwatch_metric_alarm.status.arn])
    } },
    { type = "log", properties = {
      title  = "Newest lines of the containers"
      region = var.aws_region
      view   = "table"
      query  = "SOURCE '${local.log_group}' | fields @timestamp, log | filter @logStream like /containers/ | sort @timestamp desc | limit 50"
    } },
  ]
}

resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_158: CloudWatch encrypts logs by itself; a key of one's own costs a dollar a month more
  # checkov:skip=CKV_AWS_338: a week of logs by default, for a small bill; log_retention_days keeps them for years
  name              = local.log_group
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    # two rows of three; 24 columns
    widgets = [for index, widget in local.widgets : merge(widget, {
      x = index % 3 * 8, y = floor(index / 3) * 6, width = 8, height = 6
    })]
  })
}
