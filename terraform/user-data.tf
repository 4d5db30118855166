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
  host_units    = ["data-volume.service", "host-keys.service", "log.service", "updates.service", "updates.timer"]
  host_programs = ["data-volume", "host-keys", "setup", "updates"]

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

  # The same with and without a data volume: a running host never sees a change of it, and takes a volume that is added later.
  # cloud-init carries it out at the instance's first boot: the files, then setup.sh. EC2 takes 16 KiB.
  user_data = "#cloud-config\n${yamlencode(local.cloud_config)}"
}
