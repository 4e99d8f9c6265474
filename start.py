"""Sets up a virtual environment in .venv beside this file, and runs the program, its demo or its tests in it.

    python3 start.py demo                 check the bundled recordings
    python3 start.py pages                show what supervisors see in the browser, on the bundled recordings
    python3 start.py test                 linter, type checker and tests
    python3 start.py check RECORDING...   any other words go to counter-listener

It needs Python 3.11 or newer and nothing else. It installs the versions of the lock files, each checked by its hash,
into .venv and nowhere else, so it needs no administrator rights.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."))
"""What takes a second, before the type checker and the tests."""


def main() -> int:
    """The exit code of what was asked for."""
    if sys.version_info < (3, 11):  # noqa: UP036 - it may well be started by an older one
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    asked = sys.argv[1:]
    if not asked:
        print(__doc__)
        return 2
    testing = asked[0] == "test"
    if not set_up(HERE / ("requirements-test.lock" if testing else "requirements.lock")):
        return 2
    if testing:
        return run_checks(asked[1:])
    if asked[0] == "pages":
        asked = ["serve", "--demo", *asked[1:]]
    return call_and_wait([PYTHON, "-m", "counter_listener", *asked])


def call_and_wait(command: list[str | Path]) -> int:
    """The exit code of a program. Ctrl-C is for the program, which ends in its own way."""
    with subprocess.Popen(command) as program:
        while True:
            try:
                return program.wait()
            except KeyboardInterrupt:
                continue


def set_up(lock: Path) -> bool:
    """Makes .venv and installs the locked packages and this checkout into it; on failure prints why, returns False."""
    installed = "".join(file.read_text(encoding="utf-8") for file in (HERE / "pyproject.toml", lock))
    wanted = hashlib.sha256(installed.encode()).hexdigest()
    done = VENV / f"installed-{lock.stem}"
    if PYTHON.exists() and done.exists() and done.read_text() == wanted:
        return True
    print("Setting up .venv (the first time takes a minute) ...", file=sys.stderr)
    if not PYTHON.exists() and not make_environment():
        print(
            "Python's venv module is not complete here; on Debian and Ubuntu: apt install python3-venv",
            file=sys.stderr,
        )
        return False
    install = [*pip(), "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.call([*install, "--require-hashes", "--requirement", str(lock)]):
        return False
    if subprocess.call([*install, "--no-deps", "--no-build-isolation", "--editable", str(HERE)]):
        return False
    done.write_text(wanted)
    return True


def make_environment() -> bool:
    """A virtual environment, with a pip of its own or else within reach of this Python's pip."""
    for options in ([], ["--without-pip"]):
        shutil.rmtree(VENV, ignore_errors=True)
        made = subprocess.run([sys.executable, "-m", "venv", *options, VENV], capture_output=True, check=False)
        if made.returncode == 0 and works([*pip(), "--version"]):
            return True
    shutil.rmtree(VENV, ignore_errors=True)
    return False


def pip() -> list[str]:
    """The pip that installs into .venv: its own, else this Python's (22.3 or newer), which can reach into it."""
    own = [str(PYTHON), "-m", "pip"]
    return own if works([*own, "--version"]) else [sys.executable, "-m", "pip", "--python", str(PYTHON)]


def works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def run_checks(options: list[str]) -> int:
    """Linter, formatter, type checker and tests; options go to pytest. The first that fails gives the exit code.

    The type checker uses one core for half a minute, so the tests do not wait for it.
    """
    for check in CHECKS:
        print(f"-- {' '.join(check)}", file=sys.stderr, flush=True)
        if code := subprocess.call([PYTHON, "-m", *check], cwd=HERE):
            return code
    print("-- mypy, pytest", file=sys.stderr, flush=True)
    with subprocess.Popen([PYTHON, "-m", "mypy"], cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as types:
        tested = subprocess.call([PYTHON, "-m", "pytest", *options], cwd=HERE)
        told, _ = types.communicate()
    sys.stdout.flush()
    sys.stdout.buffer.write(told)
    return types.returncode or tested


if __name__ == "__main__":
    sys.exit(main())
