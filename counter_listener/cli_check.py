"""`check` and `demo`: the main job, from recordings to a record."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from math import isnan
from typing import TYPE_CHECKING, Any

import click

from counter_listener.cli_options import (
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
    load_phrases,
    model_option,
    phrases_option,
    silence,
    store_option,
    store_place,
)
from counter_listener.errors import StoreError, UsageError
from counter_listener.privacy import printable
from counter_listener.progress import progress_bar

if TYPE_CHECKING:
    from counter_listener.batch import Result, Task
    from counter_listener.phrase_set import PhraseSet
    from counter_listener.store import Origin, Store
    from counter_listener.tally import Tally

DEMO = ("full-marks.wav", "no-greeting.wav", "forbidden.wav", "complaint-handled.wav")

DEMO_INTRODUCTION = """\
Four counter visits, spoken by a speech synthesiser and heard by the bundled model, are checked
against the phrase set bank-counter. ✓ was heard, ✗ was owed and not heard (or was forbidden),
+ was heard and is welcome but not owed, ? cannot be told, · was neither owed nor heard. Nothing is recorded.
"""
DEMO_END = """\
The same for your own recordings: counter-listener check FOLDER
The words it listens for: counter-listener phrases list; change them in a copy of bank-counter.toml."""


@dataclass
class Run:
    """One call of `check`: what it was asked, and what has come of it so far."""

    phrases: PhraseSet
    digest: str
    counter: str | None
    form: Format
    quiet: bool
    store: Store | None
    place: str
    """Where the record is kept, for people."""
    tally: Tally
    recorded: int = 0
    known: int = 0
    """How many were in the record already."""
    unrecorded: int = 0
    """How many could not be written to the record."""
    unheeded: bool = False
    """Whether the output can no longer be written."""


@click.command(epilog=EXIT_CODES + "\nExample: counter-listener check monday/ '*.mp3' --counter 3 --format jsonl")
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
    form: Format,
    fail_under: float | None,
    quiet: bool,
) -> None:
    """Check recordings and transcripts of counter visits.

    PATH is a recording of any format (WAV, MP3, M4A, OGG, FLAC, AMR, WMA ...), a transcript (*.jsonl, one utterance
    a line: {"start": s, "end": s, "text": "..."}), a folder, which is searched recursively, or a pattern.
    A recording that is in the record already is checked and shown again, and adds nothing to it. With --store none
    nothing is recorded.
    """
    from counter_listener.batch import Ears, Task
    from counter_listener.inputs import inputs
    from counter_listener.models import find_model
    from counter_listener.started import parse_time
    from counter_listener.tally import Tally

    matcher, digest = load_phrases(phrases_name)
    if fail_under is not None and isnan(fail_under):
        raise UsageError("--fail-under takes a number from 0 to 100.")
    given = parse_time(started, zone=None) if started is not None else None
    task = Task(matcher, Ears(find_model(model_name)), given=given, one_visit=one_visit)
    with opened(store_url) as (store, place):
        run = Run(matcher.phrases, digest, counter, form, quiet, store, place, Tally())
        code = carry_out(run, inputs(paths), task, fail_under)
    sys.exit(code)


@click.command(epilog="Example: counter-listener demo")
def demo() -> None:
    """Check the bundled recordings and explain what is shown. Records nothing."""
    from counter_listener.batch import Ears, Task
    from counter_listener.models import find_model
    from counter_listener.shipped import shipped
    from counter_listener.tally import Tally

    matcher, digest = load_phrases(DEFAULT_PHRASES)
    recordings: list[Any] = [shipped("recordings") / name for name in DEMO]
    click.echo(DEMO_INTRODUCTION)
    run = Run(matcher.phrases, digest, None, "table", quiet=False, store=None, place="none", tally=Tally())
    code = carry_out(run, recordings, Task(matcher, Ears(find_model(DEFAULT_MODEL))), None)
    click.echo("\n" + DEMO_END)
    sys.exit(code)


@contextmanager
def opened(store_url: str | None) -> Iterator[tuple[Store | None, str]]:
    """The record that the user asked for, and where it is; None for `none`."""
    if store_url == "none":
        yield None, "none"
        return
    from counter_listener.store import open_store

    place = store_place(store_url)
    with open_store(place) as store:
        yield store, place


def carry_out(run: Run, inputs: list[Any], task: Task, fail_under: float | None) -> int:
    """Checks, records and shows every input; the exit code."""
    from counter_listener.batch import check as check_all

    try:
        _show(run, lambda: _show_head(run))
        with progress_bar(len(inputs), quiet=run.quiet) as (underway, done):
            for result in check_all(inputs, replace(task, progress=underway)):
                run.tally.add(result)
                record(run, result)
                _show(run, partial(_show_result, run, result))
                done()
        _show(run, lambda: _close_with_notes(run))
    except KeyboardInterrupt:
        click.echo(f"Interrupted; {run.recorded} recorded. Run it again to check the rest.", err=True)
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
        if run.store is None:
            raise
        run.unheeded = True
        silence()
        click.echo(f"The output cannot be written ({error.strerror}); checking and recording go on.", err=True)


def outcome(run: Run, fail_under: float | None) -> int:
    """The exit code: trouble with the record outranks trouble with inputs, and that outranks low scores."""
    if run.unrecorded:
        return NO_RECORD
    if run.tally.failed or run.tally.incomplete:
        return UNREADABLE
    low = run.tally.lowest
    return BELOW if fail_under is not None and low is not None and low < fail_under else PASSED


def record(run: Run, result: Result) -> None:
    """Writes a result's events to the record, all or none, before anything of it is shown."""
    if run.store is None or result.error:
        return
    from counter_listener.store import Recording

    recording = Recording(result.sha256 or "", str(result.path.resolve()), result.seconds)
    try:
        added = run.store.add_recording(recording, result.events, _origin(run, result), datetime.now(UTC))
    except StoreError as error:
        run.unrecorded += 1
        click.echo(f"Error: {printable(str(result.path))} was checked but not recorded: {error}", err=True)
        return
    run.recorded += added
    run.known += not added


def _origin(run: Run, result: Result) -> Origin:
    from counter_listener.store import Origin

    return Origin(
        stream=result.stream,
        source=result.sha256 or "",
        counter=run.counter,
        started=result.started.at if result.started else None,
        phrases=run.phrases.name,
        phrases_hash=run.digest,
        model=result.model,
    )


def _show_head(run: Run) -> None:
    if run.form == "csv":
        from counter_listener.rows import COLUMNS, csv_line

        click.echo(csv_line(COLUMNS))


def _show_result(run: Run, result: Result) -> None:
    if result.error:
        click.echo(f"Error: {printable(result.error)}", err=True)
    for loss in result.losses:
        click.echo(f"Warning: {printable(str(result.path))}: audio was lost: {loss}", err=True)
    if run.form == "table":
        from counter_listener.show import result_text

        click.echo(result_text(result, run.phrases), nl=False)
        return
    from counter_listener.rows import as_csv_lines, as_json_lines

    for line in (as_json_lines if run.form == "jsonl" else as_csv_lines)(_rows_of(run, result)):
        click.echo(line)


def _rows_of(run: Run, result: Result) -> Iterator[dict[str, object]]:
    from counter_listener.rows import row_of

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
        from counter_listener.show import summary_text

        click.echo(summary_text(run.tally, run.phrases), nl=False)
    if run.store is not None:
        again = f"; {run.known} were in it already and added nothing" if run.known else ""
        click.echo(f"Recorded {run.recorded} in {run.place}{again}.", err=True)
