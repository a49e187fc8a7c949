#!/usr/bin/env bash
# The SDK's tests and those of its examples. Each example has a module `model`, so each has a run of its own.
set -euo pipefail
cd "$(dirname "$0")"
for folder in tests examples/*/; do
    ../../.retailcast/python/bin/python -m pytest --quiet "$folder"
done
