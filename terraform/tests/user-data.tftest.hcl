# What the user data does is in test/terraform/user-data.test.ts.
mock_provider "aws" {
  source = "./tests/mocks"
}

run "the_longest_user_data_fits_what_ec2_takes" {
  variables {
    name             = "a-name-of-as-many-as-30-letter"
    data_volume_size = 16384
  }

  assert {
    condition     = length(base64encode(local.user_data)) / 4 * 3 <= 16384 # in bytes
    error_message = "EC2 takes 16384 bytes, and these are ${length(base64encode(local.user_data)) / 4 * 3}."
  }

  assert {
    condition     = aws_instance.this.user_data == local.user_data
    error_message = "The instance gets another."
  }
}

run "a_data_volume_that_is_added_later_finds_a_host_that_knows_what_to_do" {
  # The instance is that of the run before, which had a volume: it stays as it was made.
  variables {
    name = "a-name-of-as-many-as-30-letter"
  }

  assert {
    condition     = aws_instance.this.user_data == local.user_data
    error_message = "A host without a data volume is made in another way than one with it."
  }
}

run "the_host_knows_its_monitoring_profile" {
  override_data {
    target = data.aws_ec2_instance_type.host
    values = { supported_architectures = ["x86_64"], memory_size = 2048 }
  }

  variables {
    monitoring = "metrics"
  }

  assert {
    condition     = { for file in yamldecode(local.user_data).write_files : file.path => file.content }["/etc/hello-devops/monitoring"] == "metrics\n"
    error_message = "/etc/hello-devops/monitoring says another."
  }
}

run "the_host_writes_its_keys_where_its_role_may" {
  assert {
    condition     = strcontains(local.user_data, "name=${local.host_keys_path}/$(")
    error_message = "The program writes elsewhere than to ${local.host_keys_path}."
  }
}
