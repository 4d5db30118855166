locals {
  # AWS takes a network only as such: 203.0.113.7/24 is 203.0.113.0/24.
  operator_networks = toset([for cidr in var.operator_cidrs : cidrsubnet(cidr, 0, 0)])
  operator_ports    = merge({ grafana = 3000, kibana = 5601, prometheus = 9090 }, var.ssh_open ? { ssh = 22 } : {})

  ingress = merge(
    { http = { port = 80, cidr = local.world, description = "HTTP from anywhere" } },
    var.app_port == null ? {} : { app = { port = var.app_port, cidr = local.world, description = "The port of the app itself, from anywhere" } },
    { elasticsearch = { port = 9200, cidr = aws_vpc.this.cidr_block, description = "Elasticsearch from within the VPC" } },
    { for at in setproduct(keys(local.operator_ports), local.operator_networks) : "${at[0]} ${at[1]}" => {
      port        = local.operator_ports[at[0]]
      cidr        = at[1]
      description = "${at[0]} from an operator"
    } },
  )
}

resource "aws_security_group" "host" {
  name        = "${var.name}-host"
  description = "What reaches the host, and what it reaches"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-host" }
}

resource "aws_vpc_security_group_ingress_rule" "host" {
  # checkov:skip=CKV_AWS_260: port 80 is the app's door
  for_each = local.ingress

  security_group_id = aws_security_group.host.id
  description       = each.value.description
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr

  tags = { Name = each.key }
}

resource "aws_vpc_security_group_egress_rule" "host" {
  # checkov:skip=CKV_AWS_382: registries and package mirrors have no fixed addresses
  security_group_id = aws_security_group.host.id
  description       = "Everywhere: registries, packages, AWS"
  ip_protocol       = "-1"
  cidr_ipv4         = local.world

  tags = { Name = "everywhere" }
}

# A deploy opens port 22 in here for its runner and shuts it again. No rule of this group is Terraform's, and none is inline:
# so a plan that runs meanwhile doesn't see that door, and an apply doesn't shut it.
resource "aws_security_group" "deploy" {
  name                   = "${var.name}-deploys"
  description            = "Opened by a running deploy for itself; no rules else"
  vpc_id                 = aws_vpc.this.id
  revoke_rules_on_delete = true

  tags = { Name = "${var.name}-deploys" }
}
