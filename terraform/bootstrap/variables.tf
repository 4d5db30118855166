variable "apply_environments" {
  description = "GitHub environments whose jobs may take the role apply. Give each a required reviewer and limit it to the default branch: without these rules any workflow of the repository can name it. Empty = nobody takes the role; apply by hand."
  type        = list(string)
  default     = ["infrastructure"]

  validation {
    condition     = alltrue([for name in var.apply_environments : can(regex("^[A-Za-z0-9][A-Za-z0-9 ._-]*$", name))])
    error_message = "apply_environments: expected names of GitHub environments of A-Z, a-z, 0-9, space, '.', '_' and '-', got ${jsonencode(var.apply_environments)}."
  }
}

variable "aws_region" {
  description = "The region of the bucket, the table and the hosts."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.aws_region))
    error_message = "aws_region: expected a region such as us-east-1, got \"${var.aws_region}\"."
  }
}

variable "create_lock_table" {
  description = "Whether the lock table is made. false = the one that lock_table names is used: say so after ResourceInUseException (the account has it already)."
  type        = bool
  default     = true
}

variable "create_oidc_provider" {
  description = "Whether GitHub's OIDC provider is made. An account holds one. false = the account's is used: say so after EntityAlreadyExists."
  type        = bool
  default     = true
}

variable "create_state_bucket" {
  description = "Whether the state's bucket is made. false = the one that state_bucket names is used and its settings stay as they are: say so after BucketAlreadyOwnedByYou. BucketAlreadyExists says the same in us-east-1; elsewhere, or when `aws s3api head-bucket` fails, somebody else has that name: choose another state_bucket."
  type        = bool
  default     = true
}

variable "default_branch" {
  description = "The branch whose jobs may take the role plan, besides pull requests: for the nightly check."
  type        = string
  default     = "main"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", var.default_branch))
    error_message = "default_branch: expected a branch's name such as main, got \"${var.default_branch}\"."
  }
}

variable "deploy_environments" {
  description = "GitHub environments whose jobs may take the role deploy. Limit them to the branches that may deploy."
  type        = list(string)
  default     = ["production", "staging"]

  validation {
    condition     = alltrue([for name in var.deploy_environments : can(regex("^[A-Za-z0-9][A-Za-z0-9 ._-]*$", name))])
    error_message = "deploy_environments: expected names of GitHub environments of A-Z, a-z, 0-9, space, '.', '_' and '-', got ${jsonencode(var.deploy_environments)}."
  }
}

variable "dynamodb_lock" {
  description = "Whether backend_config names the lock table, too: while a Terraform older than 1.10 writes states in the bucket, which locks by the table alone (and must be given the configuration without use_lockfile, which it does not know). Newer ones then take both locks, and warn that the argument is deprecated."
  type        = bool
  default     = false
}

variable "ecr_repositories" {
  description = "Repositories of ECR in this region that a deploy pulls from, by name. Empty = none."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.ecr_repositories : can(regex("^[a-z0-9][a-z0-9._/-]*$", name))])
    error_message = "ecr_repositories: expected names such as acme/web, without registry, tag and *, got ${jsonencode(var.ecr_repositories)}."
  }
}

variable "env_secrets" {
  description = "Secrets of Secrets Manager that a deploy reads for env-secrets-manager, by name. Empty = none."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.env_secrets : can(regex("^[A-Za-z0-9/_+=.@-]+$", name))])
    error_message = "env_secrets: expected names such as web/prod/database, no ARN and no *, got ${jsonencode(var.env_secrets)}."
  }
}

variable "env_ssm_paths" {
  description = "Paths of Parameter Store that a deploy reads for env-ssm-path. Empty = none."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for path in var.env_ssm_paths : can(regex("^(/[A-Za-z0-9._-]+)+$", path))])
    error_message = "env_ssm_paths: expected paths such as /web/prod, without / at the end and without *, got ${jsonencode(var.env_ssm_paths)}."
  }
}

variable "force_destroy" {
  description = "Whether a destroy removes the bucket with all states in it and their old versions. Apply it as true first: a destroy goes by what was applied."
  type        = bool
  default     = false
}

variable "lock_table" {
  description = "The DynamoDB table that locks by Terraform before 1.10."
  type        = string
  default     = "terraform-state-lock"

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.lock_table))
    error_message = "lock_table: expected 3 to 255 of A-Z, a-z, 0-9, '_', '.' and '-', got \"${var.lock_table}\"."
  }
}

variable "name" {
  description = "The name of the system whose infrastructure the roles may plan, apply and deploy to: its variable name."
  type        = string
  default     = "hello-devops"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,29}$", var.name))
    error_message = "name: expected 1 to 30 of a-z, 0-9 and -, a letter first, got \"${var.name}\"."
  }
}

variable "plan_environments" {
  description = "GitHub environments whose jobs may take the role plan, too. Empty = none: pull requests and the default branch may, always."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.plan_environments : can(regex("^[A-Za-z0-9][A-Za-z0-9 ._-]*$", name))])
    error_message = "plan_environments: expected names of GitHub environments of A-Z, a-z, 0-9, space, '.', '_' and '-', got ${jsonencode(var.plan_environments)}."
  }
}

variable "repositories" {
  description = "The repositories whose workflows may take the roles, as GitHub writes them (the letters' case counts), with the ids of the owner and the repository: gh api repos/OWNER/REPO --jq '.owner.id, .id'. Repositories made or renamed since 2026-07-15 name themselves with their ids, and aren't let in without them."
  type = list(object({
    name     = string
    owner_id = optional(number)
    id       = optional(number)
  }))

  validation {
    condition     = length(var.repositories) > 0
    error_message = "repositories: it is empty, so nobody could take the roles; write [{ name = \"acme/web\", owner_id = 123, id = 456 }]."
  }

  validation {
    condition     = alltrue([for repository in var.repositories : can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", repository.name))])
    error_message = "repositories: expected names such as acme/web, one repository each and no *, got ${jsonencode(var.repositories[*].name)}."
  }

  validation {
    condition     = alltrue([for repository in var.repositories : (repository.owner_id == null) == (repository.id == null)])
    error_message = "repositories: owner_id and id go together: give both or neither, got ${jsonencode(var.repositories)}."
  }
}

variable "ssh_user" {
  description = "The user whom a deploy logs in as: the input ssh-user of deploy-ec2."
  type        = string
  default     = "ec2-user"

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_-]{0,31}$", var.ssh_user))
    error_message = "ssh_user: expected a user of the host such as ec2-user or ubuntu, got \"${var.ssh_user}\"."
  }
}

variable "state_bucket" {
  description = "The bucket that holds the states. Blank = <name>-state-<account>-<region>."
  type        = string
  default     = ""

  validation {
    condition     = var.state_bucket == "" || can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "state_bucket: expected 3 to 63 of a-z, 0-9 and -, a letter or digit first and last, got \"${var.state_bucket}\"."
  }
}

variable "state_version_days" {
  description = "How many days an old version of a state is kept, to go back to."
  type        = number
  default     = 90

  validation {
    condition     = var.state_version_days >= 1 && floor(var.state_version_days) == var.state_version_days
    error_message = "state_version_days: expected a whole number of days from 1, got ${var.state_version_days}."
  }
}
