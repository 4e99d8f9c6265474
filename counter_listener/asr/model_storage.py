"""The user's folder of models: one at a time changes it, and a model is in it whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from counter_listener.asr.model_files import (
    CHECKSUMS,
    bundled,
    checksums,
    models_folder,
    verify_by_loading,
    verify_model,
)
from counter_listener.domain import ModelError, UsageError, system_reason

ORIGIN: Final = "installed.json"
"""Where a model came from, beside its files."""
STAGING: Final = ".staging-"
LOCK: Final = ".lock"
SPARE: Final = 64 << 20
"""Bytes that stay free on the disk: the record is written there too."""

Fill = Callable[[Path], None]
"""Writes a model's files into a folder that is not there yet."""


@dataclass(frozen=True, slots=True)
class ModelOrigin:
    """Where an installed model came from."""

    source: str
    """URL, or path of the archive or folder."""
    sha256: str | None
    """Of the archive; None for a folder."""
    verified: Literal["registry", "given", "no"]
    """By whose checksum: one of registry.toml, one that the user gave, or none."""
    at: str
    """When, ISO 8601, UTC."""


@contextmanager
def lock_models_folder(waiting: Callable[[], None]) -> Iterator[Path]:
    """The models folder, made where it is missing, to this process alone until the end.

    `waiting` is called where another process has it and is waited for. Raises ModelError.
    """
    from filelock import FileLock, Timeout

    root = models_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
    except (OSError, NotImplementedError) as error:
        raise ModelError("{root} cannot be written ({why}).", root=root, why=system_reason(error)) from None
    try:
        for left in root.glob(f"{STAGING}*"):  # of an install that was killed
            shutil.rmtree(left, ignore_errors=True)
        yield root
    except OSError as error:
        raise ModelError("{root} cannot be written ({why}).", root=root, why=system_reason(error)) from None
    finally:
        lock.release()


def check_space(root: Path, size: int) -> None:
    """Raises ModelError where `size` more bytes would not leave the disk enough to go on with."""
    free = shutil.disk_usage(root).free
    if size + SPARE > free:
        raise ModelError(
            "The disk of {root} has {free:,} MB free, and {size:,} MB are needed; make room there, "
            "or keep the data folder on another disk.",
            root=root,
            free=free >> 20,
            size=size + SPARE >> 20,
        )


def put(root: Path, name: str, origin: ModelOrigin, fill: Fill, *, replacing: bool) -> bool:
    """Fills a folder beside, proves that libvosk loads it, and moves it into place whole.

    Gives False where the very same model is there already and whole. Raises ModelError, UsageError, OSError.
    """
    with _staged(root) as stage:
        new, target = stage / name, root / name
        fill(new)
        _prove(new, origin.source)
        (new / ORIGIN).write_text(json.dumps(asdict(origin), ensure_ascii=False, indent=1), encoding="utf-8")
        _list_checksums(new)
        if whole(target):
            if _parts(target) == _parts(new):
                return False
            if not replacing:
                raise UsageError(
                    "Another model is installed as {name}; say --replace, or choose a name with --name.", name=name
                )
        _exchange(new, target, stage / "old")
    return True


def whole(folder: Path) -> bool:
    """Whether an installed model is there and undamaged."""
    if not folder.exists():
        return False
    try:
        verify_model(folder)
    except ModelError:
        return False
    return True


def check_removable(name: str) -> None:
    """Raises UsageError where no model of this name was installed by the user."""
    if name in bundled():
        raise UsageError("{name} ships with the program and stays.", name=name)
    mine = [folder.name for folder in (models_folder().iterdir() if models_folder().is_dir() else ())]
    if name not in mine or name.startswith("."):
        raise UsageError("No model {name!r} is installed; `counter-listener models list` shows which are.", name=name)


def remove_model(root: Path, name: str) -> None:
    """Removes an installed model. Raises OSError."""
    with _staged(root) as stage:
        (root / name).rename(stage / name)


def model_origin(folder: Path) -> ModelOrigin | None:
    """Where an installed model came from; None where it was not installed by us."""
    with suppress(OSError, ValueError, TypeError):
        return ModelOrigin(**json.loads((folder / ORIGIN).read_text(encoding="utf-8")))
    return None


@contextmanager
def _staged(root: Path) -> Iterator[Path]:
    """A folder on the same disk, gone at the end, from which a move into place is one step."""
    stage = Path(tempfile.mkdtemp(prefix=STAGING, dir=root))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _prove(folder: Path, source: str) -> None:
    """Raises ModelError, which names what it was filled from, where libvosk cannot use a model."""
    try:
        verify_model(folder)
        verify_by_loading(folder)  # a list of checksums proves that nothing changed, not that it ever worked
    except ModelError as error:
        raise ModelError(
            "{source} holds no model that can be used: {what}",
            source=source,
            what=error.sentence.values.get("what", error.sentence),
        ) from None


def _list_checksums(folder: Path) -> None:
    """Writes the list to which the model is held from now on, instead of loading it once more at each start."""
    lines = []
    for file in sorted(file for file in folder.rglob("*") if file.is_file() and file != folder / CHECKSUMS):
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        lines.append(f"{digest}  {file.relative_to(folder).as_posix()}\n")
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def _parts(folder: Path) -> dict[str, str]:
    """The checksums of what a model consists of."""
    return {name: digest for name, digest in checksums(folder).items() if name != ORIGIN}


def _exchange(new: Path, target: Path, old: Path) -> None:
    """Moves a folder into place; what was there before comes back if that fails."""
    there = target.exists() or target.is_symlink()
    if there:
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if there:
            old.rename(target)
        raise
