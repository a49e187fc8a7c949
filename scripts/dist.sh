#!/usr/bin/env bash
# Packs the release build: dist/retailcast-VERSION-ARCH.tar.gz and its SHA-256. Called by `make dist` with the program.
set -euo pipefail
cd "$(dirname "$0")/.."

program=$1
version=$("$program" --version | cut -d' ' -f2)
name=retailcast-$version-$(uname -m)-linux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/$name/docs" dist
install -m 755 "$program" "$work/$name/retailcast"
install -m 644 retailcast.toml LICENSE README.md "$work/$name/"
cp -r docs/. "$work/$name/docs/"
# What the program is made of, crate by crate, as Cargo locked it.
cargo metadata --locked --format-version 1 --filter-platform "$(rustc -vV | sed -n 's/^host: //p')" |
    python3 scripts/sbom.py >"$work/$name/sbom.cdx.json"
# The same content gives the same bytes: order, owner and time are fixed.
time=$(git log -1 --format=%ct 2>/dev/null || echo 0)
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$time" -C "$work" -cf - "$name" | gzip -n9 >"dist/$name.tar.gz"
(cd dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
ls -l "dist/$name.tar.gz"
