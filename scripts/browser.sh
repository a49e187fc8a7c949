#!/usr/bin/env bash
# Tests of the dashboard in a real browser, against a server of their own. Pictures: tests/browser/pictures.
#   scripts/browser.sh PROGRAM
# Needs Node 18, npm and Chromium.
set -euo pipefail
program=$(realpath "${1:?which program?}")
cd "$(dirname "$0")/../tests/browser"

for tool in node npm chromium; do
    command -v "$tool" >/dev/null && continue
    printf 'browser: %s is missing: apt-get install nodejs npm chromium\n' "$tool" >&2
    exit 1
done
# The folder is made anew only when the pinned versions change.
cmp -s package-lock.json node_modules/.pinned || { npm ci --silent --no-audit --no-fund && cp package-lock.json node_modules/.pinned; }
RETAILCAST=$program CHROMIUM=$(command -v chromium) exec npm test --silent
