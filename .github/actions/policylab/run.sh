#!/usr/bin/env bash
# Runs one command of policylab. Every input comes by an environment variable, and is one argument of the command.
set -euo pipefail
root=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)
bin=$RUNNER_TEMP/policylab/bin
results=$GITHUB_WORKSPACE/${INPUT_OUT:-policylab-results}
mkdir -p "$results"

refuse() {
  echo "::error title=policylab::$1"
  echo "exit-code=2" >>"$GITHUB_OUTPUT"
  exit 2
}

further=()
while IFS= read -r line; do
  if [ -n "$line" ]; then further+=("$line"); fi
done <<<"${INPUT_ARGS:-}"

cd "$GITHUB_WORKSPACE"
case "${INPUT_COMMAND:-}" in
  labs)
    command=("$bin/pytest" "${INPUT_PATH:-labs/}" "--lab-report-dir=$results")
    if [ -z "${INPUT_PATH:-}" ]; then cd "$root"; fi
    if [ -n "${INPUT_CNI:-}" ]; then command+=("--lab-cni=$INPUT_CNI"); fi
    if [ -n "${INPUT_CONTEXT:-}" ]; then
      command+=("--lab-context=$INPUT_CONTEXT")
    else
      command+=("--lab-images=${INPUT_IMAGES:-registry}")
      if [ -n "${INPUT_K8S:-}" ]; then command+=("--lab-k8s=$INPUT_K8S"); fi
    fi
    ;;
  conformance)
    if [ -z "${INPUT_CONTEXT:-}" ]; then refuse "conformance needs the input context: the kubectl context of the cluster"; fi
    command=("$bin/policylab" conformance --context "$INPUT_CONTEXT" --out "$results")
    if [ -n "${INPUT_CNI:-}" ]; then command+=(--cni-name "$INPUT_CNI"); fi
    ;;
  grade)
    if [ -z "${INPUT_ASSIGNMENT:-}" ] || [ -z "${INPUT_PATH:-}" ]; then refuse "grade needs the inputs assignment and path"; fi
    command=("$bin/policylab" grade "$INPUT_ASSIGNMENT" "$INPUT_PATH" --out "$results")
    if [ -n "${INPUT_CNI:-}" ]; then command+=(--cni "$INPUT_CNI"); fi
    if [ -n "${INPUT_CONTEXT:-}" ]; then command+=(--context "$INPUT_CONTEXT"); fi
    if [ "${INPUT_PREDICT:-false}" = true ]; then command+=(--predict); fi
    ;;
  check)
    if [ -z "${INPUT_ASSIGNMENT:-}" ] || [ -z "${INPUT_PATH:-}" ]; then refuse "check needs the inputs assignment and path"; fi
    command=("$bin/policylab" check "$INPUT_ASSIGNMENT" "$INPUT_PATH")
    if [ -n "${INPUT_CNI:-}" ]; then command+=(--cni "$INPUT_CNI"); fi
    ;;
  *)
    refuse "the input command is one of labs, conformance, grade and check"
    ;;
esac

set +e
"${command[@]}" ${further[@]+"${further[@]}"} 2>&1 | tee "$results/output.txt"
ends=("${PIPESTATUS[@]}")
set -e
code=${ends[0]}
if [ "$code" = 0 ] && [ "${ends[1]}" != 0 ]; then code=10; fi # the output could not be written
{
  echo "exit-code=$code"
  echo "results=$results"
} >>"$GITHUB_OUTPUT"
# labs and conformance write the summary of the job themselves.
case $INPUT_COMMAND in
  grade | check)
    if [ -f "$results/output.txt" ]; then
      { echo '```text'; cat "$results/output.txt"; echo '```'; } >>"$GITHUB_STEP_SUMMARY"
    fi
    ;;
esac
exit "$code"
