variable "alert_email" {
  description = "Who gets a mail when an alarm goes off. AWS sends a link first that must be clicked. Blank = nobody."
  type        = string
  default     = ""

  validation {
    condition     = var.alert_email == "" || can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alert_email))
    error_message = "alert_email: expected one address such as ops@example.com, got \"${var.alert_email}\"."
  }
}

variable "app_port" {
  description = "The app's own port, opened to the world. Behind the proxy of deploy-ec2, which serves on port 80, nobody listens there. null = not opened."
  type        = number
  default     = 5000
  nullable    = true

  validation {
    condition     = var.app_port == null ? true : var.app_port >= 1024 && var.app_port <= 65535 && floor(var.app_port) == var.app_port && !contains([3000, 5601, 9090, 9200], var.app_port)
    error_message = "app_port: expected a whole number from 1024 to 65535 that is none of 3000, 5601, 9090 and 9200 (they are the operator's), or null."
  }
}

variable "availability_zone" {
  description = "The zone of the subnet and of all that is in it. Blank = the region's zone a."
  type        = string
  default     = ""

  validation {
    condition     = var.availability_zone == "" || startswith(var.availability_zone, var.aws_region)
    error_message = "availability_zone: expected a zone of ${var.aws_region}, such as ${var.aws_region}a, got \"${var.availability_zone}\"."
  }
}

variable "aws_region" {
  description = "The region of everything."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.aws_region))
    error_message = "aws_region: expected a region such as us-east-1, got \"${var.aws_region}\"."
  }
}

variable "cpu_credits" {
  description = "What a t type does whose CPU credits are used up. standard = it slows down, so the price is what monthly_cost says; its first boot takes minutes longer. unlimited = it doesn't, and that costs extra."
  type        = string
  default     = "standard"

  validation {
    condition     = contains(["standard", "unlimited"], var.cpu_credits)
    error_message = "cpu_credits: expected standard or unlimited, got \"${var.cpu_credits}\"."
  }
}

variable "data_volume_size" {
  description = "GiB of a volume at /data that outlives the instance: for the app's own data (volumes: /data/shop:/data). 0 = none. It can grow and not shrink. A destroy leaves a snapshot of it."
  type        = number
  default     = 0

  validation {
    condition     = var.data_volume_size >= 0 && var.data_volume_size <= 16384 && floor(var.data_volume_size) == var.data_volume_size
    error_message = "data_volume_size: expected a whole number of GiB from 0 to 16384, got ${var.data_volume_size}."
  }
}

variable "elastic_ip" {
  description = "Whether the address stays when the instance is stopped or replaced. It costs what any public address costs."
  type        = bool
  default     = true
}

variable "flow_logs" {
  description = "Whether the network's connections are logged, to /aws/vpc/NAME in CloudWatch Logs, for log_retention_days."
  type        = bool
  default     = false
}

variable "host_revision" {
  description = "Raise it to replace the instance: by one with the newest image of Amazon Linux and today's user data. Nothing else replaces it. The new one serves nothing until the next deploy."
  type        = number
  default     = 1

  validation {
    condition     = var.host_revision >= 1 && floor(var.host_revision) == var.host_revision
    error_message = "host_revision: expected a whole number from 1, got ${var.host_revision}."
  }
}

variable "instance_type" {
  description = "The instance's type, x86_64 or arm64. Another of the same processor stops and starts the instance; another processor needs a raised host_revision, too."
  type        = string
  default     = "t3.micro"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.instance_type))
    error_message = "instance_type: expected a type such as t3.micro or t4g.small, got \"${var.instance_type}\"."
  }
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the logs, in days."
  type        = number
  default     = 7

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days: CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days, not ${var.log_retention_days}."
  }
}

variable "metadata_hop_limit" {
  description = "How far the instance's metadata travels. 1 = a container can't take the instance's role; 2 = it can."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2], var.metadata_hop_limit)
    error_message = "metadata_hop_limit: expected 1 or 2, got ${var.metadata_hop_limit}."
  }
}

variable "monitoring" {
  description = "What watches the app on the host: core (the CloudWatch agent alone; fits 1 GiB), metrics (and Prometheus and Grafana; 2 GiB), full (and Elasticsearch, Logstash and Kibana; 8 GiB)."
  type        = string
  default     = "core"

  validation {
    condition     = contains(["core", "metrics", "full"], var.monitoring)
    error_message = "monitoring: expected core, metrics or full, got \"${var.monitoring}\"."
  }
}

variable "monthly_budget" {
  description = "US dollars a month for the whole account; at 80 % of it, and when more is forecast, alert_email gets a mail. 0 = no budget."
  type        = number
  default     = 0

  validation {
    condition     = var.monthly_budget >= 0
    error_message = "monthly_budget: expected 0 or more US dollars, got ${var.monthly_budget}."
  }

  validation {
    condition     = var.monthly_budget == 0 || var.alert_email != ""
    error_message = "monthly_budget: alert_email is blank, so nobody would be told; give it, too."
  }
}

variable "name" {
  description = "What all of it is called: the tag Name of the instance, and the first part of each name. One account holds several under different names."
  type        = string
  default     = "hello-devops"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,29}$", var.name))
    error_message = "name: expected 1 to 30 of a-z, 0-9 and -, a letter first, got \"${var.name}\"."
  }
}

variable "operator_cidrs" {
  description = "Networks of the people who look after the host: SSH, Grafana, Prometheus and Kibana are open to them and to nobody else. Empty = to nobody."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.operator_cidrs : can(cidrnetmask(cidr))])
    error_message = "operator_cidrs: expected IPv4 networks such as 203.0.113.7/32, got ${jsonencode(var.operator_cidrs)}."
  }

  validation {
    condition     = alltrue([for cidr in var.operator_cidrs : try(tonumber(split("/", cidr)[1]) >= 8, true)])
    error_message = "operator_cidrs: ${jsonencode(var.operator_cidrs)} opens the host to the world or to much of it; name networks of /8 or smaller, best your own address as /32."
  }
}

variable "permissions_boundary" {
  description = "The ARN of a policy that bounds every role made here; bootstrap/ makes one and prints it. Blank = none."
  type        = string
  default     = ""

  validation {
    condition     = var.permissions_boundary == "" || can(regex("^arn:aws[a-z-]*:iam::\\d{12}:policy/.+$", var.permissions_boundary))
    error_message = "permissions_boundary: expected a policy's ARN such as arn:aws:iam::111122223333:policy/hello-devops-boundary, got \"${var.permissions_boundary}\"."
  }
}

variable "root_volume_size" {
  description = "GiB of the instance's own disk, for the system, images and logs. It can grow and not shrink."
  type        = number
  default     = 20

  validation {
    condition     = var.root_volume_size >= 8 && var.root_volume_size <= 16384 && floor(var.root_volume_size) == var.root_volume_size
    error_message = "root_volume_size: expected a whole number of GiB from 8 to 16384, got ${var.root_volume_size}."
  }

  validation {
    condition     = var.monitoring != "full" || var.root_volume_size >= 30
    error_message = "root_volume_size: monitoring = \"full\" keeps its images and indices there and needs 30 GiB, got ${var.root_volume_size}."
  }
}

variable "session_manager" {
  description = "Whether the instance can be reached by Session Manager: a shell without SSH and without an open port."
  type        = bool
  default     = false
}

variable "ssh_open" {
  description = "Whether operator_cidrs may reach port 22. false = port 22 is shut to all but a running deploy, which opens it for itself."
  type        = bool
  default     = true
}

variable "ssh_public_key" {
  description = "A public key for ec2-user, as in authorized_keys; a new instance takes it. Blank = none: who logs in has EC2 Instance Connect send a key."
  type        = string
  default     = ""

  validation {
    condition     = var.ssh_public_key == "" || can(regex("^(ssh-ed25519|ssh-rsa) [A-Za-z0-9+/]+={0,2}( [^\\n]*)?\\n?$", var.ssh_public_key))
    error_message = "ssh_public_key: expected one line that begins with ssh-ed25519 or ssh-rsa (EC2 takes no others)."
  }
}
