"""What a computer of a certain kind needs of the lock file, and whether the wheels at hand are that.

pip evaluates the markers of a requirement on the computer where it runs, so a bundle for another system cannot leave
them to pip: they are evaluated here, for the system and the Python of the target.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename

OLDEST_GLIBC, NEWEST_GLIBC = 5, 28
"""Of manylinux_2_x. 2.28 is that of Debian 10, Ubuntu 18.10 and RHEL 8, and of what is newer."""
LEGACY: Final = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
BUILT_HERE: Final = frozenset(map(canonicalize_name, ("sdnotify", "srt")))
"""What has no wheel: the source is checked by its hash, and the wheel is built where the bundle is made."""
BUILD_ONLY: Final = frozenset(map(canonicalize_name, ("editables", "hatchling", "trove-classifiers", "pathspec")))
"""What only a build needs; the bundle holds a wheel that is built."""


class BundleError(Exception):
    """One sentence that says why there is no bundle."""


@dataclass(frozen=True, slots=True)
class Target:
    """The kind of computer that a bundle is for."""

    platform: str
    """`win_amd64` or `manylinux`, as the option of the tool has it."""
    python: str
    """Major and minor version, such as 3.12."""

    @property
    def platforms(self) -> list[str]:
        """The platform tags of wheels that fit, the best first."""
        if self.platform == "win_amd64":
            return ["win_amd64"]
        return list(_manylinux())

    @property
    def markers(self) -> dict[str, str]:
        """What the markers of the lock file ask about the target."""
        windows = self.platform == "win_amd64"
        return {
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "os_name": "nt" if windows else "posix",
            "sys_platform": "win32" if windows else "linux",
            "platform_system": "Windows" if windows else "Linux",
            "platform_machine": "AMD64" if windows else "x86_64",
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "implementation_version": f"{self.python}.0",
        }

    def tags(self) -> frozenset[Tag]:
        """Every tag of a wheel that can be installed there."""
        major, minor = map(int, self.python.split("."))
        version, interpreter = (major, minor), f"cp{major}{minor}"
        fitting = [*cpython_tags(version, platforms=self.platforms)]
        return frozenset([*fitting, *compatible_tags(version, interpreter, self.platforms)])


def _manylinux() -> Iterator[str]:
    for minor in range(NEWEST_GLIBC, OLDEST_GLIBC - 1, -1):
        yield f"manylinux_2_{minor}_x86_64"
        if minor in LEGACY:
            yield f"{LEGACY[minor]}_x86_64"


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of the lock file, with the hashes of all its files."""

    name: NormalizedName
    version: str
    hashes: tuple[str, ...]
    """SHA-256 in hex."""

    @property
    def line(self) -> str:
        """As a line of a requirements file."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{one}" for one in self.hashes)])


def locked_for(lock: str, target: Target) -> list[Locked]:
    """The packages that the target needs, in the order of the lock file. Raises BundleError."""
    found = {}
    for line in _entries(lock):
        text, *hashes = line.split(" --hash=sha256:")
        requirement = Requirement(text.strip())
        if requirement.marker is not None and not requirement.marker.evaluate(dict(target.markers)):
            continue
        name = canonicalize_name(requirement.name)
        (pin,) = requirement.specifier
        if pin.operator != "==" or not hashes or name in found:
            raise BundleError(f"{text.strip()} of the lock file is not one version with hashes; make the file anew.")
        if name not in BUILD_ONLY:
            found[name] = Locked(name, pin.version, tuple(one.strip() for one in hashes))
    return list(found.values())


def _entries(lock: str) -> Iterator[str]:
    """The requirements of a lock file, each on one line, without comments."""
    joined = lock.replace("\\\n", " ")
    for line in joined.splitlines():
        text = " ".join(line.partition(" #")[0].split())
        if text and not text.startswith("#"):
            yield text


def missing(locked: Iterable[Locked], wheels: Sequence[Path], target: Target) -> list[str]:
    """What the wheels lack or have wrong, one sentence each; none if the target can be installed from them."""
    by_name: dict[NormalizedName, list[Path]] = {}
    for wheel in wheels:
        by_name.setdefault(parse_wheel_filename(wheel.name)[0], []).append(wheel)
    fitting = target.tags()
    return [fault for one in locked for fault in _faults(one, by_name.get(one.name, []), fitting)]


def _faults(one: Locked, wheels: Sequence[Path], fitting: frozenset[Tag]) -> Iterator[str]:
    named = {wheel: parse_wheel_filename(wheel.name) for wheel in wheels}
    usable = [w for w, (_, version, _, tags) in named.items() if str(version) == one.version and tags & fitting]
    if not usable:
        yield f"{one.name} {one.version} has no wheel that fits"
    for wheel in usable if one.name not in BUILT_HERE else ():
        if sha256(wheel) not in one.hashes:
            yield f"{wheel.name} is not the file of the lock file"


def sha256(path: Path) -> str:
    """SHA-256 of a file in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def requirements(wheels: Sequence[Path]) -> str:
    """A requirements file of exactly these wheels, each with its hash."""
    named = [(*parse_wheel_filename(wheel.name)[:2], sha256(wheel)) for wheel in sorted(wheels)]
    return "".join(f"{name}=={version} --hash=sha256:{digest}\n" for name, version, digest in named)
