#!/usr/bin/env bash
# Makes the Python environment of the peer comparison, .retailcast/peers. Safe to repeat.
# Needs Python 3.11 or later with venv, and the package registry; LightGBM also needs libgomp1, which comes with a C compiler.
set -euo pipefail
cd "$(dirname "$0")/../.."

python3 -m venv .retailcast/peers
.retailcast/peers/bin/pip install --quiet --disable-pip-version-check --requirement tests/peers/requirements.txt
