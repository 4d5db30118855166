locals {
  # What a person reads in the mail: which metric, what it means, and what to do first.
  usage_alarms = merge(
    {
      cpu = {
        metric = "cpu_usage_active"
        where  = {}
        means  = "Its processor is more than 80 % busy: requests wait."
        first = [
          "Which container is it: docker stats --no-stream",
          "Did it begin with a deploy? Roll back.",
          "A t2 or t3 that has used up its CPU credits (CPUCreditBalance) is slow, too: take a larger instance_type.",
        ]
      }
      memory = {
        metric = "mem_used_percent"
        where  = {}
        means  = "More than 80 % of its memory is in use: the kernel may soon kill a container. (INSUFFICIENT_DATA: it has fallen silent.)"
        first = [
          "Which container is it: docker stats --no-stream; was one killed: journalctl -k | grep -i oom",
          "Did it begin with a deploy? Roll back. Does it need that much? Take a larger instance_type.",
          "Silent: is it stopped? Else: systemctl restart amazon-cloudwatch-agent",
        ]
      }
    },
    {
      for path, resize in local.mounts : path == "/" ? "disk" : "${trimprefix(path, "/")}-disk" => {
        metric = "disk_used_percent"
        where  = { path = path }
        means  = "More than 80 % of the disk at ${path} is in use: when it is full, the app can't write and a deploy is refused."
        first = [
          "What fills it: sudo du -xh --max-depth=2 ${path} | sort -h | tail; docker system df",
          "Remove what nobody needs. Old images: docker image prune -a (a rollback pulls its image again).",
          "Is all of it needed? ${resize}",
        ]
      }
    },
  )
  status_alarm = {
    means = "AWS can't reach it: the check of the machine or of its system fails. The app is most likely down."
    first = [
      "Which check is it: EC2 console, the instance, Status and alarms.",
      "The system's: stop and start the instance, it comes up on other hardware. The instance's: reboot it and read its system log.",
      "Still failing: raise host_revision in Terraform, apply, deploy.",
    ]
  }

  alarm_texts = {
    for key, alarm in merge(local.usage_alarms, { status = local.status_alarm }) : key => join("\n", concat(
      ["The host ${var.name} in ${var.aws_region}. ${alarm.means}", "Look at ${local.dashboard_url}"],
      [for index, step in alarm.first : "${index + 1}. ${step}"],
    ))
  }
  alarm_names = [for key in sort(keys(local.alarm_texts)) : "${var.name}-${key}"]
}

# In 3 of the last 5 minutes: a pull and a start are over by then. Missing data is no alarm, as a new host is silent for minutes.
resource "aws_cloudwatch_metric_alarm" "usage" {
  for_each = local.usage_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = local.alarm_texts[each.key]
  namespace           = local.namespace
  metric_name         = each.value.metric
  dimensions          = merge({ InstanceId = aws_instance.this.id }, each.value.where)
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  treat_missing_data  = "missing"

  alarm_actions             = [aws_sns_topic.alerts.arn]
  ok_actions                = [aws_sns_topic.alerts.arn]
  insufficient_data_actions = each.key == "memory" ? [aws_sns_topic.alerts.arn] : [] # one mail when a host falls silent, not four

  depends_on = [aws_sns_topic_policy.alerts]
}

# AWS makes it, whatever the host does. Missing: the instance is stopped or just being made.
resource "aws_cloudwatch_metric_alarm" "status" {
  alarm_name          = "${var.name}-status"
  alarm_description   = local.alarm_texts["status"]
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed"
  dimensions          = { InstanceId = aws_instance.this.id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 2
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "missing"

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]

  depends_on = [aws_sns_topic_policy.alerts]
}
