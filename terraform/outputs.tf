output "alarm_names" {
  description = "The alarms, as the input `alarms` of deploy-ec2 takes them."
  value       = join(",", local.alarm_names)
}

output "dashboard_url" {
  description = "The dashboard in CloudWatch."
  value       = local.dashboard_url
}

output "ec2_filters" {
  description = "What finds the instance: the input `ec2-filters` of deploy-ec2."
  value       = local.ec2_filters
}

output "github_variables" {
  description = "The variables that the workflows read, NAME=value lines: terraform output -raw github_variables | gh variable set --env production --env-file -"
  value       = <<-EOT
    AWS_REGION=${var.aws_region}
    EC2_FILTERS=${local.ec2_filters}
    SSH_SECURITY_GROUP=${aws_security_group.deploy.id}
    ALARMS=${join(",", local.alarm_names)}
    PLATFORMS=${local.platform}
  EOT
}

output "instance_id" {
  description = "The instance."
  value       = aws_instance.this.id
}

output "log_group" {
  description = "Where the host's and the containers' logs are in CloudWatch Logs."
  value       = aws_cloudwatch_log_group.this.name
}

output "monthly_cost" {
  description = "US dollars a month by part, with the date of the prices. null = a price that this configuration doesn't know."
  value       = local.monthly_cost
}

output "platforms" {
  description = "What images must be built for: the input `platforms` of the workflow build."
  value       = local.platform
}

output "public_ip" {
  description = "The host's address, stable with elastic_ip."
  value       = local.public_ip
}

output "ssh_security_group" {
  description = "The group that a deploy opens for itself: the input `ssh-security-group` of deploy-ec2. It has no rules of its own."
  value       = aws_security_group.deploy.id
}

output "url" {
  description = "Where the app answers."
  value       = "http://${local.public_ip}/"
}
