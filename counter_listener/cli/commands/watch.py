"""`watch`: recordings are checked as they arrive in folders."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from counter_listener.cli.commands.check import hearing_options, keep_option
from counter_listener.cli.help import Command
from counter_listener.cli.log import Level, Log, LogForm, log_format_option
from counter_listener.cli.options import (
    ExitCode,
    beside_record,
    key_location,
    key_option,
    model_option,
    phrases_option,
    record_location,
    silence_option,
    store_option,
    warn_of_readers,
    who_spoke_option,
)
from counter_listener.domain import N_, UsageError, _, format_duration, ngettext

if TYPE_CHECKING:
    from counter_listener.batch import CheckResult, Outcome, Plan, Watcher

RESCAN: Final = 60.0
"""Seconds after which the folders are looked at in any case."""
SIGNALS: Final = ("SIGTERM", "SIGHUP", "SIGBREAK")
WATCH_CODES = N_("""\
Exit codes:
  0    it was stopped (Ctrl-C, SIGTERM), or --once is done, and every file was checked
  2    an option, a folder, a phrase set or a model that cannot be used
  3    some file could not be read or understood, or not in full; the others were checked and recorded
  4    the record could not be opened or trusted, or a result could not be recorded until the end""")
SAID: Final = {
    "checked": N_("{path}: {said}"),
    "known": N_("{path}: in the record already; {said}"),
    "again": N_("{path}: not whole, or not readable yet, and will be tried again: {why}"),
    "failed": N_("{path}: given up: {why}"),
    "unrecorded": N_("{path}: cannot be recorded, and will be tried again: {why}"),
    "unmoved": N_("{path}: checked and recorded, but cannot be moved, which will be tried again: {why}"),
    "left_out": N_("{path}: left out: {why}"),
    "missing": N_("{path}: the folder cannot be read; it is waited for"),
    "back": N_("{path}: the folder can be read again"),
}
LEVELS: Final[dict[str, Level]] = {
    "again": "warning",
    "failed": "error",
    "unrecorded": "error",
    "unmoved": "error",
    "missing": "warning",
}


@click.command(
    cls=Command,
    epilog="\b\n" + WATCH_CODES + "\n\nExample: counter-listener watch recordings/ --move-to checked/ --counter 3",
)
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@phrases_option
@model_option
@store_option
@key_option
@click.option("--counter", metavar="NAME", help="The counter that was recorded, for the record.")
@hearing_options
@keep_option
@silence_option
@who_spoke_option
@click.option(
    "--move-to",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Move what was checked and recorded there.  [default: it is left where it is]",
)
@click.option(
    "--settle",
    metavar="SECONDS",
    type=click.FloatRange(0.1, 3600),
    default=10.0,
    show_default=True,
    help="A file is whole when it has not changed for this long and its sound can be opened.",
)
@click.option("--poll", is_flag=True, help="Look every 2 s: for network drives, which tell nobody of changes.")
@click.option("--once", is_flag=True, help="End when every file that is there is dealt with.")
@log_format_option
def watch(  # noqa: PLR0913 - one parameter per option
    folders: tuple[Path, ...],
    move_to: Path | None,
    settle: float,
    jobs: int | None,
    log_format: LogForm,
    *,
    poll: bool,
    once: bool,
    **options: Any,  # noqa: ANN401 - click has checked them
) -> None:
    """Check recordings as they arrive in folders, all day: the same as `check`.

    A file that is still being written is left until it is whole. What cannot be read is tried again three times, after
    3, 12 and 48 times the seconds of --settle, and then given up and told. What cannot be recorded or moved, because a
    disk is full, is tried again until it can. A recording that is already in the record adds nothing to it, so a watch
    that was killed can be started again at any time. A folder that disappears is waited for.
    """
    from counter_listener.batch import Arrivals, Mover, Watcher, open_run
    from counter_listener.live import Watchdog, notify

    check_folders(folders, move_to)
    log, plan = Log(log_format), plan_of(options)
    stopping = stop_by_signals()
    with ExitStack() as stack:
        run = stack.enter_context(open_run(plan, preload=True, modules=["counter_listener.cli"]))
        warn_of_readers(str(plan.record), plan.key)
        mover = Mover(move_to, folders) if move_to else None
        if mover and run.recorder:
            run.recorder.place = mover.place
        watcher = Watcher(
            folders,
            run,
            Arrivals(settle),
            jobs,
            mover,
            Watchdog(time.monotonic),
            lambda: datetime.now(UTC),
            lambda outcome: tell(log, outcome),
        )
        log("watching", _("watching: {folders}").format(folders=", ".join(map(str, folders))))
        try:  # from before it says that it is ready: the order to stop may follow at once
            notify("READY=1")
            keep_watching(watcher, stopping, poll=poll, once=once)
        except KeyboardInterrupt:
            notify("STOPPING=1")
        show_summary(log, watcher)
    sys.exit(exit_code(watcher))


def stop_by_signals() -> Callable[[], bool]:
    """Makes the signals to stop interrupt what is being done; whether one has come."""
    stopped = threading.Event()

    def stop(*_: object) -> None:
        stopped.set()  # sdnotify catches every exception, this one too
        raise KeyboardInterrupt

    for name in SIGNALS:
        if number := getattr(signal, name, None):
            signal.signal(number, stop)
    return stopped.is_set


def plan_of(options: dict[str, Any]) -> Plan:
    """How the options ask for recordings to be checked. Raises UsageError."""
    from counter_listener.batch import Plan

    location = record_location(options["store_url"])
    return Plan(
        phrases=options["phrases_name"],
        model=options["model_name"],
        record=location,
        beside=beside_record(location),
        key=key_location(options["key"]),
        counter=options["counter"],
        one_visit=options["one_visit"],
        channels=options["channels"],
        speakers=options["speakers"],
        executor=options["executor"],
        keep_transcripts=options["keep_transcripts"],
        skip_silence=options["skip_silence"],
        who_spoke=options["who_spoke"],
    )


def check_folders(folders: tuple[Path, ...], move_to: Path | None) -> None:
    """Raises UsageError for folders that are none, and for a target that would be moved into itself."""
    for folder in folders:
        if not folder.is_dir():
            raise UsageError("{folder} is no folder; name a folder that exists.", folder=folder)
        if move_to is not None and move_to.absolute() == folder.absolute():
            raise UsageError("--move-to {folder} is watched itself; name another folder.", folder=folder)


def keep_watching(watcher: Watcher, stopping: Callable[[], bool], *, poll: bool, once: bool) -> None:
    """Deals with files until Ctrl-C, or with `once` until every file is dealt with."""
    from counter_listener.batch import Waker

    waker, looked = Waker(watcher.folders, poll=poll), float("-inf")
    try:
        while True:
            if stopping():
                raise KeyboardInterrupt
            moment, now = watcher.arrivals.next_moment(), watcher.clock()
            if waker.tick() or now - looked >= RESCAN or (moment is not None and moment <= now):
                looked = now
                watcher.look()
                watcher.work()
            if once and watcher.arrivals.next_moment() is None:
                return
    finally:
        waker.close()


def tell(log: Log, outcome: Outcome) -> None:
    """Writes what became of a file, without any words of a visit."""
    why = outcome.why.translated(_) if outcome.why else ""
    said = result_text(outcome.result) if outcome.result and not outcome.result.error else ""
    text = _(SAID[outcome.kind]).format(path=outcome.path, why=why, said=said)
    if outcome.moved:
        text += _("; moved to {place}").format(place=outcome.moved)
    facts: dict[str, Any] = result_facts(outcome.result) if outcome.result and not outcome.result.error else {}
    log(
        outcome.kind,
        text,
        level=LEVELS.get(outcome.kind, "info"),
        path=str(outcome.path),
        why=why or None,
        moved=outcome.moved and str(outcome.moved),
        **facts,
    )


def result_facts(result: CheckResult) -> dict[str, object]:
    """What a program needs to know of a result."""
    closed = [event for event in result.events if event.kind == "visit_closed"]
    scores = [event.score for event in closed if event.score is not None]
    return {
        "seconds": round(result.seconds, 1),
        "visits": len(closed),
        "lowest_score": min(scores, default=None),
        "forbidden": sum(event.verdict == "forbidden" for event in result.events),
        "incomplete": bool(result.losses),
    }


def result_text(result: CheckResult) -> str:
    """The same for people."""
    facts = result_facts(result)
    visits = sum(event.kind == "visit_closed" for event in result.events)
    parts = [format_duration(result.seconds), ngettext("{count} visit", "{count} visits", visits).format(count=visits)]
    if facts["lowest_score"] is not None:
        parts.append(_("lowest score {score:g}").format(score=facts["lowest_score"]))
    if facts["forbidden"]:
        parts.append(_("forbidden: {count}").format(count=facts["forbidden"]))
    if facts["incomplete"]:
        parts.append(_("a part could not be read or understood"))
    return _(", ").join(parts)


def show_summary(log: Log, watcher: Watcher) -> None:
    """Writes what all files together came to, and names those that were not checked or not recorded."""
    tally, waiting = watcher.tally, watcher.arrivals.waiting()
    for path in waiting:
        text = _("{path}: not recorded") if path in watcher.unrecorded else _("{path}: not dealt with yet")
        log("waiting", text.format(path=path), level="warning", path=str(path))
    text = _(
        "{checked} checked, {failed} given up, {left_out} left out, {waiting} waiting, {moved} moved; visits: {visits}"
    )
    counts: dict[str, Any] = {
        "checked": tally.checked,
        "failed": tally.failed,
        "left_out": watcher.left_out,
        "waiting": len(waiting),
        "moved": watcher.moved,
        "visits": tally.visits,
    }
    log("summary", text.format(**counts), **counts)


def exit_code(watcher: Watcher) -> ExitCode:
    """The exit code of a watch that ended."""
    if watcher.unrecorded:
        return ExitCode.NO_RECORD
    return ExitCode.UNREADABLE if watcher.gave_up or watcher.tally.incomplete else ExitCode.PASSED
