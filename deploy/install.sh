#!/bin/sh
# Installs, upgrades, rolls back or removes Counter Listener from this bundle, without a network:
#   sh install.sh install --service serve
# install.py does the work and tells its options: sh install.sh --help
set -eu
here=$(cd "$(dirname "$0")" && pwd)
wanted=$(sed -n 's/.*"python": "\([0-9.]*\)".*/\1/p' "$here/bundle.json")
for python in "python$wanted" python3; do
    if command -v "$python" >/dev/null 2>&1 &&
        "$python" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$wanted')"; then
        exec "$python" "$here/install.py" "$@"
    fi
done
echo "Error: Python $wanted is needed and was not found; install it, or take the bundle for the Python that is here." >&2
exit 1
