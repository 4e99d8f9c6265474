"""Makes one zip from which Counter Listener is installed on a computer without a network.

    python tools/offline_bundle.py --platform win_amd64 --python 3.13 -o dist
    python tools/offline_bundle.py --platform manylinux --python 3.11

It holds the wheels of the lock file, each checked by its hash, the program's own wheel with the speech model, the
installer, a bill of materials and checksums. The same sources give the same bytes. Run it in a checkout, with the
environment that `start.py test` makes, where a package index is reached.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bundle_lock import BUILT_HERE, BundleError, Locked, Target, locked_for, missing, requirements, sha256
from bundle_sbom import bill_of_materials

TOP: Final = Path(__file__).resolve().parent.parent
LOCK: Final = TOP / "requirements.lock"
DEPLOY: Final = TOP / "deploy"
PLATFORMS: Final = ("win_amd64", "manylinux")
PYTHONS: Final = ("3.11", "3.12", "3.13")
MADE: Final = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "1767225600")), UTC)
"""The time that every file in a bundle has: that of the sources if SOURCE_DATE_EPOCH says it, else a fixed one."""
LEFT_OUT: Final = {
    "win_amd64": ("install.sh", "systemd", "container", "linux"),
    "manylinux": ("install.ps1", "windows"),
}
"""What of deploy/ the other system has no use for."""


def main(words: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 1 with one sentence on standard error."""
    asked = parser().parse_args(words)
    target = Target(asked.platform, asked.python)
    try:
        print(make_bundle(target, asked.output))
    except BundleError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(description="Make an offline bundle: one zip to install from without a network.")
    made.add_argument("--platform", choices=PLATFORMS, required=True)
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    known = f"{', '.join(PYTHONS)}; default: that of this Python"
    made.add_argument("--python", choices=PYTHONS, default=here, help=f"the Python on the target ({known})")
    made.add_argument("-o", "--output", type=Path, default=Path("dist"), help="the folder for the zip")
    return made


def make_bundle(target: Target, output: Path) -> Path:
    """The zip for a target in the folder `output`. Raises BundleError."""
    locked = locked_for(LOCK.read_text(encoding="utf-8"), target)
    with tempfile.TemporaryDirectory(prefix="bundle-") as work:
        program = build_program(Path(work))
        name = f"{program.name.split('-py3')[0].replace('_', '-', 1)}-{target.platform}-py{target.python}"
        folder = Path(work, name)
        wheels = folder / "wheels"
        wheels.mkdir(parents=True)
        fetch_wheels(locked, target, wheels)
        if faults := missing(locked, sorted(wheels.iterdir()), target):
            raise BundleError(f"the wheels are not complete: {'; '.join(faults)}.")
        shutil.copy(program, wheels)
        fill(folder, target, wheels / program.name)
        output.mkdir(parents=True, exist_ok=True)
        return pack(folder, output / f"{name}.zip")


def build_program(work: Path) -> Path:
    """Our own wheel, built in the checkout. Raises BundleError."""
    call([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(work / "own")], "the program")
    (wheel,) = (work / "own").glob("*.whl")
    return wheel


def fetch_wheels(locked: Sequence[Locked], target: Target, wheels: Path) -> None:
    """Downloads the wheels of the lock file, and builds those that nobody publishes. Raises BundleError."""
    with tempfile.TemporaryDirectory(prefix="lock-") as folder:
        ready = written(Path(folder, "wheels.txt"), [one for one in locked if one.name not in BUILT_HERE])
        sources = written(Path(folder, "sources.txt"), [one for one in locked if one.name in BUILT_HERE])
        fits = [word for platform in target.platforms for word in ("--platform", platform)]
        fits += ["--python-version", target.python, "--implementation", "cp"]
        common = ["--no-deps", "--require-hashes", "--quiet", "--disable-pip-version-check"]
        pip = [sys.executable, "-m", "pip"]
        call([*pip, "download", *common, "--only-binary", ":all:", *fits, "-d", str(wheels), "-r", ready], "the wheels")
        if sources:
            built = ["--no-binary", ":all:", "--no-cache-dir", "-w", str(wheels), "-r", sources]
            call([*pip, "wheel", *common, *built], "what has no wheel")


def written(path: Path, locked: Iterable[Locked]) -> str:
    """The name of a requirements file with these packages; empty if there are none."""
    text = "".join(f"{one.line}\n" for one in locked)
    path.write_text(text, encoding="utf-8")
    return str(path) if text else ""


def call(command: Sequence[str], what: str) -> None:
    """Runs a program. Raises BundleError with the last line that it wrote."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(int(MADE.timestamp()))}
    done = subprocess.run(command, cwd=TOP, capture_output=True, encoding="utf-8", check=False, env=environment)
    if done.returncode:
        told = (done.stderr.strip() or done.stdout.strip() or "no reason was given").splitlines()
        said = next((line for line in reversed(told) if line.startswith("ERROR")), told[-1])
        raise BundleError(f"{what} could not be had: {said}")


def fill(folder: Path, target: Target, program: Path) -> None:
    """Writes what lies beside the wheels: installer, requirements, what the bundle is, materials, checksums."""
    wheels = sorted(program.parent.iterdir())
    skipped = shutil.ignore_patterns(*LEFT_OUT[target.platform], "__pycache__")
    shutil.copytree(DEPLOY, folder, ignore=skipped, dirs_exist_ok=True)
    (folder / "requirements.txt").write_text(requirements(wheels), encoding="utf-8", newline="\n")
    facts = {"version": program.name.split("-")[1], "platform": target.platform, "python": target.python}
    (folder / "bundle.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8", newline="\n")
    (folder / "sbom.cdx.json").write_text(bill_of_materials(wheels, program, MADE), encoding="utf-8", newline="\n")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    sums = "".join(f"{sha256(file)}  {file.relative_to(folder).as_posix()}\n" for file in files)
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8", newline="\n")


def pack(folder: Path, target: Path) -> Path:
    """A zip of a folder, whose bytes depend on its files alone; beside it a file with its checksum."""
    part = target.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as packed:
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            entry = zipfile.ZipInfo(f"{folder.name}/{file.relative_to(folder).as_posix()}", MADE.timetuple()[:6])
            entry.external_attr = (0o755 if file.suffix == ".sh" else 0o644) << 16
            entry.compress_type = zipfile.ZIP_STORED if file.suffix == ".whl" else zipfile.ZIP_DEFLATED
            packed.writestr(entry, file.read_bytes())
    part.replace(target)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    target.with_name(f"{target.name}.sha256").write_text(f"{digest}  {target.name}\n", encoding="utf-8", newline="\n")
    return target


if __name__ == "__main__":
    sys.exit(main())
