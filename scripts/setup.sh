# shellcheck shell=bash
# What ./run and ./check need on a Debian machine. Sourced by both, from the root of the repository.
#
# It looks first and installs second: where everything is there, nothing is changed and no right is needed. Whatever is
# not a Debian package goes to .tools in this directory, which may be removed at any time.

# The version of Rust in Cargo.toml: one place says it.
rust_version() { sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml; }

say() { printf '== %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
    exit 1
}

# as_root COMMAND...: as root, if we are or can be without being asked for a password.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 126
    fi
}

APT_UPDATED=

# try_packages NAME...: installs Debian packages; false where that can't be done.
try_packages() {
    command -v apt-get >/dev/null || return 1
    if [ -z "$APT_UPDATED" ]; then
        # One unreachable source of several is no reason to stop: the installation says what is missing.
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null >&2 || [ $? -ne 126 ] || return 1
        APT_UPDATED=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" </dev/null >&2
}

packages() {
    say "installing Debian packages: $*"
    try_packages "$@" || die "these Debian packages are needed: $*" \
        "Install them as root (apt-get update; apt-get install $*) and start this again."
}

# packages_at_rest "UNIT..." NAME...: the same for servers that only tests start, each one of its own. Those that would come up with the
# package, now or at the next boot, stay down; nothing that is here is removed for them. False where that can't be done.
packages_at_rest() {
    local units=$1 unit policy=/usr/sbin/policy-rc.d masked=() ours= ended=0
    shift
    say "installing Debian packages, whose services stay down: $*"
    for unit in $units; do
        unit=/etc/systemd/system/$unit
        [ -d "${unit%/*}" ] && [ ! -e "$unit" ] && as_root ln -s /dev/null "$unit" && masked+=("$unit")
    done
    if [ ! -e "$policy" ]; then
        as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy" && ours=yes
    fi
    try_packages --no-remove "$@" || ended=1
    [ -z "$ours" ] || as_root rm -f "$policy"
    [ "$ended" = 0 ] || [ ${#masked[@]} -eq 0 ] || as_root rm -f "${masked[@]}"
    return "$ended"
}

# SQLite, the cryptography and the allocator have C in them.
need_c() {
    local missing=()
    command -v cc >/dev/null || missing+=(gcc)
    [ -e /usr/include/stdio.h ] || printf '#include <stdio.h>\n' | cc -E - >/dev/null 2>&1 || missing+=(libc6-dev)
    # Whoever has certificates elsewhere has set it up so.
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -d /etc/pki ] || missing+=(ca-certificates)
    [ ${#missing[@]} -eq 0 ] || packages "${missing[@]}"
}

# True if `cargo` with these arguments is at least the version wanted.
new_enough() {
    local have
    have=$("$@" --version 2>/dev/null) || return 1
    have=${have#cargo }
    have=${have%% *}
    [ "$(printf '%s\n' "$(rust_version)" "${have%%-*}" | sort -V | head -n 1)" = "$(rust_version)" ]
}

# need_rust [COMPONENT...]: afterwards `cargo` is new enough. Tried in turn: what is there; a toolchain by the rustup
# that is there or that Debian has (13 and later); Debian's own compiler; the installer of the Rust project.
need_rust() {
    local want here
    want=$(rust_version)
    here=$PWD/.tools
    if [ -x "$here/cargo/bin/cargo" ]; then
        export CARGO_HOME=$here/cargo RUSTUP_HOME=$here/rustup
        PATH=$here/cargo/bin:$PATH
    elif ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-${HOME:-/root}/.cargo}/bin/cargo" ]; then
        PATH=${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH
    fi
    export PATH
    if new_enough cargo; then
        need_components "$@"
        return
    fi
    say "Rust $want is needed, and there is $(cargo --version 2>/dev/null || echo none)"
    if ! command -v rustup >/dev/null && apt_has rustup "" && try_packages rustup; then hash -r; fi
    if command -v rustup >/dev/null; then
        say "installing Rust $want by rustup"
        rustup toolchain install "$want" --profile minimal --no-self-update >&2 || true
        export RUSTUP_TOOLCHAIN=$want
        if new_enough cargo; then
            need_components "$@"
            return
        fi
        unset RUSTUP_TOOLCHAIN
    fi
    if apt_has cargo "$want" && try_packages cargo rustc && hash -r && new_enough cargo; then
        need_components "$@"
        return
    fi
    command -v curl >/dev/null || packages curl
    say "installing Rust $want by the Rust project's installer, into .tools"
    export CARGO_HOME=$here/cargo RUSTUP_HOME=$here/rustup
    curl --proto '=https' --tlsv1.2 -sSf --max-time 60 https://sh.rustup.rs |
        sh -s -- -y --no-modify-path --profile minimal --default-toolchain "$want" >&2 || true
    PATH=$here/cargo/bin:$PATH
    hash -r
    new_enough cargo || die "Rust $want could not be installed here" \
        "Debian 12 itself has an older one. Install Rust $want or later in any way you like, so that" \
        "\`cargo --version\` says so, and start this again."
    need_components "$@"
}

# need_components NAME...: parts of the toolchain that rustup can add (Debian: packages of the same name).
need_components() {
    local name
    for name in "$@"; do
        cargo "${name/rustfmt/fmt}" --version >/dev/null 2>&1 && continue
        say "installing $name"
        { command -v rustup >/dev/null && rustup component add "$name" >&2; } ||
            { apt_has "$name" "$(rust_version)" && try_packages "$name"; } ||
            try_packages "rust-$name" || die "the Rust component $name is needed: rustup component add $name"
    done
}

# apt_has NAME VERSION: whether Debian here has the package, in at least this version.
apt_has() {
    command -v apt-cache >/dev/null || return 1
    if [ -z "$APT_UPDATED" ]; then
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null >&2 2>/dev/null || true
        APT_UPDATED=yes
    fi
    local candidate
    candidate=$(LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p')
    case $candidate in '' | '(none)') return 1 ;; esac
    [ -z "$2" ] || [ "$(printf '%s\n' "$2" "$candidate" | sort -V | head -n 1)" = "$2" ]
}
