#!/usr/bin/env bash
# Installs policylab from the repository that this action is a part of, with the pinned versions and hashes of its lock, into a virtual
# environment of its own: the job's Python and its PATH stay as they are.
set -euo pipefail
root=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)
home=$RUNNER_TEMP/policylab
if [ -e "$home/.ready" ]; then exit 0; fi
"${INPUT_PYTHON:-python3}" -m venv "$home"
"$home/bin/pip" install --quiet --require-hashes -r "$root/requirements.lock"
"$home/bin/pip" install --quiet --no-deps --no-build-isolation -e "$root"
touch "$home/.ready"
