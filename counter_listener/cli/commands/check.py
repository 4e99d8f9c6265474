"""`check` and `demo`: the main job, from recordings to a record."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from counter_listener.cli.options import (
    BELOW,
    DEFAULT_MODEL,
    DEFAULT_PHRASES,
    EXIT_CODES,
    INTERRUPTED,
    NO_RECORD,
    PASSED,
    UNREADABLE,
    Format,
    format_option,
    model_option,
    phrases_option,
    silence,
    silence_option,
    steady,
    store_option,
    store_place,
)
from counter_listener.cli.recorder import Ledger
from counter_listener.cli.terminal.progress import batch_progress
from counter_listener.domain import N_, UsageError, _, cause, printable
from counter_listener.judging import load_phrases

if TYPE_CHECKING:
    from counter_listener.batch import Hand, Missing, Result, Tally, Task
    from counter_listener.domain import PhraseSet, Speaker
    from counter_listener.record import Store

DEMO = ("full-marks.wav", "no-greeting.wav", "forbidden.wav", "complaint-handled.wav")

SMALL = 100
"""Transcripts that are judged sooner than a worker process is started."""
ROLES = (("clerk", "customer"), ("customer", "clerk"), ("clerk", "unknown"), ("unknown", "clerk"))

DEMO_INTRODUCTION = N_("""\
Four counter visits, spoken by a speech synthesiser and heard by the bundled model, are checked
against the phrase set bank-counter. ✓ was heard, ✗ was owed and not heard (or was forbidden),
+ was heard and is welcome but not owed, ? cannot be told, · was neither owed nor heard. Nothing is recorded.
""")
DEMO_END = N_("""\
The same for your own recordings: counter-listener check FOLDER
The words it listens for: counter-listener phrases list; change them in a copy of bank-counter.toml.""")


@dataclass
class Run:
    """One call of `check`: what it was asked, and what has come of it so far."""

    phrases: PhraseSet
    counter: str | None
    form: Format
    quiet: bool
    ledger: Ledger | None
    """What is to be recorded; None records nothing."""
    tally: Tally
    unheeded: bool = False
    """Whether the output can no longer be written."""


def roles(_ctx: click.Context, _param: click.Parameter, given: str | None) -> tuple[Speaker, ...]:
    """Who speaks on which channel."""
    if given is None:
        return ()
    named = tuple(role.strip() for role in given.split(","))
    if named not in ROLES:
        raise UsageError(
            "--channels takes {names}, not {given!r}.", names=" or ".join(",".join(one) for one in ROLES), given=given
        )
    return named  # type: ignore[return-value]  # one of ROLES


@click.command(
    epilog="\b\n" + EXIT_CODES + "\n\nExample: counter-listener check monday/ '*.mp3' --counter 3 --format jsonl"
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@phrases_option
@model_option
@store_option
@click.option("--counter", metavar="NAME", help="The counter that was recorded, for the record.")
@click.option(
    "--started",
    metavar="TIME",
    help="When every recording began, such as '2026-01-15 09:30'.  [default: told from the file's name or its time"
    " stamp, else unknown]",
)
@click.option("--one-visit", is_flag=True, help="Each recording is one visit, whatever is said in it.")
@click.option(
    "--channels",
    metavar="ROLE,ROLE",
    callback=roles,
    help="Who speaks on each of two channels, such as clerk,customer.  [default: both are mixed, and nobody can tell]",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1, 256),
    help="Worker processes.  [default: one a core, at most one a file]",
)
@click.option("--executor", metavar="dask:ADDRESS", help="Let a dask.distributed cluster do the work (extra: cluster).")
@click.option("--again", is_flag=True, help="Judge anew what is in the record; its old verdicts stay as history.")
@click.option(
    "--keep-transcripts",
    is_flag=True,
    help="Keep what was recognised beside the record, numbers masked, for `rejudge`.  [default: nothing is kept]",
)
@silence_option
@format_option
@click.option(
    "--fail-under", metavar="SCORE", type=click.FloatRange(0, 100), help="Exit with 1 if a visit scores less."
)
@click.option("--quiet", is_flag=True, help="No progress bar, no notes on the record, no summary.")
def check(  # noqa: PLR0913 - one parameter an option
    *,
    paths: tuple[str, ...],
    phrases_name: str,
    model_name: str,
    store_url: str | None,
    counter: str | None,
    started: str | None,
    one_visit: bool,
    channels: tuple[Speaker, ...],
    jobs: int | None,
    executor: str | None,
    again: bool,
    keep_transcripts: bool,
    skip_silence: bool,
    form: Format,
    fail_under: float | None,
    quiet: bool,
) -> None:
    """Check recordings and transcripts of counter visits.

    PATH is a recording of any format (WAV, MP3, M4A, OGG, FLAC, AMR, WMA ...), a transcript (*.jsonl, one utterance
    a line: {"start": s, "end": s, "text": "..."}), a folder, which is searched recursively, or a pattern.
    A recording that is in the record already is shown from there, and adds nothing to it; judged there by another
    phrase set or model, it is checked and shown, and adds nothing either, but with --again. An interrupted run is
    taken up by running it again. With --store none nothing is recorded.
    """
    from counter_listener.asr import find_model
    from counter_listener.audio import parse_time
    from counter_listener.batch import inputs, is_recording

    if fail_under is not None and isnan(fail_under):
        raise UsageError("--fail-under takes a number from 0 to 100.")
    given = parse_time(started, zone=None) if started is not None else None
    if store_url == "none" and (again or keep_transcripts):
        raise UsageError("--again and --keep-transcripts need a record; leave out --store none.")
    listed = inputs(paths)
    number = 0 if executor is not None else places(jobs, listed)
    model = find_model(model_name)
    if number:
        from counter_listener.batch import get_ready

        get_ready(model if any(map(is_recording, listed)) else None)  # they load while this process does
    from counter_listener.asr import Ears
    from counter_listener.batch import Tally, Task
    from counter_listener.matching import remembering

    matcher, digest = load_phrases(phrases_name)
    ears = Ears(model, sparing=skip_silence)
    task = Task(remembering(matcher), ears, given=given, one_visit=one_visit, roles=channels, keep=keep_transcripts)
    with crew(task, executor, number) as hands, opened(store_url) as (store, place):
        options = {"one_visit": one_visit, "channels": list(channels)}
        ledger = (
            None
            if store is None
            else Ledger(
                store,
                place,
                matcher.phrases.name,
                digest,
                ears.name,
                counter,
                options={name: value for name, value in options.items() if value},
                again=again,
                transcripts=kept_beside(store, task),
            )
        )
        run = Run(matcher.phrases, counter, form, quiet, ledger, Tally())
        code = carry_out(run, listed, task, hands, fail_under)
    sys.exit(code)


@click.command(epilog="Example: counter-listener demo")
def demo() -> None:
    """Check the bundled recordings and explain what is shown. Records nothing."""
    from counter_listener.asr import Ears, find_model
    from counter_listener.batch import Tally, Task
    from counter_listener.domain import shipped

    matcher = load_phrases(DEFAULT_PHRASES)[0]
    recordings: list[Any] = [shipped("recordings") / name for name in DEMO]
    click.echo(_(DEMO_INTRODUCTION))
    run = Run(matcher.phrases, None, "table", quiet=False, ledger=None, tally=Tally())
    code = carry_out(run, recordings, Task(matcher, Ears(find_model(DEFAULT_MODEL))), [], None)
    click.echo("\n" + _(DEMO_END))
    sys.exit(code)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def places(jobs: int | None, inputs: Sequence[Path | Missing]) -> int:
    """How many workers there are to be; 0 where all is done in this process.

    Unasked, only as many as have enough to do to be worth their start: one a recording, or SMALL transcripts. A single
    recording needs no worker, for its crash costs no other.
    """
    from counter_listener.batch import is_recording

    recordings = sum(map(is_recording, inputs))
    worth = recordings + (len(inputs) - recordings) // SMALL
    number = min(cores(), worth) if jobs is None else min(jobs, len(inputs))
    return 0 if number <= 1 and recordings <= 1 else number


@contextmanager
def crew(task: Task, executor: str | None, number: int) -> Iterator[Sequence[Hand]]:
    """Whoever does the work: a cluster, so many workers, or nobody for 0, where it is done here. Raises UsageError."""
    hands: list[Hand] = []
    if executor is not None:
        from counter_listener.batch import cluster_hands

        hands += cluster_hands(executor, task)
    elif number:
        from counter_listener.batch import ProcessHand

        hands += (ProcessHand(task) for _ in range(number))
    try:
        yield hands
    finally:
        for hand in hands:
            hand.end()


def kept_beside(store: Store, task: Task) -> Path | None:
    """Where transcripts are kept, if they are."""
    from counter_listener.batch import folder_of

    return folder_of(store.path) if task.keep else None


@contextmanager
def opened(store_url: str | None) -> Iterator[tuple[Store | None, str]]:
    """The record that the user asked for, and where it is; None for `none`."""
    if store_url == "none":
        yield None, "none"
        return
    from counter_listener.record import open_store

    place = store_place(store_url)
    with open_store(place) as store:
        yield store, place


def carry_out(run: Run, inputs: list[Any], task: Task, hands: Sequence[Hand], fail_under: float | None) -> int:
    """Checks, records and shows every input; the exit code."""
    from counter_listener.batch import check_here, check_many

    ledger = run.ledger
    known = ledger.look if ledger else lambda _path: None
    try:
        _show(run, lambda: _show_head(run))
        with batch_progress(inputs, steady, quiet=run.quiet) as (underway, told):

            def done(results: Sequence[Result]) -> Sequence[Result]:
                recorded = ledger.write(results) if ledger else results
                for result in recorded:
                    told(result)
                return recorded

            if hands:
                results = check_many(inputs, hands, known, done, time.monotonic)
            else:
                results = check_here(inputs, replace(task, progress=underway), known, done)
            with closing(results):
                for result in results:
                    run.tally.add(result)
                    _show(run, partial(_show_result, run, result))
        _show(run, lambda: _close_with_notes(run))
    except KeyboardInterrupt:
        recorded = ledger.recorded + ledger.anew if ledger else 0
        text = _("Interrupted; {count} recorded. Run it again to check the rest.")
        click.echo(text.format(count=recorded), err=True)
        return INTERRUPTED
    return outcome(run, fail_under)


def _show(run: Run, show: Callable[[], None]) -> None:
    """Shows something; where nobody can read on (a closed pipe, a full disk), checking and recording go on without."""
    if run.unheeded:
        return
    try:
        show()
        sys.stdout.flush()
    except OSError as error:
        if run.ledger is None:
            raise
        run.unheeded = True
        silence()
        text = _("The output cannot be written ({why}); checking and recording go on.")
        click.echo(text.format(why=cause(error).told(_)), err=True)


def outcome(run: Run, fail_under: float | None) -> int:
    """The exit code: trouble with the record outranks trouble with inputs, and that outranks low scores."""
    if run.ledger and run.ledger.unrecorded:
        return NO_RECORD
    if run.tally.failed or run.tally.incomplete:
        return UNREADABLE
    low = run.tally.lowest
    return BELOW if fail_under is not None and low is not None and low < fail_under else PASSED


def _show_head(run: Run) -> None:
    if run.form == "csv":
        from counter_listener.record import COLUMNS, csv_line

        click.echo(csv_line(COLUMNS))


def _show_result(run: Run, result: Result) -> None:
    if result.wrong:
        click.echo(_("Error: {message}").format(message=printable(result.wrong.told(_))), err=True)
    for loss in result.losses:
        text = _("Warning: {path}: audio was lost: {reason}")
        click.echo(text.format(path=printable(str(result.path)), reason=_(loss)), err=True)
    if run.form == "table":
        from counter_listener.cli.terminal.visit_table import result_text

        click.echo(result_text(result, run.phrases), nl=False)
        return
    from counter_listener.record import as_csv_lines, as_json_lines

    lines = (as_json_lines if run.form == "jsonl" else as_csv_lines)(_rows_of(run, result))
    click.echo("".join(f"{line}\n" for line in lines), nl=False)


def _rows_of(run: Run, result: Result) -> Iterator[dict[str, object]]:
    from counter_listener.record import row_of

    began = result.started.at.astimezone() if result.started and result.started.at else None
    for event in result.events:
        row = row_of(event, source=str(result.path), stream=result.stream, counter=run.counter, began=began)
        if event.kind == "visit_opened":
            row["started_from"] = result.started.how if result.started else "unknown"
        yield row


def _close_with_notes(run: Run) -> None:
    if run.quiet:
        return
    if run.form == "table":
        from counter_listener.cli.terminal.visit_table import summary_text

        click.echo(summary_text(run.tally, run.phrases), nl=False)
    if run.ledger is not None:
        click.echo(run.ledger.told(), err=True)
