#!/usr/bin/env bash
# Runs one command of policylab. Every input comes by an environment variable, and is one argument of the command.
set -euo pipefail
root=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)
bin=$RUNNER_TEMP/policylab/bin
inputs="command path context cni k8s images assignment predict out"

refuse() {
  echo "::error title=policylab::$1"
  echo "exit-code=2" >>"$GITHUB_OUTPUT"
  exit 2
}

# The value of an input, with all its line breaks.
look() {
  local name
  name=INPUT_$(tr '[:lower:]' '[:upper:]' <<<"$1")
  value=${!name:-}
}

# What a command would not read is refused, so that nobody waits for its effect.
takes() {
  local name
  for name in $inputs; do
    case " command out $2 " in *" $name "*) continue ;; esac
    look "$name"
    if [ -n "$value" ]; then refuse "$1 has no use for the input $name"; fi
  done
}

needs() {
  local name
  for name in $2; do
    look "$name"
    if [ -z "$value" ]; then refuse "$1 needs the input $name"; fi
  done
}

# A name that begins with a dash would be an option (`--help` ends with 0), and a line break would begin another output of the step.
for name in $inputs; do
  look "$name"
  case $value in
    -*) refuse "the input $name begins with a dash; the file -x is ./-x" ;;
    *[$'\n\r']*) refuse "the input $name has more than one line" ;;
  esac
done
case /${INPUT_OUT:-}/ in
  //?* | */../*) refuse "the input out is a folder below the workspace" ;;
esac
case ${INPUT_PREDICT:-} in
  true | "") ;;
  false) INPUT_PREDICT="" ;;
  *) refuse "the input predict is true or false" ;;
esac

results=$GITHUB_WORKSPACE/${INPUT_OUT:-policylab-results}
case ${INPUT_COMMAND:-} in
  labs)
    # They run in the workspace as well, so that paths in the inputs are those of the workspace.
    command=("$bin/pytest" "${INPUT_PATH:-$root/labs}" "--lab-report-dir=$results" ${INPUT_CNI:+"--lab-cni=$INPUT_CNI"})
    if [ -n "${INPUT_CONTEXT:-}" ]; then
      takes "labs with a context" "path context cni"
      command+=("--lab-context=$INPUT_CONTEXT")
    else
      takes labs "path cni k8s images"
      command+=("--lab-images=${INPUT_IMAGES:-registry}" ${INPUT_K8S:+"--lab-k8s=$INPUT_K8S"})
    fi
    ;;
  conformance)
    takes conformance "context cni"
    needs conformance context
    command=("$bin/policylab" conformance --context "$INPUT_CONTEXT" --out "$results" ${INPUT_CNI:+--cni-name "$INPUT_CNI"})
    ;;
  grade)
    command=("$bin/policylab" grade "${INPUT_ASSIGNMENT:-}" "${INPUT_PATH:-}" --out "$results" ${INPUT_CNI:+--cni "$INPUT_CNI"})
    if [ -n "${INPUT_PREDICT:-}" ]; then
      takes "grade with predict" "assignment path cni predict"
      command+=(--predict)
    else
      takes grade "assignment path cni context"
      command+=(${INPUT_CONTEXT:+--context "$INPUT_CONTEXT"})
    fi
    needs grade "assignment path"
    ;;
  check)
    takes check "assignment path cni"
    needs check "assignment path"
    command=("$bin/policylab" check "$INPUT_ASSIGNMENT" "$INPUT_PATH" ${INPUT_CNI:+--cni "$INPUT_CNI"})
    ;;
  *)
    refuse "the input command is one of labs, conformance, grade and check"
    ;;
esac
while IFS= read -r line; do
  if [ -n "$line" ]; then command+=("$line"); fi
done <<<"${INPUT_ARGS:-}"

# From here on the folder is an output, so that a step with `if: always()` finds it whatever comes.
mkdir -p "$results" || refuse "the folder of the input out cannot be made"
echo "results=$results" >>"$GITHUB_OUTPUT"
cd "$GITHUB_WORKSPACE"

# The runner reads commands from what a step prints, and here the names of students' files are printed: it shall take them for words.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
said=$RUNNER_TEMP/policylab-said.$$
trap 'rm -f "$said"; echo "::$token::"' EXIT
echo "::stop-commands::$token"

# A job that is cancelled interrupts this script alone, and policylab hears it from here; a program in the background ignores Ctrl-C.
mkfifo "$said"
tee "$results/output.txt" <"$said" &
tee=$!
"${command[@]}" >"$said" 2>&1 &
program=$!
interrupted="" code=0
trap 'interrupted=yes; kill -TERM "$program" 2>/dev/null || true' INT TERM
wait "$program" || code=$?
while [ -n "$interrupted" ]; do
  interrupted="" code=0
  wait "$program" || code=$?
done
wait "$tee" || if [ "$code" = 0 ]; then code=10; fi # the output could not be written
echo "exit-code=$code" >>"$GITHUB_OUTPUT"

# labs and conformance write the summary of the job themselves. No text that is indented ends its block; a summary has a limit of 1 MiB.
case $INPUT_COMMAND in
  grade | check)
    if [ -f "$results/output.txt" ]; then
      { echo; head -c 500000 "$results/output.txt" | sed 's/^/    /'; echo; } >>"$GITHUB_STEP_SUMMARY"
    fi
    ;;
esac
exit "$code"
