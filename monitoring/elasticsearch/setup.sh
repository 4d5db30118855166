#!/bin/bash
# setup.sh: what Elasticsearch must know before the first line comes. Runs before Logstash and Kibana, at each up.sh.
# setup.sh kibana: what people see there. Both are safe to run again.
set -euo pipefail

store=http://elasticsearch:9200
here=$(dirname "${BASH_SOURCE[0]}")

secret() { cat "/run/secrets/$1"; }

# Says what was answered only if that was a no. The password comes through a pipe: an argument is in the list of processes.
ask() {
  local said
  said=$(curl -sS --fail-with-body --retry 5 --config <(printf 'user = "elastic:%s"\n' "$(secret elastic-password)") "$@") || {
    echo "logs: ${*: -1}: $said" >&2
    return 1
  }
  echo "$said"
}

put() { ask --request PUT --header "Content-Type: application/${2:-yaml}" --data-binary @- "$store/$1" >/dev/null; }

put_user() {
  printf '{"password": "%s", "roles": ["%s"]}' "$(secret "$2")" "$3" | put "_security/user/$1" json
}

prepare_store() {
  put _ilm/policy/hello-devops-logs <"$here/lifecycle.yml"
  put _ingest/pipeline/hello-devops-logs <"$here/pipeline.yml"
  put _index_template/hello-devops-logs <"$here/index-template.yml"
  # Made here, so that Logstash need not be allowed to make an index. A changed mapping holds from its next index on, a day later at most.
  [[ $(ask "$store/_data_stream/logs-containers-*") == *logs-containers-default* ]] ||
    ask --request PUT "$store/_data_stream/logs-containers-default" >/dev/null
  put _security/role/hello-devops-logs-writer <"$here/writer-role.yml"
  put_user logstash_writer logstash-password hello-devops-logs-writer
  put_user operator operator-password editor
  printf '{"password": "%s"}' "$(secret kibana-password)" | put _security/user/kibana_system/_password json
  echo "logs: the store is ready"
}

prepare_kibana() {
  local said
  said=$(ask --header 'kbn-xsrf: true' --form file=@/setup/kibana/saved-objects.ndjson 'http://kibana:5601/api/saved_objects/_import?overwrite=true')
  [[ $said == *'"success":true'* ]] || {
    echo "logs: Kibana did not take its objects: $said" >&2
    return 1
  }
  echo "logs: Kibana has its data view, searches and dashboard"
}

case ${1:-store} in
  store) prepare_store ;;
  kibana) prepare_kibana ;;
esac
