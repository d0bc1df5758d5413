#!/usr/bin/env bash
# Installs policylab from the repository that this action is a part of, with the pinned versions and hashes of its lock, into a virtual
# environment of its own: the job's Python and its PATH stay as they are.
set -euo pipefail
root=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)
home=$RUNNER_TEMP/policylab
python=${INPUT_PYTHON:-python3}
# Two steps of a job may name two commits, or two Pythons.
wanted="$root $python"

# pip's own exit code for a fault is 1, which means "something differs".
fault() {
  echo "::error title=policylab::$2"
  echo "exit-code=$1" >>"$GITHUB_OUTPUT"
  exit "$1"
}

if [ -e "$home/.ready" ] && [ "$(cat "$home/.ready")" = "$wanted" ]; then exit 0; fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fault 2 "the input python is no Python from 3.11 on"
"$python" -m venv --clear "$home" || fault 10 "Python made no virtual environment"
"$home/bin/pip" install --quiet --require-hashes -r "$root/requirements.lock" || fault 10 "pip did not install what policylab needs"
"$home/bin/pip" install --quiet --no-deps --no-build-isolation -e "$root" || fault 10 "pip did not install policylab"
printf %s "$wanted" >"$home/.ready"
