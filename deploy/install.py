"""Installs Counter Listener from the folder of an offline bundle: in a virtual environment of its own, without network.

    install.py install [--to FOLDER] [--service NAME ...] [--record FILE ...]   install or upgrade
    install.py rollback [--to FOLDER]                                           back to the version before
    install.py uninstall [--to FOLDER]                                          remove the program; records stay
    install.py verify                                                           compare the bundle with its checksums

Each version has a folder of its own, and a new one is tried before it takes the place of the old one. Python's standard
library is all that this file needs. install.sh and install.ps1 call it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).resolve().parent
WINDOWS = os.name == "nt"
SCRIPTS = "Scripts" if WINDOWS else "bin"
EXE = ".exe" if WINDOWS else ""
LAUNCHER = "counter-listener.cmd" if WINDOWS else "counter-listener"
STATE = "installed.json"
UNITS = Path("/etc/systemd/system")
USER_UNITS = Path("/etc/systemd/user")
SERVICES = ("listen", "serve", "send", "watch")


class InstallError(Exception):
    """One sentence that says what is wrong and what to do."""


@dataclass(frozen=True)
class State:
    """Which versions are installed, by the names of their folders."""

    current: str = ""
    previous: str = ""
    services: tuple[str, ...] = ()


def main(words: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 1 with one sentence on standard error."""
    asked = parser().parse_args(words)
    try:
        {"install": install, "rollback": rollback, "uninstall": uninstall, "verify": verify}[asked.action](asked)
    except (InstallError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The actions and options."""
    made = argparse.ArgumentParser(description="Install Counter Listener from this bundle, without a network.")
    made.add_argument("action", choices=("install", "rollback", "uninstall", "verify"))
    made.add_argument("--to", type=Path, default=usual_folder(), help="the folder of the program (%(default)s)")
    made.add_argument("--service", action="append", choices=SERVICES, help="also set up this service; may be repeated")
    made.add_argument("--record", action="append", type=Path, metavar="FILE", help="back up this record before")
    made.add_argument("--units", type=Path, help=argparse.SUPPRESS)
    return made


def usual_folder() -> Path:
    """For everybody if we may write there, else for this user."""
    if WINDOWS:
        everybody = Path(os.environ.get("ProgramFiles", "C:/Program Files"))  # noqa: SIM112 - Windows' own spelling
        mine = Path(os.environ.get("LOCALAPPDATA", everybody)) / "Programs"
        return (everybody if os.access(everybody, os.W_OK) else mine) / "CounterListener"
    return Path("/opt" if os.access("/opt", os.W_OK) else Path.home() / ".local" / "opt") / "counter-listener"


def install(asked: argparse.Namespace) -> None:
    """Installs the bundle beside the version that is there, tries it, and puts it in its place."""
    verify(asked)
    facts = json.loads((HERE / "bundle.json").read_text(encoding="utf-8"))
    check_machine(facts)
    to, before = asked.to.resolve(), read_state(asked.to)
    name = free_name(to, facts["version"])
    folder = to / "versions" / name
    try:
        make_environment(folder)
        run([program(folder), "--version"], "the program does not start")
        run([program(folder), "demo"], "the program does not recognise the bundled recordings")
        back_up(to, before, asked.record or ())
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    services = tuple(dict.fromkeys((*before.services, *(asked.service or ()))))
    put_in_place(to, State(name, before.current, services), asked)
    keep_only(to, {name, before.current})
    print(f"Counter Listener {name} is installed: {to / 'bin' / LAUNCHER}")


def check_machine(facts: dict[str, str]) -> None:
    """Raises InstallError if the bundle is for another system or another Python."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if facts["python"] != here:
        raise InstallError(f"this bundle is for Python {facts['python']}, not {here}; run it with that one.")
    if (facts["platform"] == "win_amd64") != WINDOWS or sys.maxsize < 2**32:
        raise InstallError(f"this bundle is for {facts['platform']}, 64 bits; take the one for this system.")


def free_name(to: Path, version: str) -> str:
    """The version, with a number behind it if it is there already: what runs is never overwritten."""
    names = [version, *(f"{version}+{number}" for number in range(2, 1000))]
    return next(name for name in names if not (to / "versions" / name).exists())


def make_environment(folder: Path) -> None:
    """A virtual environment with the wheels of the bundle, each checked by its hash, and no index reached."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    own_pip = not succeeds([sys.executable, "-m", "pip", "--version"])
    made = [sys.executable, "-m", "venv", *([] if own_pip else ["--without-pip"]), str(folder)]
    run(made, "Python's venv module is not complete (on Debian and Ubuntu: apt install python3-venv python3-pip)")
    python = str(folder / SCRIPTS / f"python{EXE}")
    pip = [python, "-m", "pip"] if own_pip else [sys.executable, "-m", "pip", "--python", python]
    offline = ["--no-index", "--find-links", str(HERE / "wheels"), "--no-cache-dir", "--disable-pip-version-check"]
    hashed = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(HERE / "requirements.txt")]
    run([*pip, "install", "--quiet", *offline, *hashed], "the wheels cannot be installed")
    run([*pip, "check"], "the wheels do not fit together")


def program(folder: Path) -> str:
    return str(folder / SCRIPTS / f"counter-listener{EXE}")


def run(command: Sequence[str], what: str) -> None:
    """Runs a program without a package index. Raises InstallError with the last line that it wrote."""
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PYTHONUTF8": "1"}
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", check=False, env=environment
    )
    if done.returncode:
        told = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise InstallError(f"{what}: {told}")


def succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def back_up(to: Path, before: State, records: Sequence[Path]) -> None:
    """Copies records with the version that wrote them; the new one may bring them to a schema that it cannot read."""
    for record in records if before.current else ():
        target = to / "backups" / before.current / record.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            old = program(to / "versions" / before.current)
            run([old, "backup", str(target), "--store", str(record)], f"{record} cannot be backed up")
        print(f"{record} as {before.current} left it: {target}")


def put_in_place(to: Path, state: State, asked: argparse.Namespace) -> None:
    """Makes a version the one that starts, and sets up its services."""
    target = program(to / "versions" / state.current)
    text = f'@"{target}" %*\r\n' if WINDOWS else f'#!/bin/sh\nexec "{target}" "$@"\n'
    write(to / "bin" / LAUNCHER, text, 0o755)
    write(to / STATE, json.dumps(asdict(state), indent=1) + "\n")
    if WINDOWS:
        set_up_tasks(to, state)
        run(shortcut_command(to), "the shortcut cannot be made")
    else:
        set_up_units(to, state.services, asked.units)
        write_entry(to)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Writes a file that replaces the old one only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="")
    part.chmod(mode)
    part.replace(path)


def shortcut_command(to: Path, *more: str) -> list[str]:
    """The command that makes the shortcut on the desktop; with -Remove, that removes it."""
    script = HERE / "windows" / "shortcut.ps1"
    return ["powershell", "-NoProfile", "-ExecutionPolicy", "Bypass", "-File", str(script), "-Folder", str(to), *more]


def set_up_units(to: Path, services: Sequence[str], units: Path | None) -> None:
    """Installs the units of systemd with the paths of this program; starting them is left to the administrator."""
    if not services:
        return
    for name in services:
        for source in sorted((HERE / "systemd").glob(f"counter-listener-{name}*.service")):
            text = source.read_text(encoding="utf-8").replace("/opt/counter-listener", str(to))
            folder = USER_UNITS if name == "listen" and source.stem.endswith("-desktop") else UNITS
            write((units or folder) / source.name, text)
    if units is None:
        users = HERE / "systemd" / "counter-listener.sysusers"
        run(["systemd-sysusers", str(users)], "the account of the services cannot be made")
        run(["systemctl", "daemon-reload"], "systemd did not read the units")
    names = " ".join(f"counter-listener-{name}" for name in services)
    print(f"Set the services up in /etc/counter-listener, then: systemctl enable --now {names}")


def set_up_tasks(to: Path, state: State) -> None:
    """Registers the tasks of Windows with the paths of this version."""
    for name in state.services:
        text = task_text(name, to, state)
        file = to / "tasks" / f"{name}.xml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode("utf-16"))
        run(["schtasks", "/Create", "/F", "/TN", task_name(name), "/XML", str(file)], f"the task {name} was refused")


def task_name(service: str) -> str:
    """Under which name the Task Scheduler knows a service."""
    return f"Counter Listener\\{service}"


def task_text(name: str, to: Path, state: State) -> str:
    """The task of a service, with the paths of a version."""
    python = to / "versions" / state.current / SCRIPTS / f"pythonw{EXE}"
    source = Template((HERE / "windows" / f"{name}.xml").read_text(encoding="utf-8"))
    return source.substitute(python=escaped(str(python)), folder=escaped(str(to)))


def escaped(text: str) -> str:
    """Text as it stands in XML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def write_entry(to: Path) -> None:
    """The entry in the menu of the desktop, for everybody or for this user."""
    source = HERE / "linux" / "counter-listener.desktop"
    if source.exists():
        text = source.read_text(encoding="utf-8").replace("/opt/counter-listener", str(to))
        write(entry_file(to), text)


def entry_file(to: Path) -> Path:
    """Where the desktop looks for the entry: for an installation of this user in the home, else for everybody."""
    name = Path("applications", "counter-listener.desktop")
    home = Path.home() / ".local"
    if to.is_relative_to("/opt"):
        return "/usr/local/share" / name
    return (home if to.is_relative_to(home) else to) / "share" / name


def keep_only(to: Path, names: set[str]) -> None:
    """Removes the versions that no rollback needs."""
    for folder in (to / "versions").iterdir():
        if folder.name not in names:
            shutil.rmtree(folder, ignore_errors=True)


def rollback(asked: argparse.Namespace) -> None:
    """Puts the version before in place again; once more puts the newer one back."""
    to = asked.to.resolve()
    state = read_state(to)
    if not state.previous or not (to / "versions" / state.previous).is_dir():
        raise InstallError(f"{to} holds no version before {state.current or 'the first one'}.")
    put_in_place(to, replace(state, current=state.previous, previous=state.current), asked)
    print(
        f"Counter Listener {state.previous} is in place again. It cannot open a record that {state.current} upgraded:"
    )
    print(f"put such a record back from {to / 'backups' / state.previous}, or from your own backup.")


def uninstall(asked: argparse.Namespace) -> None:
    """Removes the program and its services; records, settings and keys stay."""
    to = asked.to.resolve()
    state = read_state(to)
    if not state.current:
        raise InstallError(f"{to} holds no installation of this program; name its folder with --to.")
    for name in state.services:
        remove_service(name, asked.units)
    if WINDOWS:
        succeeds(shortcut_command(to, "-Remove"))
    else:
        entry_file(to).unlink(missing_ok=True)
    for name in ("versions", "bin", "tasks", "share"):
        shutil.rmtree(to / name, ignore_errors=True)
    if (to / "versions").exists():
        raise InstallError(f"{to / 'versions'} is in use; stop the program, then uninstall again.")
    (to / STATE).unlink()
    if not any(to.iterdir()):
        to.rmdir()
    print("The program is removed. Records, settings, keys and backups were left where they are.")


def remove_service(name: str, units: Path | None) -> None:
    """Stops a service and takes its unit or its task away."""
    if WINDOWS:
        succeeds(["schtasks", "/Delete", "/F", "/TN", task_name(name)])
        return
    for folder in (units,) if units else (UNITS, USER_UNITS):
        for file in folder.glob(f"counter-listener-{name}*.service"):
            if units is None:
                succeeds(["systemctl", "disable", "--now", file.stem.rstrip("@")])
            file.unlink()
    if units is None:
        succeeds(["systemctl", "daemon-reload"])


def read_state(to: Path) -> State:
    """What is installed in a folder."""
    file = to / STATE
    if not file.exists():
        return State()
    facts = json.loads(file.read_text(encoding="utf-8"))
    return State(facts["current"], facts["previous"], tuple(facts["services"]))


def verify(_asked: argparse.Namespace) -> None:
    """Raises InstallError if a file of the bundle is missing, changed, or was added."""
    listed = {}
    for line in (HERE / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ", 1)
        listed[name] = digest
    names = {file.relative_to(HERE).as_posix() for file in HERE.rglob("*") if file.is_file() and not scratch(file)}
    for name in sorted(names ^ (listed.keys() | {"SHA256SUMS"})):
        raise InstallError(
            f"{name} was {'added' if name in names else 'lost'}; unpack the bundle again, in a new folder."
        )
    for name, digest in listed.items():
        if hashlib.sha256((HERE / name).read_bytes()).hexdigest() != digest:
            raise InstallError(f"{name} is not the file that was packed; fetch the bundle again.")


def scratch(file: Path) -> bool:
    """Whether Python made a file by itself."""
    return "__pycache__" in file.parts


if __name__ == "__main__":
    sys.exit(main())
