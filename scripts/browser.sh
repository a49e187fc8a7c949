#!/usr/bin/env bash
# Tests of the dashboard in a real browser, against a server and a model by script of their own. Pictures:
# tests/browser/pictures.
#   scripts/browser.sh [--where-possible] PROGRAM
# Needs Node 18, npm and Chromium, Debian's packages, which it installs. With --where-possible a machine that cannot have
# them is told and left alone.
set -euo pipefail
optional=
if [ "${1:-}" = --where-possible ]; then optional=yes; shift; fi
program=$(realpath "${1:?which program?}")
cd "$(dirname "$0")/.."

if ! scripts/setup.sh browser; then
    [ -n "$optional" ] || exit 1
    printf 'browser: this machine cannot have Chromium, Node and npm; the dashboard was NOT tested in a browser\n' >&2
    exit 0
fi
cd tests/browser
# The folder is made anew only when the pinned versions change.
cmp -s package-lock.json node_modules/.pinned || { npm ci --silent --no-audit --no-fund && cp package-lock.json node_modules/.pinned; }
RETAILCAST=$program CHROMIUM=$(command -v chromium) exec npm test --silent
