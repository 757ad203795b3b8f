# Sourced by `run` and `test`: makes the private environment .venv from a lock file, once.
# Needs Python 3.11 or newer; everything else comes from the package index, checked against hashes.

UV_VERSION=0.13.9

say() { printf '\033[2m%s\033[0m\n' "$*" >&2; }
die() { printf 'lapel: %s\n' "$*" >&2; exit 1; }

find_python() {
  for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3 python; do
    [ -n "$candidate" ] || continue
    command -v "$candidate" >/dev/null 2>&1 || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$candidate"; return
    fi
  done
  die "Python 3.11 or newer was not found; install it, or name it: PYTHON=/path/to/python $0"
}

# environment LOCK: .venv holds exactly what LOCK names, and Lapel itself.
environment() {
  lock=$1
  [ -d .venv ] || {
    python=$(find_python)
    say "Making a private environment in .venv ..."
    "$python" -m venv .venv || die "\`$python -m venv\` failed; on Debian: apt-get install python3-venv"
  }
  stamp=.venv/.lapel-$(basename "$lock").$(cat "$lock" pyproject.toml scripts/environment.sh | cksum | cut -d' ' -f1)
  [ -e "$stamp" ] && return 0
  command -v .venv/bin/uv >/dev/null 2>&1 || {
    say "Installing uv $UV_VERSION ..."
    .venv/bin/python -m pip install -q --disable-pip-version-check "uv==$UV_VERSION" || die "could not install uv"
  }
  say "Installing $(grep -c '^[a-z]' "$lock") pinned packages (once; some 300 MB with speech) ..."
  .venv/bin/uv pip install --python .venv/bin/python --require-hashes -r "$lock" >&2 || die "the installation failed; run it again to go on where it stopped"
  if [ "$lock" = requirements-dev.lock ]; then
    .venv/bin/uv pip install -q --python .venv/bin/python --no-deps --require-hashes \
      --target .venv/ucp-2026-01-11 -r requirements-ucp-2026-01-11.lock >&2 || die "the models of UCP 2026-01-11 could not be installed"
  fi
  .venv/bin/uv pip install -q --python .venv/bin/python --no-deps -e . >&2 || die "could not install Lapel itself"
  rm -f .venv/.lapel-*
  : > "$stamp"
}
