"""`doctor`: checks everything that `listen` needs, one line per check, with the remedy for what is wrong."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from counter_listener.cli.help import Command, pad_columns
from counter_listener.cli.options import (
    beside_record,
    key_location,
    load_settings,
    monotonic_clock,
    record_location,
    settings_options,
)
from counter_listener.domain import N_, CounterListenerError, MicrophoneError, _, printable

if TYPE_CHECKING:
    from counter_listener.audio import Device
    from counter_listener.live import Config
    from counter_listener.matching import Matcher

State = Literal["ok", "warning", "wrong"]

MARKS: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "wrong": ("✗", "red")}
EXIT_CODES: Final = N_("""\
Exit codes:
  0    nothing is wrong; there may be warnings (!)
  1    something is wrong (✗); its line names the remedy""")
OLDEST_PYTHON: Final = (3, 11)
LIBRARIES: Final = (
    *("vosk", "av", "rapidfuzz", "pypinyin", "pydantic", "SQLAlchemy", "alembic", "rich", "psutil"),
    *("filelock", "prompt_toolkit", "cryptography", "segno"),
)
"""Names of distributions, which are those of their modules in lower case. sounddevice is not here: it is checked with
PortAudio.
"""
QUIETEST_DB: Final = -75.0
"""A room with an open microphone is seldom more quiet."""
LOUDEST_DB: Final = -1.0
LEAST_FREE: Final = 200_000_000
"""Bytes: the record of a counter grows by less than this in a year."""
OLDEST_TIME: Final = datetime(2025, 1, 1, tzinfo=UTC)
"""This program is newer, so an earlier clock is wrong."""
JUMP_SECONDS: Final = 0.5


@click.command(cls=Command, epilog="\b\n" + EXIT_CODES + "\n\nExample: counter-listener doctor --device 'USB Audio'")
@settings_options
@click.option(
    "--seconds",
    type=click.FloatRange(0.5, 600),
    default=3.0,
    show_default=True,
    help="How long to listen to the microphone.",
)
def doctor(*, config_file: Path | None, seconds: float, **flags: Any) -> None:  # noqa: ANN401 - the settings check them
    """Check Python, libraries, PortAudio, microphone, model, record and clock: one line each, with the remedy.

    It uses the settings that `listen` would use, and listens for a moment; no audio is stored.
    """
    config = load_settings(config_file, flags)
    wrong = False
    for finding in findings(config, seconds):
        wrong = wrong or finding.state == "wrong"
        mark, colour = MARKS[finding.state]
        subject = pad_columns(_(finding.subject) + _(":"), 15)
        remedy = f" -> {printable(finding.remedy)}" if finding.remedy else ""
        click.echo(f"{click.style(mark, fg=colour)} {subject} {printable(finding.text)}{remedy}")
    sys.exit(int(wrong))


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    subject: str
    state: State
    text: str
    remedy: str = ""
    """What to do; empty if nothing is wrong."""


def findings(config: Config, seconds: float) -> Iterator[Finding]:
    """Every finding, each as soon as it is known; `seconds` is the time to listen. Raises UsageError."""
    location = None if config.store == "none" else record_location(config.store or None)
    yield check_python()
    yield check_libraries()
    began, wall_began = monotonic_clock(), datetime.now(UTC)
    yield from check_microphone(config, seconds)
    yield from check_phrases_and_model(config, beside_record(location) if location else None)
    if location is None:
        text = _("nothing is recorded, as configured (store none)")
        yield Finding(N_("store"), "warning", text, _("configure a store to record events"))
    else:
        yield from check_record(location, datetime.now(UTC), key_location(config.key))
    if config.clips.keep != "none":
        yield check_clips(config)
    yield check_clock(wall_began, datetime.now(UTC), monotonic_clock() - began)


def check_python() -> Finding:
    """Whether this Python is recent enough."""
    system = f"{platform.system()} {platform.machine()}"
    text = _("{version} on {system}").format(version=platform.python_version(), system=system)
    if sys.version_info < OLDEST_PYTHON:
        return Finding(N_("Python"), "wrong", text, _("install Python 3.11 or newer"))
    return Finding(N_("Python"), "ok", text)


def check_libraries() -> Finding:
    """Whether every library is installed and can be imported."""
    from importlib import metadata

    known, missing = [], []
    for name in LIBRARIES:
        try:
            importlib.import_module(name.lower())
            known.append(f"{name} {metadata.version(name)}")
        except Exception:  # noqa: BLE001 - a library that is only partly installed may fail in any way
            missing.append(name)
    if missing:
        text = _("cannot be loaded: {names}").format(names=", ".join(missing))
        return Finding(N_("libraries"), "wrong", text, _("install the program again"))
    return Finding(N_("libraries"), "ok", ", ".join(known))


def check_microphone(config: Config, seconds: float) -> Iterator[Finding]:
    """PortAudio, the microphone, and its level; the first of them that fails is the last finding."""
    from counter_listener.audio import find_device, list_devices, portaudio_version

    subject = N_("PortAudio")
    try:
        yield Finding(subject, "ok", portaudio_version())
        subject = N_("microphone")
        device = find_device(config.device, list_devices())
        text = _("{device}, {host}, {count} channels")
        yield Finding(subject, "ok", text.format(device=device.name, host=device.host, count=device.channels))
        subject = N_("level")
        yield check_level(device, config, seconds)
    except MicrophoneError as error:
        yield _failure(subject, error)


def check_level(device: Device, config: Config, seconds: float) -> Finding:
    """The peak level of the microphone over some seconds. Raises MicrophoneError."""
    from counter_listener.audio import SILENCE_DB
    from counter_listener.cli.terminal.levels import measured_peak

    subject = N_("level")
    peak = measured_peak(device, config.channel, seconds)
    if peak <= SILENCE_DB:
        text = _("nothing but zeros in {seconds:g} s").format(seconds=seconds)
        return Finding(subject, "wrong", text, _("unmute the microphone or plug it in"))
    text = _("peak {peak:.0f} dB in {seconds:g} s").format(peak=peak, seconds=seconds)
    if peak < QUIETEST_DB:
        return Finding(subject, "warning", text, _("almost silent: increase its gain, or choose another microphone"))
    if peak > LOUDEST_DB:
        return Finding(subject, "warning", text, _("too loud, the sound is distorted: reduce its gain"))
    return Finding(subject, "ok", text)


def check_phrases_and_model(config: Config, record: Path | None) -> Iterator[Finding]:
    """The phrase set in force in the record, the model, and whether the model can recognise the wordings."""
    from counter_listener.asr import find_model, model_vocabulary, verify_model
    from counter_listener.judging import load_matcher

    matcher = None
    try:
        matcher, _digest = load_matcher(config.phrases, beside=record)
        phrases = matcher.phrases
        text = _("{name}: {owed} phrases, {forbidden} forbidden")
        text = text.format(name=phrases.name, owed=len(list(phrases.phrases())), forbidden=len(phrases.forbidden))
        yield Finding(N_("phrase set"), "ok", text)
    except CounterListenerError as error:
        yield _failure(N_("phrase set"), error)
    try:
        folder = find_model(config.model)
        verify_model(folder)
        yield Finding(N_("model"), "ok", _("{name}: its files are complete").format(name=folder.resolve().name))
        if matcher:
            yield check_vocabulary(matcher, model_vocabulary(folder))
    except CounterListenerError as error:
        yield _failure(N_("model"), error)


def check_vocabulary(matcher: Matcher, vocabulary: frozenset[str]) -> Finding:
    """Whether the words of the model can spell the wordings of the phrase set."""
    from counter_listener.phrases import HEARD_KEYS, iter_templates, unspellable_templates

    unspellable = unspellable_templates(matcher.phrases, vocabulary)
    lost = {(each.owner, each.template) for each in unspellable if each.lacking == "sounds"}
    wordings = {
        (owner, wording)
        for kind, owner, wording in iter_templates(matcher.phrases)
        if kind.partition(".")[2] in HEARD_KEYS
    }
    spelt = {owner for owner, _wording in wordings - lost}
    never = [phrase.name for phrase, _stage in matcher.phrases.phrases() if phrase.required and phrase.id not in spelt]
    remedy = _("see `counter-listener phrases vocabulary`, and add wordings or use a model with more words")
    if never:
        text = _("required, but never recognised by this model: {titles}").format(titles="、".join(never))
        return Finding(N_("vocabulary"), "wrong", text, remedy)
    if lost:
        text = _("{lost} of {count} wordings can never be recognised").format(lost=len(lost), count=len(wordings))
        return Finding(N_("vocabulary"), "warning", text, remedy)
    text = _("all {count} wordings can be recognised").format(count=len(wordings))
    return Finding(N_("vocabulary"), "ok", text)


def check_record(location: str, now: datetime, key_file: Path | None) -> Iterator[Finding]:
    """The record: its permissions and those of its key, the free space, and whether it is intact."""
    from counter_listener.batch import transcripts_folder
    from counter_listener.record import clips_folder, is_server, open_record, record_file

    subject = N_("store")
    try:
        path = record_file(location)
        folder = next(each for each in (path.parent, *path.parents) if each.is_dir())
        if not is_server(location):
            yield check_permissions(path, folder)
        yield from close_to_others(path, *private_files(transcripts_folder(path)), *private_files(clips_folder(path)))
        if key_file:
            yield from close_to_others(key_file)
            yield check_key(key_file, path)
        yield check_space(folder)
        if not is_server(location) and not path.exists():
            yield Finding(subject, "ok", _("{path} will be created when listening begins").format(path=path))
            return
        with open_record(location, create=False, upgrade=False) as record:
            found, name = record.verify(), record.name
            newest = max((row.recorded for row in record.read(since=now)), default=None)
    except (CounterListenerError, OSError) as error:
        yield _failure(subject, error)
        return
    if found.broken:
        row = _("row {seq}: ").format(seq=found.broken.seq) if found.broken.seq is not None else ""
        text = f"{name}: {row}{found.broken.wrong.translated(_)}"
        yield Finding(subject, "wrong", text, _("find out who changed it; keep a backup"))
    else:
        text = _("{path}: {count} rows, and the chain is intact").format(path=name, count=found.rows)
        yield Finding(subject, "ok", text)
    if newest and datetime.fromisoformat(newest) > now:
        text = _("it holds rows of the future ({time})").format(time=newest[:19])
        yield Finding(N_("record's time"), "wrong", text, _("correct the clock"))


def check_clips(config: Config) -> Finding:
    """Whether clips can be made and encrypted here."""
    from counter_listener.cli.clip_keeping import tried_key
    from counter_listener.record import fingerprint

    try:
        text = _("{keep}, for {days} days, encrypted for the key {key}")
        name = fingerprint(tried_key(config.clips.model_dump()))
        return Finding(N_("clips"), "ok", text.format(keep=config.clips.keep, days=config.clips.days, key=name))
    except CounterListenerError as error:
        return _failure(N_("clips"), error)


def check_permissions(path: Path, folder: Path) -> Finding:
    """Whether this user can write the record."""
    target = path if path.exists() else folder
    if not os.access(target, os.R_OK | os.W_OK) or not os.access(folder, os.W_OK):
        remedy = _("give yourself permission to write it and its folder")
        return Finding(N_("rights"), "wrong", _("{path} cannot be written").format(path=target), remedy)
    return Finding(N_("rights"), "ok", _("{path} can be written").format(path=target))


def private_files(folder: Path) -> list[Path]:
    """A folder and the files in it, if there is one."""
    return [folder, *folder.iterdir()] if folder.is_dir() else []


def close_to_others(*paths: Path) -> Iterator[Finding]:
    """Takes from other users the right to read the record, its key and its transcripts."""
    from counter_listener.record import make_private, readable_by_others

    for path in readable_by_others(*paths):
        try:
            make_private(path)
        except OSError:
            remedy = f"chmod go= {path}"
            yield Finding(N_("rights"), "wrong", _("other users may read {path}").format(path=path), remedy)
        else:
            text = _("other users could read {path}; that right was taken from them")
            yield Finding(N_("rights"), "warning", text.format(path=path))


def check_key(key_file: Path, record: Path) -> Finding:
    """Whether the key that signs the record can be used, and lies in another folder than the record."""
    from counter_listener.record import fingerprint, open_key

    subject = N_("key")
    if not key_file.exists():
        return Finding(subject, "ok", _("{path} will be made when the record is first signed").format(path=key_file))
    try:
        key = open_key(key_file, create=False)
    except CounterListenerError as error:
        return _failure(subject, error)
    text = _("{key}, in {path}").format(key=fingerprint(key.public), path=key_file)
    if key_file.resolve().parent == record.resolve().parent:
        remedy = _("move it to another folder, and name it with --key: who copies the record must not have it")
        return Finding(subject, "warning", text, remedy)
    return Finding(subject, "ok", text)


def check_space(folder: Path) -> Finding:
    """Whether the disk has room for the record."""
    free = shutil.disk_usage(folder).free
    text = _("{size:.1f} GB free at {folder}").format(size=free / 1e9, folder=folder)
    if free < LEAST_FREE:
        return Finding(N_("room"), "wrong", text, _("free some space on this disk"))
    return Finding(N_("room"), "ok", text)


def check_clock(before: datetime, after: datetime, passed: float) -> Finding:
    """Whether the wall clock can be right: it is later than this program, and was not set during the checks."""
    time = f"{after.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    remedy = _("set the clock of the computer, and let a time server keep it right")
    if after < OLDEST_TIME:
        return Finding(N_("clock"), "wrong", _("{time} is long past").format(time=time), remedy)
    jump = (after - before).total_seconds() - passed
    if abs(jump) > JUMP_SECONDS:
        text = _("{time}, and it was changed by {jump:+.1f} s during the checks").format(time=time, jump=jump)
        return Finding(N_("clock"), "warning", text, remedy)
    return Finding(N_("clock"), "ok", time)


def _failure(subject: str, error: Exception) -> Finding:
    """An error as a finding: our sentences name the remedy after a semicolon."""
    sentence = error.translated(_) if isinstance(error, CounterListenerError) else str(error)
    text, _separator, remedy = sentence.rstrip(".。").partition(_("; "))
    return Finding(subject, "wrong", text, remedy or _("correct that and try again"))
