"""`check` and `demo`: check recordings and transcripts, record the events and show them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import isnan
from typing import TYPE_CHECKING, Any, Final

import click

from counter_listener.cli.help import Command
from counter_listener.cli.options import (
    DEFAULT_MODEL,
    DEFAULT_PHRASES,
    EXIT_CODES,
    ExitCode,
    Format,
    beside_record,
    format_option,
    key_location,
    key_option,
    model_option,
    phrases_option,
    record_location,
    silence_option,
    speakers_option,
    store_option,
    warn_of_readers,
    who_spoke_option,
)
from counter_listener.domain import N_, UsageError, _

if TYPE_CHECKING:
    from counter_listener.batch import CheckOptions, Input, LeftOut, Plan, Worker
    from counter_listener.cli.terminal.check_output import CheckOutput
    from counter_listener.domain import Speaker

DEMO: Final = ("full-marks.wav", "no-greeting.wav", "forbidden.wav", "complaint-handled.wav")
ROLES: Final = (("clerk", "customer"), ("customer", "clerk"), ("clerk", "unknown"), ("unknown", "clerk"))

DEMO_INTRODUCTION = N_("""\
Four counter visits, spoken by a speech synthesiser and recognised by the bundled model, are checked
against the phrase set bank-counter. ✓ heard, ✗ required and not heard (or a forbidden phrase), + heard
and recommended, ? unknown, · neither required nor heard. Nothing is recorded.
""")
DEMO_END = N_("""\
To check your own recordings: counter-listener check FOLDER
To see the phrases it checks: counter-listener phrases list; to change them, edit a copy of bank-counter.toml.""")


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments and options of `check`."""

    paths: tuple[str, ...]
    phrases_name: str
    model_name: str
    store_url: str | None
    key: str | None
    counter: str | None
    started: str | None
    one_visit: bool
    channels: tuple[Speaker, ...]
    speakers: dict[str, Speaker]
    jobs: int | None
    executor: str | None
    again: bool
    keep_transcripts: bool
    skip_silence: bool
    who_spoke: bool
    form: Format
    fail_under: float | None
    quiet: bool


def parse_roles(_ctx: click.Context, _param: click.Parameter, given: str | None) -> tuple[Speaker, ...]:
    """The speaker of each channel, from the value of --channels. Raises UsageError."""
    if given is None:
        return ()
    named = tuple(role.strip() for role in given.split(","))
    if named not in ROLES:
        names = " or ".join(",".join(roles) for roles in ROLES)
        raise UsageError("--channels takes {names}, not {given!r}.", names=names, given=given)
    return named


OPTIONS: Final = (
    click.option("--one-visit", is_flag=True, help="Each recording is one visit, whatever is said in it."),
    click.option(
        "--channels",
        metavar="ROLE,ROLE",
        callback=parse_roles,
        help="Who speaks on each of two channels or sound tracks, such as clerk,customer.  [default: all are mixed,"
        " speakers unknown]",
    ),
    speakers_option,
    click.option(
        "--jobs",
        metavar="N",
        type=click.IntRange(1, 256),
        help="Worker processes.  [default: one per core, at most one per file]",
    ),
    click.option(
        "--executor", metavar="dask:ADDRESS", help="Run the work on a dask.distributed cluster (extra: cluster)."
    ),
)
keep_option = click.option(
    "--keep-transcripts",
    is_flag=True,
    help="Keep the recognised text next to the record, numbers masked, for `rejudge`.  [default: no text is kept]",
)


def hearing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of how recordings are heard, and by how many workers; also of `watch`."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command(
    cls=Command,
    epilog="\b\n" + EXIT_CODES + "\n\nExample: counter-listener check monday/ '*.mp3' --counter 3 --format jsonl",
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@phrases_option
@model_option
@store_option
@key_option
@click.option("--counter", metavar="NAME", help="The counter that was recorded, for the record.")
@click.option(
    "--started",
    metavar="TIME",
    help="When every recording began, such as '2026-01-15 09:30'.  [default: from the file's name or time stamp, else"
    " unknown]",
)
@hearing_options
@click.option("--again", is_flag=True, help="Judge recorded inputs again; their old verdicts stay as history.")
@keep_option
@silence_option
@who_spoke_option
@format_option("For people, or one event per line.", "table", "jsonl", "csv")
@click.option(
    "--fail-under", metavar="SCORE", type=click.FloatRange(0, 100), help="Exit with 1 if a visit scores less."
)
@click.option("--quiet", is_flag=True, help="No progress bar, no notes on the record, no summary.")
def check(**options: Any) -> None:  # noqa: ANN401 - click has checked them
    """Check recordings and transcripts of counter visits.

    PATH is a recording of any format (WAV, MP3, M4A, OGG, FLAC, AMR, WMA, video ...), a transcript (*.jsonl, one
    utterance per line: {"start": s, "end": s, "text": "..."}, or results of Vosk; subtitles *.srt, *.vtt), a folder,
    which is searched recursively, or a pattern. In a folder every file is checked that holds sound, whatever its name;
    what is left out is listed at the end.
    A recording that is already in the record is shown from there and adds nothing to it. If it was judged there with
    another phrase set or model, it is checked and shown, and adds nothing either, except with --again. To continue an
    interrupted run, run it again. With --store none nothing is recorded.
    """
    from counter_listener.audio import parse_time
    from counter_listener.batch import expand_inputs

    arguments = Arguments(**options)
    if arguments.fail_under is not None and isnan(arguments.fail_under):
        raise UsageError("--fail-under takes a number from 0 to 100.")
    given_start = parse_time(arguments.started, zone=None) if arguments.started is not None else None
    if arguments.store_url == "none" and (arguments.again or arguments.keep_transcripts):
        raise UsageError("--again and --keep-transcripts need a record; leave out --store none.")
    inputs, left_out = expand_inputs(arguments.paths)
    sys.exit(run_check(arguments, inputs, left_out, given_start))


@click.command(cls=Command, epilog="Example: counter-listener demo")
def demo() -> None:
    """Check the bundled recordings and explain what is shown. Records nothing."""
    from counter_listener.asr import SpeechModel, find_model
    from counter_listener.batch import CheckOptions
    from counter_listener.cli.terminal.check_output import CheckOutput
    from counter_listener.domain import bundled_folder
    from counter_listener.judging import load_matcher

    matcher = load_matcher(DEFAULT_PHRASES)[0]
    recordings = [bundled_folder("recordings") / name for name in DEMO]
    click.echo(_(DEMO_INTRODUCTION))
    output = CheckOutput(matcher.phrases, None, "table", quiet=False, recorder=None, location="none")
    check_inputs(output, recordings, CheckOptions(matcher, SpeechModel(find_model(DEFAULT_MODEL))), [])
    click.echo("\n" + _(DEMO_END))
    sys.exit(exit_code(output, None))


def run_check(
    arguments: Arguments, inputs: Sequence[Input], left_out: Sequence[LeftOut], given_start: datetime | None
) -> ExitCode:
    """Opens the model, the phrase set, the record and the workers, and checks the inputs. Returns the exit code."""
    from counter_listener.batch import is_recording, open_run, worker_count
    from counter_listener.cli.terminal.check_output import CheckOutput

    number = 0 if arguments.executor else worker_count(arguments.jobs, inputs)
    location = "none" if arguments.store_url == "none" else record_location(arguments.store_url)
    plan = plan_of(arguments, location, given_start)
    with ExitStack() as stack:
        sound = any(map(is_recording, inputs))
        run = stack.enter_context(open_run(plan, preload=number > 0, sound=sound, modules=["counter_listener.cli"]))
        workers = run.workers(number)
        for worker in workers:
            stack.callback(worker.end)
        recorder, phrases = run.recorder, run.matcher.phrases
        if recorder is not None:
            warn_of_readers(location, plan.key)
        output = CheckOutput(phrases, arguments.counter, arguments.form, arguments.quiet, recorder, location)
        try:
            check_inputs(output, inputs, run.options, workers, left_out)
        except KeyboardInterrupt:
            counts = recorder.counts if recorder else None
            text = _("Interrupted; {count} recorded. Run it again to check the rest.")
            click.echo(text.format(count=counts.recorded + counts.judged_again if counts else 0), err=True)
            return ExitCode.INTERRUPTED
    return exit_code(output, arguments.fail_under)


def plan_of(arguments: Arguments, location: str, given_start: datetime | None) -> Plan:
    """How the arguments ask for recordings to be checked."""
    from counter_listener.batch import Plan

    return Plan(
        phrases=arguments.phrases_name,
        model=arguments.model_name,
        record=None if location == "none" else location,
        beside=beside_record(location),
        key=key_location(arguments.key),
        counter=arguments.counter,
        started=given_start,
        one_visit=arguments.one_visit,
        channels=arguments.channels,
        speakers=arguments.speakers,
        executor=arguments.executor,
        again=arguments.again,
        keep_transcripts=arguments.keep_transcripts,
        skip_silence=arguments.skip_silence,
        who_spoke=arguments.who_spoke,
    )


def check_inputs(
    output: CheckOutput,
    inputs: Sequence[Input],
    options: CheckOptions,
    workers: Sequence[Worker],
    left_out: Sequence[LeftOut] = (),
) -> None:
    """Checks, records and shows every input, and what was left out of folders."""
    from counter_listener.batch import InputOrder, recorded_batches
    from counter_listener.cli.terminal.progress import batch_progress

    order = InputOrder()
    output.show_head()
    with batch_progress(inputs, quiet=output.quiet) as (advance, finished):
        watched = options if workers else replace(options, progress=advance)
        batches = recorded_batches(inputs, watched, workers, output.recorder, time.monotonic, lambda: datetime.now(UTC))
        with closing(batches):
            for results in batches:
                output.report_failures()
                for result in results.values():
                    finished(result)
                for result in order.release(results):
                    output.show_result(result)
    output.show_left_out(left_out)
    output.show_summary(left_out)


def exit_code(output: CheckOutput, fail_under: float | None) -> ExitCode:
    """The exit code. A failure of the record or the output outranks one of an input, and that outranks a low score."""
    tally = output.tally
    if output.lost or (output.recorder and (output.recorder.counts.failed or output.recorder.counts.unkept)):
        return ExitCode.NO_RECORD
    if tally.failed or tally.incomplete:
        return ExitCode.UNREADABLE
    below = fail_under is not None and tally.lowest is not None and tally.lowest < fail_under
    return ExitCode.BELOW if below else ExitCode.PASSED
