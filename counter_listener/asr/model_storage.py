"""The folder of the user's models: one process at a time changes it, and a model is in it complete or not at all."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from counter_listener.asr.model_check import (
    file_sha256,
    has_all_checksums,
    is_intact,
    read_checksums,
    try_loading,
    verify_model,
)
from counter_listener.asr.model_files import CHECKSUMS, bundled_models, models_folder
from counter_listener.domain import ModelError, UsageError, system_reason

ORIGIN: Final = "installed.json"
"""The file in a model's folder that says where the model came from."""
STAGING: Final = ".staging-"
LOCK: Final = ".lock"
RESERVE: Final = 64 << 20
"""Bytes that stay free on the disk: the record is written there too."""

Verification = Literal["registry", "given", "no"]
"""Which checksum an archive was compared with: one of registry.toml, one given by the user, or none."""


@dataclass(frozen=True, slots=True)
class ModelOrigin:
    """Where an installed model came from."""

    source: str
    """URL, or path of the archive or folder."""
    sha256: str | None
    """SHA-256 of the archive; None for a folder."""
    verified: Verification
    at: str
    """Time of the installation, ISO 8601, UTC."""


@contextmanager
def lock_models_folder(waiting: Callable[[], None]) -> Iterator[Path]:
    """Gives the models folder to this process alone, and creates it if it is missing.

    `waiting` is called if another process holds it and has to be waited for. Raises ModelError.
    """
    from filelock import FileLock, Timeout

    root = models_folder()
    lock = FileLock(root / LOCK)
    try:
        root.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
        for leftover in root.glob(f"{STAGING}*"):  # of an installation that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        yield root
    except (OSError, NotImplementedError) as error:
        raise ModelError("{root} cannot be written ({why}).", root=root, why=system_reason(error)) from None
    finally:
        lock.release()


def check_space(root: Path, size: int) -> None:
    """Raises ModelError if the disk has no room for `size` more bytes and the reserve."""
    free = shutil.disk_usage(root).free
    if size + RESERVE > free:
        raise ModelError(
            "The disk of {root} has {free:,} MB free, and {size:,} MB are needed; make room there, "
            "or put the data folder on another disk.",
            root=root,
            free=free >> 20,
            size=size + RESERVE >> 20,
        )


def store_model(root: Path, name: str, origin: ModelOrigin, fill: Callable[[Path], None], *, replace: bool) -> bool:
    """Lets `fill` write a model into a new folder, checks that libvosk loads it, and moves it to its place.

    Returns False if the same model is already there and intact. Raises ModelError, UsageError, OSError.
    """
    with _staging_folder(root) as folder:
        stage, target = Path(folder), root / name
        new = stage / name
        fill(new)
        _check_usable(new, origin.source)
        (new / ORIGIN).write_text(json.dumps(asdict(origin), ensure_ascii=False, indent=1), encoding="utf-8")
        _write_checksums(new)
        if is_intact(target):
            if _content(target) == _content(new):
                return False
            if not replace:
                raise UsageError(
                    "Another model is installed as {name}; add --replace, or choose a name with --name.", name=name
                )
        _move_into_place(new, target, stage / "old")
    return True


def check_removable(name: str) -> None:
    """Raises UsageError if the user has not installed a model of this name."""
    if name in bundled_models():
        raise UsageError("{name} ships with the program and cannot be removed.", name=name)
    installed = [folder.name for folder in (models_folder().iterdir() if models_folder().is_dir() else ())]
    if name not in installed or name.startswith("."):
        raise UsageError("No model {name!r} is installed; `counter-listener models list` shows which are.", name=name)


def remove_model(root: Path, name: str) -> None:
    """Removes an installed model. Raises OSError."""
    with _staging_folder(root) as stage:
        (root / name).rename(Path(stage, name))


def model_origin(folder: Path) -> ModelOrigin | None:
    """Where an installed model came from; None if it was not installed by `models install`."""
    with suppress(OSError, ValueError, TypeError):
        return ModelOrigin(**json.loads((folder / ORIGIN).read_text(encoding="utf-8")))
    return None


def _staging_folder(root: Path) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder on the same disk, so that a model is moved to its place in one step."""
    return tempfile.TemporaryDirectory(prefix=STAGING, dir=root, ignore_cleanup_errors=True)


def _check_usable(folder: Path, source: str) -> None:
    """Raises ModelError, which names `source`, if libvosk cannot use a model."""
    try:
        verify_model(folder)
        if has_all_checksums(folder):  # they prove that nothing has changed, not that the model ever worked
            try_loading(folder)
    except ModelError as error:
        what = error.sentence.values.get("what", error.sentence)
        raise ModelError("{source} is not a usable model: {what}", source=source, what=what) from None


def _write_checksums(folder: Path) -> None:
    """Writes the checksum list. With it the model need not be loaded for each later check."""
    lines = [
        f"{file_sha256(file)}  {file.relative_to(folder).as_posix()}\n"
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file != folder / CHECKSUMS
    ]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def _content(folder: Path) -> dict[str, str]:
    """The checksums of the files that belong to the model itself."""
    return {name: digest for name, digest in read_checksums(folder).items() if name != ORIGIN}


def _move_into_place(new: Path, target: Path, old: Path) -> None:
    """Moves a folder to its place. The folder that was there before is restored if that fails."""
    exists = target.exists() or target.is_symlink()
    if exists:
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if exists:
            old.rename(target)
        raise
