#!/usr/bin/env bash
# Makes the plans beside it: what `terraform show -json` says of each kind of change. It needs Terraform, and no provider.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

kept='resource "terraform_data" "kept" { input = { size = 1, password = var.password } }'
disk='resource "terraform_data" "disk" {
  input            = "a"
  triggers_replace = 1
}'
old='resource "terraform_data" "old" { input = "o" }'
output='output "size" { value = 1 }'

main() {
  plan create "$kept" "$disk" "$old" "$output"
  terraform apply -input=false plan >/dev/null
  plan nothing "$kept" "$disk" "$old" "$output"
  plan update "${kept/size = 1/size = 2}" "$disk" "$old" "$output"
  plan other-update "${kept/size = 1/size = 3}" "$disk" "$old" "$output"
  TF_VAR_password="another" plan secret-update "$kept" "$disk" "$old" "$output"
  TF_VAR_password="a third" plan other-secret-update "$kept" "$disk" "$old" "$output"
  plan replace "$kept" "${disk/= 1/= 2}" "$old" "$output"
  plan delete "$kept" "$disk" "$output"
  plan move "$kept" "$disk" "${old/old/new}" "$output" 'moved {
    from = terraform_data.old
    to   = terraform_data.new
  }'
  plan forget "$kept" "$disk" "$output" 'removed {
    from = terraform_data.old
    lifecycle { destroy = false }
  }'
  plan import "$kept" "$disk" "$old" "$output" "${old/old/found}" 'import {
    to = terraform_data.found
    id = "1"
  }'
  plan output "$kept" "$disk" "$old" "${output/1/2}"
}

plan() {
  local name=$1
  shift
  printf '%s\n' 'variable "password" {
  default   = "hunter2"
  sensitive = true
}' "$@" >main.tf
  terraform init -input=false >/dev/null
  terraform plan -input=false -out=plan >/dev/null
  terraform show -json plan | jq 'del(.configuration, .prior_state, .planned_values)' >"$here/$name.json"
}

main
