provider "aws" {
  region = var.aws_region

  default_tags {
    tags = {
      Project   = "${var.name}-bootstrap" # not var.name: what carries that tag may be changed by the role apply
      ManagedBy = "terraform"
    }
  }
}
