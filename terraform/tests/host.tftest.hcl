mock_provider "aws" {
  source = "./tests/mocks"
}

run "the_instance_is_hard_to_misuse" {
  command = plan

  assert {
    condition     = aws_instance.this.metadata_options[0].http_tokens == "required" && aws_instance.this.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "A container, or a request that the app was talked into, could take the instance's role."
  }

  assert {
    condition     = aws_instance.this.root_block_device[0].encrypted && aws_instance.this.root_block_device[0].volume_type == "gp3" && aws_instance.this.root_block_device[0].volume_size == 20
    error_message = "The root volume is an encrypted gp3 of root_volume_size."
  }

  assert {
    condition     = aws_instance.this.credit_specification[0].cpu_credits == "standard"
    error_message = "Without standard credits a busy processor costs more than monthly_cost says."
  }
}

run "it_is_found_and_reached" {
  assert {
    condition     = output.ec2_filters == "tag:Name=hello-devops" && aws_instance.this.tags.Name == "hello-devops"
    error_message = "What the output finds is not what the instance is called."
  }

  assert {
    condition     = output.public_ip == "198.51.100.1" && output.url == "http://198.51.100.1/"
    error_message = "The address is the elastic one, got ${output.public_ip}."
  }

  assert {
    condition     = length(aws_key_pair.this) == 0 && length(aws_ebs_volume.data) == 0
    error_message = "Neither a key pair nor a data volume unless asked for."
  }

  assert {
    condition     = output.platforms == "linux/amd64" && strcontains(output.github_variables, "\nPLATFORMS=linux/amd64\n")
    error_message = "Images are built for linux/amd64, got ${output.platforms}."
  }
}

run "another_processor_is_refused_while_the_instance_stays" {
  command = plan

  variables {
    instance_type = "t4g.micro"
  }

  override_data {
    target = data.aws_ec2_instance_type.host
    values = { supported_architectures = ["arm64"], memory_size = 1024, burstable_performance_supported = true }
  }

  expect_failures = [aws_instance.this]
}

run "a_raised_host_revision_takes_the_other_processor" {
  variables {
    instance_type = "t4g.micro"
    host_revision = 2
  }

  override_data {
    target = data.aws_ec2_instance_type.host
    values = { supported_architectures = ["arm64"], memory_size = 1024, burstable_performance_supported = true }
  }

  assert {
    condition     = terraform_data.host.output == "arm64" && output.platforms == "linux/arm64"
    error_message = "The new instance is arm64, got ${output.platforms}."
  }

  assert {
    condition     = endswith(data.aws_ssm_parameter.image.name, "/al2023-ami-kernel-default-arm64")
    error_message = "An arm64 instance starts from an arm64 image, got ${data.aws_ssm_parameter.image.name}."
  }
}

run "a_processor_that_amazon_linux_does_not_know_is_refused" {
  command = plan

  variables {
    instance_type = "mac2.metal"
    host_revision = 3
  }

  override_data {
    target = data.aws_ec2_instance_type.host
    values = { supported_architectures = ["arm64_mac"], memory_size = 16384, burstable_performance_supported = false }
  }

  expect_failures = [aws_instance.this]
}

run "types_without_cpu_credits_are_asked_for_none" {
  command = plan

  variables {
    instance_type = "m7i.large"
    host_revision = 3
  }

  override_data {
    target = data.aws_ec2_instance_type.host
    values = { supported_architectures = ["x86_64"], memory_size = 8192, burstable_performance_supported = false }
  }

  assert {
    condition     = length(aws_instance.this.credit_specification) == 0
    error_message = "AWS refuses CPU credits for a type that has none."
  }
}

run "full_needs_8_gib_of_memory" {
  command = plan

  variables {
    instance_type    = "t3.medium"
    host_revision    = 3
    monitoring       = "full"
    root_volume_size = 30
  }

  override_data {
    target = data.aws_ec2_instance_type.host
    values = { supported_architectures = ["x86_64"], memory_size = 4096, burstable_performance_supported = true }
  }

  expect_failures = [aws_instance.this]
}

run "full_fits_a_large" {
  command = plan

  variables {
    instance_type    = "t3.large"
    host_revision    = 3
    monitoring       = "full"
    root_volume_size = 30
  }

  override_data {
    target = data.aws_ec2_instance_type.host
    values = { supported_architectures = ["x86_64"], memory_size = 8192, burstable_performance_supported = true }
  }

  assert {
    condition     = aws_instance.this.instance_type == "t3.large"
    error_message = "A type of nominally 8 GiB is large enough."
  }
}

run "metrics_needs_2_gib_of_memory" {
  command = plan

  variables {
    host_revision = 3
    monitoring    = "metrics"
  }

  expect_failures = [aws_instance.this]
}

run "metrics_fits_a_small" {
  command = plan

  variables {
    instance_type = "t3.small"
    host_revision = 3
    monitoring    = "metrics"
  }

  override_data {
    target = data.aws_ec2_instance_type.host
    values = { supported_architectures = ["x86_64"], memory_size = 2048, burstable_performance_supported = true }
  }

  assert {
    condition     = aws_instance.this.instance_type == "t3.small"
    error_message = "A type of nominally 2 GiB is large enough."
  }
}

run "what_was_asked_for_is_there" {
  variables {
    host_revision      = 3
    elastic_ip         = false
    data_volume_size   = 5
    metadata_hop_limit = 2
    cpu_credits        = "unlimited"
    ssh_public_key     = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZvb2Jhcg me\n"
  }

  assert {
    condition     = length(aws_eip.this) == 0 && output.public_ip == "198.51.100.2"
    error_message = "Without elastic_ip the address is the instance's own, got ${output.public_ip}."
  }

  assert {
    condition     = one(aws_ebs_volume.data).encrypted && one(aws_ebs_volume.data).size == 5 && one(aws_ebs_volume.data).type == "gp3" && one(aws_ebs_volume.data).final_snapshot
    error_message = "The data volume is an encrypted gp3 of 5 GiB that leaves a snapshot."
  }

  assert {
    condition     = one(aws_ebs_volume.data).availability_zone == aws_subnet.public.availability_zone
    error_message = "A volume in another zone can't be attached."
  }

  assert {
    condition     = one(aws_volume_attachment.data).device_name == "/dev/sdf" && one(aws_volume_attachment.data).stop_instance_before_detaching
    error_message = "The data volume is attached as /dev/sdf, and let go by a stopped instance."
  }

  assert {
    condition     = aws_instance.this.metadata_options[0].http_put_response_hop_limit == 2 && aws_instance.this.credit_specification[0].cpu_credits == "unlimited"
    error_message = "The hop limit and the CPU credits are those that were asked for."
  }

  assert {
    condition     = one(aws_key_pair.this).public_key == "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZvb2Jhcg me" && aws_instance.this.key_name == "hello-devops"
    error_message = "The instance takes the key that was given."
  }
}
