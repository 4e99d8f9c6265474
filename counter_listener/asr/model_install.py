"""Installs a Vosk model from the network, from an archive or from a folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from counter_listener.asr.model_archive import CHUNK, NAME, check_part, look_through, unpack
from counter_listener.asr.model_files import ACOUSTIC, bundled
from counter_listener.asr.model_registry import PREFIX, KnownModel, known_model, registry
from counter_listener.asr.model_storage import ORIGIN, ModelOrigin, check_space, lock_models_folder, put, whole
from counter_listener.asr.transfer import TransferProgress
from counter_listener.domain import ModelError, UsageError, _, system_reason

Begin = Callable[[str], TransferProgress]
"""Told what begins now; gives what to tell how far it is."""

DOWNLOADS: Final = ".downloads"
GROWTH: Final = 2
"""Times its archive that a model is reckoned to need once unpacked, until the archive is there and tells."""


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """What the user asked to install, and how."""

    what: str
    """A known model's name, an archive or a folder."""
    name: str | None = None
    """The name to keep it under, instead of its own."""
    sha256: str | None = None
    """Of the archive, as the user knows it; lower case."""
    unverified: bool = False
    """Whether an archive may be taken whose checksum nobody knows."""
    replacing: bool = False
    """Whether another model of that name may go."""
    proxy: str | None = None
    mirror: str | None = None
    """URL of a folder that holds the archives."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has come of it."""

    name: str
    origin: ModelOrigin | None
    """None where nothing was done, as the model is installed already and whole."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One install under way."""

    wish: InstallRequest
    root: Path
    now: datetime
    begin: Begin

    def put(self, name: str, origin: ModelOrigin, size: int, fill: Callable[[Path], None]) -> Outcome:
        def fill_and_tell(into: Path) -> None:
            fill(into)
            self.begin(_("Loading it once"))(0, None)  # what comes now takes a minute with a large model

        check_space(self.root, size)
        done = put(self.root, name, origin, fill_and_tell, replacing=self.wish.replacing)
        return Outcome(name, origin if done else None)

    def origin(self, source: str, sha256: str | None, verified: Literal["registry", "given", "no"]) -> ModelOrigin:
        return ModelOrigin(source, sha256, verified, self.now.isoformat(timespec="seconds"))


def install_model(wish: InstallRequest, now: datetime, begin: Begin, waiting: Callable[[], None]) -> Outcome:
    """Installs what the user asked for; what is installed stays as it is until the new one is whole.

    `now`, aware, is written down beside the model; `waiting` is called where another install is waited for.
    Raises ModelError, UsageError.
    """
    with lock_models_folder(waiting) as root:
        job = _Job(wish, root, now, begin)
        if os.path.isdir(wish.what):  # noqa: PTH112 - Path.is_dir raises on names that are too long
            return _from_folder(job, Path(wish.what).resolve())
        if os.path.isfile(wish.what):  # noqa: PTH113 - the same
            return _from_archive(job, Path(wish.what))
        return _from_network(job, _known(wish.what))


def _known(what: str) -> KnownModel:
    known = known_model(what)
    if known:
        return known
    if what in bundled():
        raise UsageError("{what} ships with the program; there is nothing to install.", what=what)
    names = ", ".join(model.name for model in registry().models)
    raise UsageError(
        "{what!r} is no file, no folder and no model that is known here; known are {names}.", what=what, names=names
    )


def _from_network(job: _Job, known: KnownModel) -> Outcome:
    from counter_listener.asr.model_download import fetch
    from counter_listener.asr.transfer import Wanted, plain

    wish, name = job.wish, _checked_name(job.wish.name or known.name)
    if not wish.replacing and whole(job.root / name):
        return Outcome(name, None)
    sha256 = wish.sha256 or known.sha256
    if not sha256 and not wish.unverified:
        raise UsageError(
            "No checksum of {file} is known, so nothing would show whether the download is what its "
            "makers made; give one that you trust with --sha256, or say --accept-unverified.",
            file=known.file,
        )
    downloads = _downloads(job.root)
    here = sum(file.stat().st_size for file in downloads.glob(f"{known.file}*"))
    check_space(job.root, max(known.size - here, 0) + known.size * GROWTH)
    exact = known.exact and sha256 == known.sha256  # a mirror may hold it packed anew, with a checksum of its own
    wanted = Wanted(f"{_base(wish.mirror)}/{known.file}", known.file, known.size, exact, sha256)
    archive = fetch(wanted, downloads, job.begin(_("Fetching {file}").format(file=known.file)), wish.proxy)
    unchecked = replace(wish, name=name, sha256=sha256)
    try:
        outcome = _from_archive(replace(job, wish=unchecked), archive, plain(wanted.url))
    except ModelError:
        if not sha256:  # it cannot be used, and nothing says that it is the right file
            archive.unlink()
        raise
    archive.unlink()
    return outcome


def _downloads(root: Path) -> Path:
    """Where downloads are kept until they are whole, with nothing in it that no download can go on with."""
    folder = root / DOWNLOADS
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        if not file.name.startswith(tuple(model.file for model in registry().models)):
            file.unlink()  # a temporary file of pooch, from an install that was killed
    return folder


def _base(mirror: str | None) -> str:
    base = mirror or registry().source
    if not base.startswith(("http://", "https://")):
        raise UsageError(
            "--mirror {base!r} is no URL of a folder that holds the archives; write http://HOST/FOLDER.", base=base
        )
    return base.rstrip("/")


def _from_archive(job: _Job, archive: Path, url: str | None = None) -> Outcome:
    try:
        found = _sha256(archive, job.begin(_("Checking the archive")))
    except OSError as error:
        raise ModelError("{archive} cannot be read ({why}).", archive=archive, why=system_reason(error)) from None
    listed = next((model for model in registry().models if model.sha256 == found), None)
    verified = _verified(job.wish, archive, found, listed)
    plan = look_through(archive)
    name = _checked_name(job.wish.name or (listed.name if listed else plan.folder.removeprefix(PREFIX)))
    origin = job.origin(url or str(archive), found, verified)
    return job.put(name, origin, plan.size, lambda into: unpack(plan, into, job.begin(_("Unpacking"))))


def _verified(
    wish: InstallRequest, archive: Path, found: str, listed: KnownModel | None
) -> Literal["registry", "given", "no"]:
    """By whose checksum an archive is right. Raises where it is wrong, or where nobody knows one."""
    if wish.sha256 and wish.sha256 != found:
        raise ModelError(
            "{archive} is damaged or another file: its SHA-256 is {found}, not {sha256}.",
            archive=archive,
            found=found,
            sha256=wish.sha256,
        )
    if listed:
        return "registry"
    if wish.sha256:
        return "given"
    meant = next((model for model in registry().models if model.file == archive.name and model.sha256), None)
    if meant:
        raise ModelError(
            "{archive} is damaged or another file: its SHA-256 is {found}, not {sha256}.",
            archive=archive,
            found=found,
            sha256=meant.sha256,
        )
    if not wish.unverified:
        raise UsageError(
            "No checksum of {archive} is known; its SHA-256 is {found}. Compare it with one that you "
            "trust and give that with --sha256, or say --accept-unverified.",
            archive=archive.name,
            found=found,
        )
    return "no"


def _sha256(archive: Path, moved: TransferProgress) -> str:
    digest, size = hashlib.sha256(), archive.stat().st_size
    with archive.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            moved(file.tell(), size)
    return digest.hexdigest()


def _from_folder(job: _Job, source: Path) -> Outcome:
    if job.wish.sha256:
        raise UsageError("--sha256 is that of an archive; a folder has none.")
    root = job.root.resolve()
    if root in (source, *source.parents) or source in root.parents:
        raise UsageError(
            "{source} is where installed models are, or holds that; give a model's folder elsewhere.", source=source
        )
    name = _checked_name(job.wish.name or source.name.removeprefix(PREFIX))
    try:
        files = _files(source)
        size = sum(file.stat().st_size for file in files)
    except OSError as error:
        raise ModelError(
            "{path} cannot be read ({why}).", path=error.filename or source, why=system_reason(error)
        ) from None
    origin = job.origin(str(source), None, "no")
    return job.put(name, origin, size, lambda into: _copy(source, files, into, job.begin(_("Copying"))))


def _files(source: Path) -> list[Path]:
    """Every file of a model's folder, but for what we noted down in it ourselves. Raises ModelError, OSError."""
    if not (source / ACOUSTIC).is_file():
        raise ModelError("{source} is no model's folder: {acoustic} is missing.", source=source, acoustic=ACOUSTIC)
    found = []
    for folder, folders, names in os.walk(source, onerror=_fail):
        for path in (Path(folder, name) for name in (*folders, *names)):
            if not check_part(path.name):
                raise ModelError(
                    "{source} has a file that some system cannot have: {path!a}.", source=source, path=path.name
                )
            if path.is_symlink() and path.is_dir():
                raise ModelError("{path} is a link to a folder; put the folder itself in its place.", path=path)
        found += [Path(folder, name) for name in names]
    for file in found:
        if not stat.S_ISREG(file.stat().st_mode):
            raise ModelError("{file} is no file; a model has nothing but files and folders.", file=file)
    return [file for file in found if file != source / ORIGIN]


def _fail(error: OSError) -> None:
    raise error


def _copy(source: Path, files: list[Path], into: Path, moved: TransferProgress) -> None:
    total, done = sum(file.stat().st_size for file in files), 0
    for file in files:
        target = into / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        done += target.stat().st_size
        moved(done, total)


def _checked_name(name: str) -> str:
    if name in bundled():
        raise UsageError("{name} is the bundled model's name; keep this one under another with --name.", name=name)
    if not NAME.fullmatch(name) or not check_part(name):
        raise UsageError(
            "A model cannot be called {name!r} here; choose a name of letters, digits, dots and hyphens with --name.",
            name=name,
        )
    return name
