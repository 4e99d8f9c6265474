"""Installs a Vosk model from the network, from an archive or from a folder."""

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from counter_listener.asr.model_archive import MODEL_NAME, TransferProgress, inspect_archive, is_portable_name, unpack
from counter_listener.asr.model_check import file_sha256, is_intact
from counter_listener.asr.model_files import (
    ACOUSTIC_MODEL,
    VOSK_PREFIX,
    KnownModel,
    bundled_models,
    known_model,
    registry,
)
from counter_listener.asr.model_storage import (
    ORIGIN,
    ModelOrigin,
    Verification,
    check_space,
    lock_models_folder,
    store_model,
)
from counter_listener.domain import ModelError, UsageError, _, system_reason

BeginStep = Callable[[str], TransferProgress]
"""Called with the title of a step that begins; returns what is called with the progress of the step."""

Installed = tuple[str, ModelOrigin | None]
"""A model's name and where it came from; None if nothing was done, because it is already installed and intact."""

DOWNLOADS: Final = ".downloads"
UNPACKED_RATIO: Final = 2
"""Assumed size of a model relative to its archive, until the archive is there and says it."""


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """What the user wants to install, and how."""

    what: str
    """The name of a known model, or the path of an archive or a folder."""
    name: str | None = None
    """The name to install it under instead of its own."""
    sha256: str | None = None
    """SHA-256 of the archive as the user knows it, in lower case."""
    unverified: bool = False
    """Whether an archive without a known checksum is accepted."""
    replacing: bool = False
    """Whether another model of that name may be replaced."""
    proxy: str | None = None
    """URL of a proxy."""
    mirror: str | None = None
    """URL of a folder that holds the archives."""


def install_model(request: InstallRequest, now: datetime, begin: BeginStep, waiting: Callable[[], None]) -> Installed:
    """Installs a model. What is already installed stays unchanged until the new model is complete.

    `now`, with a time zone, is written to the model's folder. `waiting` is called if another installation has to be
    waited for. Raises ModelError, UsageError.
    """
    with lock_models_folder(waiting) as root:
        installation = _Installation(request, root, now, begin)
        if os.path.isdir(request.what):  # noqa: PTH112 - Path.is_dir raises on names that are too long
            return installation.from_folder(Path(request.what).resolve())
        if os.path.isfile(request.what):  # noqa: PTH113 - the same
            return installation.from_archive(Path(request.what))
        return installation.from_network(_find_known(request.what))


@dataclass(frozen=True, slots=True)
class _Installation:
    request: InstallRequest
    root: Path
    now: datetime
    begin: BeginStep

    def from_network(self, known: KnownModel) -> Installed:
        from counter_listener.asr.model_download import Download

        request, name = self.request, _checked_name(self.request.name or known.name)
        if not request.replacing and is_intact(self.root / name):
            return name, None
        sha256 = request.sha256 or known.sha256
        if not sha256 and not request.unverified:
            raise UsageError(
                "No checksum of {file} is known, so the download cannot be verified; "
                "give a checksum that you trust with --sha256, or add --accept-unverified.",
                file=known.file,
            )
        downloads = self.root / DOWNLOADS
        downloads.mkdir(exist_ok=True)
        present = sum(file.stat().st_size for file in downloads.glob(f"{known.file}*"))
        check_space(self.root, max(known.size - present, 0) + known.size * UNPACKED_RATIO)
        exact = known.exact and sha256 == known.sha256  # the archive of a mirror may be packed in another way
        url = f"{_source(request.mirror)}/{known.file}"
        progress = self.begin(_("Downloading {file}").format(file=known.file))
        download = Download(url, downloads, known.file, known.size, exact, sha256, progress, request.proxy)
        archive = download.fetch()
        named = replace(self, request=replace(request, name=name, sha256=sha256))
        try:
            result = named.from_archive(archive, download.where)
        except ModelError:
            if not sha256:  # it cannot be used, and nothing proves that it is the right file
                archive.unlink()
            raise
        archive.unlink()
        return result

    def from_archive(self, archive: Path, url: str | None = None) -> Installed:
        self.begin(_("Checking the archive"))(0, None)
        try:
            sha256 = file_sha256(archive)
        except OSError as error:
            raise ModelError("{archive} cannot be read ({why}).", archive=archive, why=system_reason(error)) from None
        known = next((model for model in registry().models if model.sha256 == sha256), None)
        verified = _verification(self.request, archive, sha256, known)
        contents = inspect_archive(archive)
        name = _checked_name(self.request.name or (known.name if known else contents.folder.removeprefix(VOSK_PREFIX)))
        origin = ModelOrigin(url or str(archive), sha256, verified, self.now.isoformat(timespec="seconds"))
        return self._store(name, origin, contents.size, lambda into: unpack(contents, into, self.begin(_("Unpacking"))))

    def from_folder(self, source: Path) -> Installed:
        if self.request.sha256:
            raise UsageError("--sha256 is the checksum of an archive; a folder has none.")
        root = self.root.resolve()
        if root in (source, *source.parents) or source in root.parents:
            raise UsageError(
                "{source} overlaps the folder of installed models; give a model's folder elsewhere.", source=source
            )
        name = _checked_name(self.request.name or source.name.removeprefix(VOSK_PREFIX))
        try:
            files = _model_files(source)
            size = sum(file.stat().st_size for file in files)
        except OSError as error:
            raise ModelError(
                "{path} cannot be read ({why}).", path=error.filename or source, why=system_reason(error)
            ) from None
        origin = ModelOrigin(str(source), None, "no", self.now.isoformat(timespec="seconds"))
        return self._store(name, origin, size, lambda into: _copy(source, files, into, self.begin(_("Copying"))))

    def _store(self, name: str, origin: ModelOrigin, size: int, fill: Callable[[Path], None]) -> Installed:
        def fill_and_announce_loading(into: Path) -> None:
            fill(into)
            self.begin(_("Loading the model once"))(0, None)  # the next step takes a minute with a large model

        check_space(self.root, size)
        stored = store_model(self.root, name, origin, fill_and_announce_loading, replace=self.request.replacing)
        return name, origin if stored else None


def _find_known(what: str) -> KnownModel:
    if known := known_model(what):
        return known
    if what in bundled_models():
        raise UsageError("{what} ships with the program; there is nothing to install.", what=what)
    names = ", ".join(model.name for model in registry().models)
    raise UsageError("{what!r} is not a file, a folder or a known model; known are {names}.", what=what, names=names)


def _source(mirror: str | None) -> str:
    """The URL of the folder that holds the archives, without a slash at the end."""
    source = mirror or registry().source
    if not source.startswith(("http://", "https://")):
        raise UsageError("--mirror {base!r} is not the URL of a folder; write http://HOST/FOLDER.", base=source)
    return source.rstrip("/")


def _checked_name(name: str) -> str:
    if name in bundled_models():
        raise UsageError("{name} is the bundled model's name; choose another name with --name.", name=name)
    if not MODEL_NAME.fullmatch(name) or not is_portable_name(name):
        raise UsageError(
            "{name!r} cannot be a model's name; choose a name of letters, digits, dots and hyphens with --name.",
            name=name,
        )
    return name


def _verification(request: InstallRequest, archive: Path, sha256: str, known: KnownModel | None) -> Verification:
    """Which checksum the archive matches. Raises ModelError if it differs, and UsageError if none is known."""
    official = next((model.sha256 for model in registry().models if model.file == archive.name), None)
    expected = request.sha256 or (None if known else official)
    if expected and expected != sha256:
        raise ModelError(
            "{archive} is damaged or another file: its SHA-256 is {found}, not {sha256}.",
            archive=archive,
            found=sha256,
            sha256=expected,
        )
    if not (known or expected or request.unverified):
        raise UsageError(
            "No checksum of {archive} is known; its SHA-256 is {found}. Compare it with one that you "
            "trust and give that with --sha256, or add --accept-unverified.",
            archive=archive.name,
            found=sha256,
        )
    return "registry" if known else "given" if expected else "no"


def _model_files(source: Path) -> list[Path]:
    """Every file of a model's folder, except what `models install` wrote in it. Raises ModelError, OSError."""
    if not (source / ACOUSTIC_MODEL).is_file():
        raise ModelError("{source} is not a model's folder: {file} is missing.", source=source, file=ACOUSTIC_MODEL)
    files = []
    for folder, folders, names in os.walk(source, onerror=_raise):
        for path in (Path(folder, name) for name in (*folders, *names)):
            if not is_portable_name(path.name):
                raise ModelError(
                    "The name {path!a} in {source} is not valid on every system.", path=path.name, source=source
                )
            if path.is_symlink() and path.is_dir():
                raise ModelError("{path} is a link to a folder; put the folder itself in its place.", path=path)
        files += [Path(folder, name) for name in names]
    for file in files:
        if not stat.S_ISREG(file.stat().st_mode):
            raise ModelError("{file} is not a file; a model has only files and folders.", file=file)
    return [file for file in files if file != source / ORIGIN]


def _raise(error: OSError) -> None:
    raise error


def _copy(source: Path, files: list[Path], into: Path, progress: TransferProgress) -> None:
    total, done = sum(file.stat().st_size for file in files), 0
    for file in files:
        target = into / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        done += target.stat().st_size
        progress(done, total)
