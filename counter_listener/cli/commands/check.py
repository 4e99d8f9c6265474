"""`check` and `demo`: check recordings and transcripts, record the events and show them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

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
    discard_output,
    format_option,
    model_option,
    monotonic_clock,
    phrases_option,
    record_location,
    silence_option,
    store_option,
)
from counter_listener.domain import N_, UsageError, _, printable, system_reason

if TYPE_CHECKING:
    from counter_listener.batch import CheckOptions, CheckResult, MissingInput, Recorder, Tally, Worker
    from counter_listener.domain import PhraseSet, Speaker
    from counter_listener.record import Record

DEMO: Final = ("full-marks.wav", "no-greeting.wav", "forbidden.wav", "complaint-handled.wav")
TRANSCRIPTS_PER_WORKER: Final = 100
"""Transcripts that one process checks in the time in which a worker process starts."""
ROLES: Final = (("clerk", "customer"), ("customer", "clerk"), ("clerk", "unknown"), ("unknown", "clerk"))

DEMO_INTRODUCTION = N_("""\
Four counter visits, spoken by a speech synthesiser and heard by the bundled model, are checked
against the phrase set bank-counter. ✓ was heard, ✗ was owed and not heard (or was forbidden),
+ was heard and is welcome but not owed, ? cannot be told, · was neither owed nor heard. Nothing is recorded.
""")
DEMO_END = N_("""\
The same for your own recordings: counter-listener check FOLDER
The words it listens for: counter-listener phrases list; change them in a copy of bank-counter.toml.""")


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments and options of `check`."""

    paths: tuple[str, ...]
    phrases_name: str
    model_name: str
    store_url: str | None
    counter: str | None
    started: str | None
    one_visit: bool
    channels: tuple[Speaker, ...]
    jobs: int | None
    executor: str | None
    again: bool
    keep_transcripts: bool
    skip_silence: bool
    form: Format
    fail_under: float | None
    quiet: bool


@dataclass
class Run:
    """One run of `check` or `demo`: what is shown how, and where it is recorded."""

    phrases: PhraseSet
    counter: str | None
    form: Format
    quiet: bool
    recorder: Recorder | None
    """None records nothing."""
    location: str
    """Where the record is, for people."""
    tally: Tally
    output_failed: bool = False
    """Whether standard output can no longer be written."""


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
def check(**options: Any) -> None:  # noqa: ANN401 - click has checked them
    """Check recordings and transcripts of counter visits.

    PATH is a recording of any format (WAV, MP3, M4A, OGG, FLAC, AMR, WMA ...), a transcript (*.jsonl, one utterance
    a line: {"start": s, "end": s, "text": "..."}), a folder, which is searched recursively, or a pattern.
    A recording that is in the record already is shown from there, and adds nothing to it; judged there by another
    phrase set or model, it is checked and shown, and adds nothing either, but with --again. An interrupted run is
    taken up by running it again. With --store none nothing is recorded.
    """
    from counter_listener.audio import parse_time
    from counter_listener.batch import expand_inputs

    asked = Arguments(**options)
    if asked.fail_under is not None and isnan(asked.fail_under):
        raise UsageError("--fail-under takes a number from 0 to 100.")
    given_start = parse_time(asked.started, zone=None) if asked.started is not None else None
    if asked.store_url == "none" and (asked.again or asked.keep_transcripts):
        raise UsageError("--again and --keep-transcripts need a record; leave out --store none.")
    sys.exit(run_check(asked, expand_inputs(asked.paths), given_start))


@click.command(epilog="Example: counter-listener demo")
def demo() -> None:
    """Check the bundled recordings and explain what is shown. Records nothing."""
    from counter_listener.asr import SpeechModel, find_model
    from counter_listener.batch import CheckOptions, Tally
    from counter_listener.domain import bundled_folder
    from counter_listener.judging import load_matcher

    matcher = load_matcher(DEFAULT_PHRASES)[0]
    recordings = [bundled_folder("recordings") / name for name in DEMO]
    click.echo(_(DEMO_INTRODUCTION))
    run = Run(matcher.phrases, None, "table", quiet=False, recorder=None, location="none", tally=Tally())
    check_inputs(run, recordings, CheckOptions(matcher, SpeechModel(find_model(DEFAULT_MODEL))), [])
    click.echo("\n" + _(DEMO_END))
    sys.exit(exit_status(run, None))


def run_check(asked: Arguments, inputs: Sequence[Path | MissingInput], given_start: datetime | None) -> int:
    """Opens the model, the phrase set, the record and the workers, and checks the inputs. Returns the exit code."""
    from counter_listener.asr import SpeechModel, find_model
    from counter_listener.batch import CheckOptions, Recorder, Tally, is_recording, start_preloading, transcripts_folder
    from counter_listener.judging import load_matcher
    from counter_listener.matching import with_cache

    number = 0 if asked.executor is not None else worker_count(asked.jobs, inputs)
    model = SpeechModel(find_model(asked.model_name))
    if number:  # workers load the model while this process loads the phrase set
        start_preloading(model.folder if any(map(is_recording, inputs)) else None)
    matcher, digest = load_matcher(asked.phrases_name)
    options = CheckOptions(
        with_cache(matcher),
        model,
        skip_silence=asked.skip_silence,
        given_start=given_start,
        one_visit=asked.one_visit,
        roles=asked.channels,
        keep=asked.keep_transcripts,
    )
    judged_with = {"one_visit": asked.one_visit, "channels": list(asked.channels)}
    with start_workers(options, asked.executor, number) as workers, opened_record(asked.store_url) as record:
        recorder = record and Recorder(
            record,
            matcher.phrases.name,
            digest,
            model.name,
            asked.counter,
            options={name: value for name, value in judged_with.items() if value},
            again=asked.again,
            transcripts=transcripts_folder(record.path) if asked.keep_transcripts else None,
        )
        location = record_location(asked.store_url) if record else "none"
        run = Run(matcher.phrases, asked.counter, asked.form, asked.quiet, recorder, location, Tally())
        try:
            check_inputs(run, inputs, options, workers)
        except KeyboardInterrupt:
            report_interrupt(run)
            return INTERRUPTED
    return exit_status(run, asked.fail_under)


def check_inputs(
    run: Run, inputs: Sequence[Path | MissingInput], options: CheckOptions, workers: Sequence[Worker]
) -> None:
    """Checks, records and shows every input."""
    from counter_listener.batch import InputOrder, check_inline, check_with_workers
    from counter_listener.cli.terminal.progress import batch_progress

    known = run.recorder.find_recorded if run.recorder else _not_recorded
    order = InputOrder()
    _show(run, partial(_show_head, run))
    with batch_progress(inputs, monotonic_clock, quiet=run.quiet) as (advance, finished):
        if workers:
            batches = check_with_workers(inputs, workers, known, time.monotonic)
        else:
            batches = check_inline(inputs, replace(options, progress=advance), known)
        with closing(batches):
            for batch in batches:
                results = run.recorder.write(batch, datetime.now(UTC)) if run.recorder else batch
                _report_failures(run)
                for result in results.values():
                    finished(result)
                for result in order.release(results):
                    run.tally.add(result)
                    _show(run, partial(_show_result, run, result))
    _show(run, partial(_show_summary, run))


def _not_recorded(_path: Path) -> CheckResult | None:
    return None


def available_cores() -> int:
    """The number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_count(jobs: int | None, inputs: Sequence[Path | MissingInput]) -> int:
    """The number of worker processes; 0 if this process does the work.

    Without --jobs a worker is started for each recording or TRANSCRIPTS_PER_WORKER transcripts, at most one a core. A
    single recording needs no worker: if it crashes the engine, no other recording is affected.
    """
    from counter_listener.batch import is_recording

    recordings = sum(map(is_recording, inputs))
    useful = recordings + (len(inputs) - recordings) // TRANSCRIPTS_PER_WORKER
    number = min(available_cores(), useful) if jobs is None else min(jobs, len(inputs))
    return 0 if number <= 1 and recordings <= 1 else number


@contextmanager
def start_workers(options: CheckOptions, executor: str | None, number: int) -> Iterator[Sequence[Worker]]:
    """The workers of a cluster, or `number` worker processes; they are stopped at the end. Raises UsageError."""
    workers: list[Worker] = []
    if executor is not None:
        from counter_listener.batch import cluster_workers

        workers += cluster_workers(executor, options)
    elif number:
        from counter_listener.batch import ProcessWorker

        workers += (ProcessWorker(options) for _ in range(number))
    try:
        yield workers
    finally:
        for worker in workers:
            worker.end()


@contextmanager
def opened_record(store_url: str | None) -> Iterator[Record | None]:
    """The record that --store names; None for `none`."""
    if store_url == "none":
        yield None
        return
    from counter_listener.record import open_record

    with open_record(record_location(store_url)) as record:
        yield record


def exit_status(run: Run, fail_under: float | None) -> int:
    """The exit code. A failure of the record outranks a failure of an input, and that outranks a low score."""
    if run.recorder and run.recorder.counts.failed:
        return NO_RECORD
    if run.tally.failed or run.tally.incomplete:
        return UNREADABLE
    lowest = run.tally.lowest
    return BELOW if fail_under is not None and lowest is not None and lowest < fail_under else PASSED


def report_interrupt(run: Run) -> None:
    """Says how many recordings were recorded before the interrupt."""
    counts = run.recorder.counts if run.recorder else None
    recorded = counts.recorded + counts.judged_again if counts else 0
    click.echo(_("Interrupted; {count} recorded. Run it again to check the rest.").format(count=recorded), err=True)


def _report_failures(run: Run) -> None:
    while run.recorder and run.recorder.failures:
        path, error = run.recorder.failures.pop(0)
        text = _("Error: {path} was checked but not recorded: {error}")
        click.echo(text.format(path=printable(str(path)), error=error.translated(_)), err=True)


def _show(run: Run, show: Callable[[], None]) -> None:
    """Shows something. If the output cannot be written (closed pipe, full disk), recording continues without it."""
    if run.output_failed:
        return
    try:
        show()
        sys.stdout.flush()
    except OSError as error:
        if run.recorder is None:
            raise
        run.output_failed = True
        discard_output()
        text = _("The output cannot be written ({why}); checking and recording go on.")
        click.echo(text.format(why=system_reason(error).translated(_)), err=True)


def _show_head(run: Run) -> None:
    if run.form == "csv":
        from counter_listener.record import COLUMNS, csv_line

        click.echo(csv_line(COLUMNS))


def _show_result(run: Run, result: CheckResult) -> None:
    if result.failure:
        click.echo(_("Error: {message}").format(message=printable(result.failure.translated(_))), err=True)
    for loss in result.losses:
        text = _("Warning: {path}: audio was lost: {reason}")
        click.echo(text.format(path=printable(str(result.path)), reason=_(loss)), err=True)
    if run.form == "table":
        from counter_listener.cli.terminal.visit_table import result_text

        click.echo(result_text(result, run.phrases), nl=False)
        return
    from counter_listener.record import as_csv_lines, as_json_lines

    lines = (as_json_lines if run.form == "jsonl" else as_csv_lines)(_rows(run, result))
    click.echo("".join(f"{line}\n" for line in lines), nl=False)


def _rows(run: Run, result: CheckResult) -> Iterator[dict[str, object]]:
    from counter_listener.record import export_row

    started = result.started.at.astimezone() if result.started and result.started.at else None
    for event in result.events:
        row = export_row(event, source=str(result.path), stream=result.stream, counter=run.counter, began=started)
        if event.kind == "visit_opened":
            row["started_from"] = result.started.how if result.started else "unknown"
        yield row


def _show_summary(run: Run) -> None:
    if run.quiet:
        return
    if run.form == "table":
        from counter_listener.cli.terminal.visit_table import summary_text

        click.echo(summary_text(run.tally, run.phrases), nl=False)
    if run.recorder is not None:
        from counter_listener.cli.terminal.visit_table import recorded_text

        click.echo(recorded_text(run.recorder.counts, run.location), err=True)
