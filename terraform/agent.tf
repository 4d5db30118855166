locals {
  namespace = "HelloDevOps/EC2"
  log_group = "/aws/ec2/${var.name}"

  # The disks that are watched, and how each grows.
  mounts = merge(
    { "/" = "Raise root_volume_size in Terraform, apply, reboot." },
    var.data_volume_size > 0 ? { "/data" = "Raise data_volume_size in Terraform, apply; then: sudo systemctl restart hello-devops-data-volume" } : {},
  )

  # What the CloudWatch agent of the host collects, a data point a minute. An alarm finds a metric by its dimensions to the letter, so
  # each is sent by InstanceId, and a disk's by path, too; never by what differs between machines (interface, file system).
  # Custom metrics, of which an account has 10 free: cpu 1, mem 1, net 2, disk 1 and 1 for each mount. That is 6, or 7 with /data.
  agent = {
    agent = {
      metrics_collection_interval = 60
      run_as_user                 = "root" # the logs of containers are root's
    }

    metrics = {
      namespace              = local.namespace
      append_dimensions      = { InstanceId = "$${aws:InstanceId}" } # and the agent leaves "host" out
      aggregation_dimensions = [["InstanceId"], ["InstanceId", "path"]]

      metrics_collected = {
        cpu = {
          measurement           = ["usage_active"] # of all processors together
          drop_original_metrics = ["cpu_usage_active"]
        }
        mem = {
          measurement = ["used_percent"] # by InstanceId as it is
        }
        net = {
          measurement           = ["bytes_recv", "bytes_sent"]
          resources             = ["e*"] # ens5, enX0, eth0; a container's veth would be a new metric with each deploy
          drop_original_metrics = ["net_bytes_recv", "net_bytes_sent"]
        }
        disk = {
          measurement           = ["used_percent"]
          resources             = ["/", "/data"] # what is not mounted is not sent
          drop_device           = true
          drop_original_metrics = ["disk_used_percent"]
        }
      }
    }

    logs = {
      logs_collected = {
        files = {
          collect_list = [
            {
              file_path       = "/var/log/cloud-init-output.log"
              log_group_name  = local.log_group
              log_stream_name = "{instance_id}/cloud-init"
            },
            {
              file_path       = "/var/log/hello-devops.log" # of user-data/log.service
              log_group_name  = local.log_group
              log_stream_name = "{instance_id}/docker"
            },
            {
              # A stream for each file; without publish_multi_logs only the file that was written last is sent.
              file_path          = "/var/lib/docker/containers/*/*-json.log"
              log_group_name     = local.log_group
              log_stream_name    = "{instance_id}/containers"
              publish_multi_logs = true
            },
          ]
        }
      }
    }
  }
}
