"""A bundle in small: the real installer, and a program of a few lines in a wheel that is made here."""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from pathlib import Path
from typing import Final

from bundle_lock import Target
from offline_bundle import fill, pack

PROGRAM: Final = """
import pathlib, sys

def main():
    words = sys.argv[1:]
    if words == ["--version"]:
        print("VERSION")
    elif words[:1] == ["backup"]:
        pathlib.Path(words[1]).write_text("VERSION backed up " + pathlib.Path(words[3]).read_text())
    elif words == ["demo"]:
        sys.exit(DEMO)
"""
HERE: Final = f"{sys.version_info.major}.{sys.version_info.minor}"


def small_bundle(folder: Path, version: str, *, python: str = HERE, demo: int = 0) -> Path:
    """The folder of an unpacked bundle of a version; its program's `demo` ends with this exit code."""
    work = folder / "made" / version
    (work / "wheels").mkdir(parents=True)
    wheel = make_wheel(work / "wheels", version, demo)
    fill(work, Target("manylinux", python), wheel)
    with zipfile.ZipFile(pack(work, folder / f"{version}.zip")) as packed:
        packed.extractall(folder)
    return folder / version


def make_wheel(folder: Path, version: str, demo: int) -> Path:
    """A wheel of a package with a program that is called as ours is."""
    info = f"counter_listener-{version}.dist-info"
    files = {
        "small_program.py": PROGRAM.replace("VERSION", version).replace("DEMO", str(demo)),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: counter-listener\nVersion: {version}\nLicense: MIT\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ncounter-listener = small_program:main\n",
    }
    digests = {name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()) for name, text in files.items()}
    record = "".join(f"{name},sha256={digests[name].decode().rstrip('=')},{len(files[name])}\n" for name in files)
    wheel = folder / f"counter_listener-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            packed.writestr(zipfile.ZipInfo(name), text)
    return wheel
