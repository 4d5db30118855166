locals {
  programs = "/usr/local/lib/hello-devops"
  units    = "/etc/systemd/system"

  host_files = merge(
    {
      "/etc/docker/daemon.json"                                = file("${path.module}/user-data/daemon.json")
      "/etc/hello-devops/monitoring"                           = "${var.monitoring}\n"
      "/etc/logrotate.d/hello-devops"                          = file("${path.module}/user-data/logrotate")
      "/opt/aws/amazon-cloudwatch-agent/etc/hello-devops.json" = "${jsonencode(local.agent)}\n"
      "${local.units}/docker.service.d/hello-devops.conf"      = file("${path.module}/user-data/docker.conf")
    },
    { for unit in local.host_units : "${local.units}/hello-devops-${unit}" => file("${path.module}/user-data/${unit}") },
  )
  host_units = concat(
    ["host-keys.service", "log.service", "updates.service", "updates.timer"],
    var.data_volume_size > 0 ? ["data-volume.service"] : [],
  )
  host_programs = concat(
    ["host-keys", "setup", "updates"],
    var.data_volume_size > 0 ? ["data-volume"] : [],
  )

  cloud_config = {
    # dnf needs more than a t3.micro has left beside the app and the agent, and so may a pull.
    swap = { filename = "/swapfile", size = 1073741824 }

    write_files = concat(
      [for path, content in local.host_files : { path = path, content = content }],
      [for name in local.host_programs : {
        path        = "${local.programs}/${name}"
        content     = file("${path.module}/user-data/${name}.sh")
        permissions = "0755"
      }],
    )

    runcmd = [["${local.programs}/setup"]]
  }

  # cloud-init carries it out at the instance's first boot: the files, then setup.sh. EC2 takes 16 KiB.
  user_data = "#cloud-config\n${yamlencode(local.cloud_config)}"
}
