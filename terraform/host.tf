locals {
  processors   = data.aws_ec2_instance_type.host.supported_architectures
  architecture = contains(local.processors, "arm64") ? "arm64" : "x86_64"
  platform     = local.architecture == "arm64" ? "linux/arm64" : "linux/amd64"
  ec2_filters  = "tag:Name=${var.name}"
  public_ip    = var.elastic_ip ? aws_eip.this[0].public_ip : aws_instance.this.public_ip

  # MiB, as EC2 states an instance type's memory
  least_memory = { core = 0, metrics = 2048, full = 8192 }[var.monitoring]
  types_that_do = {
    core    = ""
    metrics = "t3.small or t4g.small"
    full    = "t3.large or t4g.large"
  }[var.monitoring]
}

data "aws_ec2_instance_type" "host" {
  instance_type = var.instance_type
}

# Read at each plan, used for a new instance only.
data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${local.architecture}"
}

# Raising host_revision replaces this, and this replaces the instance. It remembers the processor that the image is for.
resource "terraform_data" "host" {
  triggers_replace = var.host_revision
  input            = local.architecture

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_key_pair" "this" {
  count = var.ssh_public_key == "" ? 0 : 1

  key_name   = var.name
  public_key = trimspace(var.ssh_public_key)
}

resource "aws_instance" "this" {
  # checkov:skip=CKV_AWS_126: the agent sends what is watched once a minute; EC2's own minute costs extra and adds nothing
  # checkov:skip=CKV_AWS_135: types that can are optimized for EBS by default; t2 refuses the setting
  ami                    = data.aws_ssm_parameter.image.insecure_value
  instance_type          = var.instance_type
  subnet_id              = aws_subnet.public.id
  vpc_security_group_ids = [aws_security_group.host.id, aws_security_group.deploy.id]
  iam_instance_profile   = aws_iam_instance_profile.host.name
  key_name               = one(aws_key_pair.this[*].key_name)
  user_data              = local.user_data

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = var.metadata_hop_limit
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = var.root_volume_size
    encrypted   = true
  }

  dynamic "credit_specification" {
    for_each = data.aws_ec2_instance_type.host.burstable_performance_supported ? [var.cpu_credits] : []

    content {
      cpu_credits = credit_specification.value
    }
  }

  tags = { Name = var.name }

  # It asks for packages as soon as it boots.
  depends_on = [aws_route.internet, aws_route_table_association.public, aws_vpc_security_group_egress_rule.host]

  lifecycle {
    # They are for a first boot, and a change of theirs would replace or stop the instance: host_revision decides when.
    ignore_changes       = [ami, key_name, user_data]
    replace_triggered_by = [terraform_data.host]

    precondition {
      condition     = length(setintersection(local.processors, ["arm64", "x86_64"])) > 0
      error_message = "instance_type: Amazon Linux does not run on ${var.instance_type} (${join(", ", local.processors)}); name a type with x86_64 or arm64, such as t3.micro or t4g.micro."
    }

    # The provider would replace it unasked, and with the old processor's image, since that is ignored.
    precondition {
      condition     = terraform_data.host.output == local.architecture
      error_message = "instance_type: ${var.instance_type} is ${local.architecture} and the running instance ${terraform_data.host.output}: that takes a new instance. Raise host_revision (now ${var.host_revision}), too, and build images for ${local.platform}."
    }

    precondition {
      condition     = data.aws_ec2_instance_type.host.memory_size >= local.least_memory
      error_message = "monitoring: \"${var.monitoring}\" needs ${local.least_memory / 1024} GiB of memory, and ${var.instance_type} has ${data.aws_ec2_instance_type.host.memory_size / 1024}. Set instance_type to ${local.types_that_do} or larger, or monitoring to a smaller profile."
    }
  }
}

resource "aws_eip" "this" {
  count = var.elastic_ip ? 1 : 0

  domain   = "vpc"
  instance = aws_instance.this.id

  tags = { Name = var.name }

  depends_on = [aws_internet_gateway.this]
}

# Of its own, so that it outlives the instance. Whatever takes it away leaves a snapshot.
resource "aws_ebs_volume" "data" {
  # checkov:skip=CKV_AWS_189: AWS's own key encrypts it; one of one's own costs a dollar a month
  count = var.data_volume_size > 0 ? 1 : 0

  availability_zone = aws_subnet.public.availability_zone
  type              = "gp3"
  size              = var.data_volume_size
  encrypted         = true
  final_snapshot    = true

  timeouts {
    delete = "2h" # the snapshot comes first, and of a full volume it takes its time
  }

  tags = { Name = "${var.name}-data" }
}

resource "aws_volume_attachment" "data" {
  count = var.data_volume_size > 0 ? 1 : 0

  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.data[0].id
  instance_id = aws_instance.this.id

  # A mounted volume is not detached: what writes to it stops first.
  stop_instance_before_detaching = true
}
