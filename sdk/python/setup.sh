#!/usr/bin/env bash
# Makes the Python environment of the SDK's tests, .retailcast/python. Safe to repeat; quick when nothing has changed.
# Needs Python 3.11 or later with venv, and the package registry.
set -euo pipefail
cd "$(dirname "$0")/../.."

home=.retailcast/python
stamp=$home/installed
[ "$stamp" -nt sdk/python/pyproject.toml ] && exit
python3 -m venv "$home"
"$home/bin/pip" install --quiet --disable-pip-version-check --editable 'sdk/python[test]'
touch "$stamp"
