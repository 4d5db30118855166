locals {
  github   = "token.actions.githubusercontent.com"
  audience = "sts.amazonaws.com"
  oidc_arn = one(concat(aws_iam_openid_connect_provider.this[*].arn, data.aws_iam_openid_connect_provider.existing[*].arn))

  # What a repository calls itself in `sub`: by its name, and since 2026-07-15 by its name and ids.
  repositories = flatten([
    for repository in var.repositories : concat(
      ["repo:${repository.name}"],
      repository.id == null ? [] : [format("repo:%s@%d/%s@%d",
        split("/", repository.name)[0], repository.owner_id, split("/", repository.name)[1], repository.id
      )]
    )
  ])

  # An environment may be named by any workflow that its own rules let in: they are the lock of apply and deploy.
  jobs = {
    plan   = concat(["pull_request", "ref:refs/heads/${var.default_branch}"], [for name in var.plan_environments : "environment:${name}"])
    apply  = [for name in var.apply_environments : "environment:${name}"]
    deploy = [for name in var.deploy_environments : "environment:${name}"]
  }

  # AWS takes no empty list; what no token says lets nobody in.
  subjects = { for role, jobs in local.jobs : role => coalescelist([for pair in setproduct(local.repositories, jobs) : join(":", pair)], ["nobody"]) }
}

data "aws_iam_openid_connect_provider" "existing" {
  count = var.create_oidc_provider ? 0 : 1
  url   = "https://${local.github}"

  lifecycle {
    postcondition {
      condition     = contains(self.client_id_list, local.audience)
      error_message = "create_oidc_provider: the account's provider does not take the audience ${local.audience}: aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${self.arn} --client-id ${local.audience}"
    }
  }
}

# Without thumbprints: AWS checks GitHub's certificate against the authorities that it trusts itself.
resource "aws_iam_openid_connect_provider" "this" {
  count          = var.create_oidc_provider ? 1 : 0
  url            = "https://${local.github}"
  client_id_list = [local.audience]
}

data "aws_iam_policy_document" "trust" {
  for_each = local.subjects

  statement {
    sid     = "GitHubJobs"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.oidc_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.github}:aud"
      values   = [local.audience]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.github}:sub"
      values   = each.value
    }
  }
}
