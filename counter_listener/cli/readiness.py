"""Checks everything that `listen` needs, one finding each, with the cure for what is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from counter_listener.cli.libraries import LIBRARIES
from counter_listener.domain import N_, CounterListenerError, MicrophoneError, _

if TYPE_CHECKING:
    from counter_listener.audio import Device
    from counter_listener.live import Config
    from counter_listener.matching import Matcher

State = Literal["ok", "warning", "wrong"]

OLDEST_PYTHON: Final = (3, 11)
QUIETEST_DB: Final = -75.0
"""Below it a room with an open microphone is seldom found."""
LOUDEST_DB: Final = -1.0
LEAST_FREE: Final = 200_000_000
"""Bytes: a counter's record grows by less than this in a year."""
OLDEST: Final = datetime(2025, 1, 1, tzinfo=UTC)
"""No computer that runs this is younger in truth."""
JUMP_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's."""

    what: str
    state: State
    said: str
    cure: str = ""
    """What to do; empty where nothing is wrong."""


def findings(
    config: Config, place: str | None, seconds: float, clock: Callable[[], float], wall: Callable[[], datetime]
) -> Iterator[Finding]:
    """Every finding, each as soon as it is known. `place` is the record (None for none), `seconds` how long to listen.

    `clock` gives seconds that never go back, `wall` the wall time with its zone.
    """
    yield python()
    yield libraries()
    began, told = clock(), wall()
    yield from sound(config, seconds, clock)
    yield from words(config)
    if place is None:
        yield Finding(
            "store", "warning", _("nothing is recorded, as asked for (store none)"), _("give a store to keep events")
        )
    else:
        yield from store(Path(place), place, wall())
    yield time(told, wall(), clock() - began)


def python() -> Finding:
    """Whether this Python is recent enough."""
    said = _("{version} on {system}").format(
        version=platform.python_version(), system=f"{platform.system()} {platform.machine()}"
    )
    if sys.version_info < OLDEST_PYTHON:
        return Finding(N_("Python"), "wrong", said, _("install Python 3.11 or newer"))
    return Finding(N_("Python"), "ok", said)


def libraries() -> Finding:
    """Whether every library is there and can be loaded."""
    known, missing = [], []
    for name, load in LIBRARIES.items():
        try:
            load()
            known.append(f"{name} {metadata.version(name)}")
        except Exception:  # noqa: BLE001 - a library that is half there may fail in any way
            missing.append(name)
    if missing:
        return Finding(
            N_("libraries"),
            "wrong",
            _("cannot be loaded: {names}").format(names=", ".join(missing)),
            _("install the program again"),
        )
    return Finding(N_("libraries"), "ok", ", ".join(known))


def sound(config: Config, seconds: float, clock: Callable[[], float]) -> Iterator[Finding]:
    """PortAudio, the microphone, and what it hears."""
    from counter_listener.audio import find_device, list_devices, portaudio_version

    try:
        yield Finding(N_("PortAudio"), "ok", portaudio_version())
    except MicrophoneError as error:
        yield Finding(N_("PortAudio"), "wrong", *_parted(error))
        return
    try:
        device = find_device(config.device, list_devices())
    except MicrophoneError as error:
        yield Finding(N_("microphone"), "wrong", *_parted(error))
        return
    yield Finding(
        N_("microphone"),
        "ok",
        _("{device}, {host}, {count} channels").format(device=device.name, host=device.host, count=device.channels),
    )
    yield heard(device, config, seconds, clock)


def heard(device: Device, config: Config, seconds: float, clock: Callable[[], float]) -> Finding:
    """What the microphone hears over some seconds."""
    from counter_listener.audio import SILENCE_DB
    from counter_listener.cli.terminal.levels import measured

    try:
        peak = measured(device, config.channel, seconds, clock)
    except MicrophoneError as error:
        return Finding(N_("level"), "wrong", *_parted(error))
    said = _("peak {peak:.0f} dB in {seconds:g} s").format(peak=peak, seconds=seconds)
    if peak <= SILENCE_DB:
        return Finding(
            N_("level"),
            "wrong",
            _("nothing but zeros in {seconds:g} s").format(seconds=seconds),
            _("unmute the microphone or plug it in"),
        )
    if peak < QUIETEST_DB:
        return Finding(N_("level"), "warning", said, _("it hears next to nothing: turn its gain up, or choose another"))
    if peak > LOUDEST_DB:
        return Finding(N_("level"), "warning", said, _("it is too loud and distorts: turn its gain down"))
    return Finding(N_("level"), "ok", said)


def words(config: Config) -> Iterator[Finding]:
    """The phrase set, the model, and whether the model can hear the phrase set."""
    from counter_listener.asr import find_model, model_vocabulary, verify_model
    from counter_listener.judging import load_matcher

    matcher = None
    try:
        matcher, _digest = load_matcher(config.phrases)
        owed = [one for one, _stage in matcher.phrases.phrases()]
        said = _("{name}: {owed} phrases, {forbidden} forbidden").format(
            name=matcher.phrases.name, owed=len(owed), forbidden=len(matcher.phrases.forbidden)
        )
        yield Finding(N_("phrase set"), "ok", said)
    except CounterListenerError as error:
        yield Finding(N_("phrase set"), "wrong", *_parted(error))
    try:
        folder = find_model(config.model)
        verify_model(folder)
        yield Finding(N_("model"), "ok", _("{name}: its files are whole").format(name=folder.resolve().name))
        if matcher:
            yield spelling(matcher, model_vocabulary(folder))
    except CounterListenerError as error:
        yield Finding(N_("model"), "wrong", *_parted(error))


def spelling(matcher: Matcher, vocabulary: frozenset[str]) -> Finding:
    """Whether the model's vocabulary can spell the phrase set."""
    from counter_listener.phrases import HEARD_KEYS, iter_wordings, unspellable_wordings

    lost = {
        (one.owner, one.wording) for one in unspellable_wordings(matcher.phrases, vocabulary) if one.lacking == "sounds"
    }
    known = {
        (owner, wording)
        for kind, owner, wording in iter_wordings(matcher.phrases)
        if kind.partition(".")[2] in HEARD_KEYS
    }
    required = {one.id: one.name for one, _stage in matcher.phrases.phrases() if one.required}
    deaf = [name for owner, name in required.items() if not {one for one in known if one[0] == owner} - lost]
    cure = _("see `counter-listener phrases vocabulary`, and add wordings or take a model with more words")
    if deaf:
        return Finding(
            N_("vocabulary"),
            "wrong",
            _("owed and never heard by this model: {titles}").format(titles="、".join(deaf)),
            cure,
        )
    if lost:
        return Finding(
            N_("vocabulary"),
            "warning",
            _("{lost} of {count} wordings can never be heard").format(lost=len(lost), count=len(known)),
            cure,
        )
    return Finding(N_("vocabulary"), "ok", _("all {count} wordings can be heard").format(count=len(known)))


def store(path: Path, place: str, now: datetime) -> Iterator[Finding]:
    """The record: rights, room, and whether it is whole."""
    from counter_listener.record import open_record, record_file

    try:
        path = record_file(place)
        folder = next(one for one in (path.parent, *path.parents) if one.is_dir())
        yield rights(path, folder)
        free = shutil.disk_usage(folder).free
        yield Finding(N_("room"), *_of_room(free, folder))
        if not path.exists():
            yield Finding(N_("store"), "ok", _("{path} will be made when listening begins").format(path=path))
            return
        with open_record(place, create=False) as opened:
            found = opened.verify()
            newest = max((row.recorded for row in opened.read(since=now)), default=None)
    except (CounterListenerError, OSError) as error:
        yield Finding(N_("store"), "wrong", *_parted(error))
        return
    if found.broken:
        row = _("row {seq}: ").format(seq=found.broken.seq) if found.broken.seq is not None else ""
        yield Finding(
            N_("store"),
            "wrong",
            f"{path}: {row}{found.broken.wrong.translated(_)}",
            _("find out who changed it; keep a backup"),
        )
    else:
        yield Finding(
            N_("store"), "ok", _("{path}: {count} rows, whole, and the chain holds").format(path=path, count=found.rows)
        )
    if newest and datetime.fromisoformat(newest) > now:
        yield Finding(
            N_("record's time"),
            "wrong",
            _("it holds rows of the future ({time})").format(time=newest[:19]),
            _("set the clock right"),
        )


def rights(path: Path, folder: Path) -> Finding:
    """Whether the record can be written, and by whom else it can be read."""
    where = path if path.exists() else folder
    if not os.access(where, os.R_OK | os.W_OK) or not os.access(folder, os.W_OK):
        return Finding(
            "rights",
            "wrong",
            _("{path} cannot be written").format(path=where),
            _("give yourself the right to write it and its folder"),
        )
    if os.name == "posix" and path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding(N_("rights"), "warning", _("others may read {path}").format(path=path), f"chmod 600 {path}")
    return Finding(N_("rights"), "ok", _("{path} can be written").format(path=where))


def time(before: datetime, after: datetime, passed: float) -> Finding:
    """Whether the wall clock can be right: not before this program was written, and not set while we looked."""
    said = f"{after.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    cure = _("set the computer's clock, and let it be kept by a time server")
    if after < OLDEST:
        return Finding(N_("clock"), "wrong", _("{time} is long past").format(time=said), cure)
    jump = (after - before).total_seconds() - passed
    if abs(jump) > JUMP_SECONDS:
        return Finding(
            N_("clock"),
            "warning",
            _("{time}, and it was moved by {jump:+.1f} s while this ran").format(time=said, jump=jump),
            cure,
        )
    return Finding(N_("clock"), "ok", said)


def _of_room(free: int, folder: Path) -> tuple[State, str, str]:
    said = _("{size:.1f} GB free at {folder}").format(size=free / 1e9, folder=folder)
    return ("ok", said, "") if free >= LEAST_FREE else ("wrong", said, _("make room on this disk"))


def _parted(error: Exception) -> tuple[str, str]:
    """One of our sentences as what is wrong and its cure, which follows a semicolon."""
    told = error.translated(_) if isinstance(error, CounterListenerError) else str(error)
    said, _stop, cure = told.rstrip(".。").partition(_("; "))
    return said, cure or _("mend that and ask again")
