#!/usr/bin/env bash
# Fetches the dashboard's libraries from npm into host/server/src/dashboard/static/vendor. After a change of a version
# here: run it, say the version in that folder's README.md, run `make browser`.
set -euo pipefail
cd "$(dirname "$0")/.."
vendor=$PWD/host/server/src/dashboard/static/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund preact@10.29.8 htm@3.1.1 uplot@1.6.32
# A page whose policy forbids inline scripts can have no import map, so the one bare name becomes a path.
sed '/sourceMappingURL/d' node_modules/preact/dist/preact.module.js >"$vendor/preact.js"
sed -e 's#from"preact"#from"./preact.js"#' -e '/sourceMappingURL/d' node_modules/preact/hooks/dist/hooks.module.js >"$vendor/hooks.js"
cp node_modules/htm/dist/htm.module.js "$vendor/htm.js"
cp node_modules/uplot/dist/uPlot.esm.js "$vendor/uplot.js"
cp node_modules/uplot/dist/uPlot.min.css "$vendor/uplot.css"
for package in preact htm uplot; do cp "node_modules/$package/LICENSE" "$vendor/LICENSE-$package.txt"; done
