#!/usr/bin/env bash
# The AWS CLI, as far as a login to ECR needs it: whoever has assumed the role in the region of the call gets the registry's
# password. ECR_ENDPOINT and ECR_PASSWORD stand in the file `ecr` beside it.
set -euo pipefail

main() {
  # shellcheck source=/dev/null
  source "$(dirname "$0")/ecr"
  if [[ ${AWS_SESSION_TOKEN:-} != session-of-arn:aws:iam::*:role/* || -z ${AWS_ACCESS_KEY_ID:-} || -z ${AWS_SECRET_ACCESS_KEY:-} ]]; then
    echo "Unable to locate credentials. You can configure credentials by running \"aws configure\"." >&2
    exit 253
  fi
  case $* in
    "ecr get-login-password --region $AWS_REGION") echo "$ECR_PASSWORD" ;;
    "ecr get-authorization-token --region $AWS_REGION --query authorizationData[0].proxyEndpoint --output text") echo "$ECR_ENDPOINT" ;;
    *) echo "aws: this call is not played: $*" >&2 && exit 252 ;;
  esac
}
main "$@"
