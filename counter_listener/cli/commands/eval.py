"""`eval`: how well phrases are found in labelled speech, compared with three baselines."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from functools import partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from counter_listener.cli.help import Command
from counter_listener.cli.options import (
    ExitCode,
    beside_record,
    existing_record,
    format_option,
    model_option,
    phrases_option,
    record_location,
    silence_option,
    store_option,
)
from counter_listener.domain import N_, AudioError, TranscriptError, UsageError, _, json_line, printable

if TYPE_CHECKING:
    from counter_listener.asr import SpeechModel
    from counter_listener.domain import PhraseSet
    from counter_listener.evaluation import Evaluation, FileDetections, Finders, Label

EXIT_CODES: Final = N_("""\
Exit codes:
  0    every labelled file was scored (and the overall F1 is not below --min-f1)
  1    the overall F1 is below --min-f1
  2    bad usage: an option, a phrase set or a model that cannot be used
  3    the labels, or some file they name, could not be read; the others were scored
  130  interrupted; nothing is printed""")


@click.command(
    "eval", cls=Command, epilog="\b\n" + EXIT_CODES + "\n\nExample: counter-listener eval labels.jsonl --min-f1 0.97"
)
@click.argument("labels_path", metavar="[LABELS]", required=False, type=click.Path(path_type=Path))
@click.option("--reviews", is_flag=True, help="Instead of LABELS, what people reviewed in the record.")
@store_option
@phrases_option
@model_option
@silence_option
@click.option(
    "--sweep",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also plot precision against recall at every threshold, as .png or .svg (needs matplotlib).",
)
@click.option("--min-f1", metavar="SHARE", type=click.FloatRange(0, 1), help="Exit with 1 if the overall F1 is less.")
@format_option("For people, or one line for each method and phrase.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def evaluate(  # noqa: PLR0913 - one parameter an option
    *,
    labels_path: Path | None,
    reviews: bool,
    store_url: str | None,
    phrases_name: str,
    model_name: str,
    skip_silence: bool,
    sweep: Path | None,
    min_f1: float | None,
    form: Literal["table", "jsonl"],
    quiet: bool,
) -> None:
    """Score how well phrases are found in labelled recordings and transcripts.

    LABELS holds one JSON object per line: {"file": "monday.wav", "seconds": 62.5, "said": [{"id": "hello", "start":
    0.4, "end": 1.9}]}, files relative to it, ids of phrases and of forbidden phrases. The baselines are exact text,
    and rapidfuzz's partial ratio on characters and on toneless pinyin. docs/head-office.md says what is counted.
    With --reviews, the recordings are scored of which people have looked at every visit to its end.
    """
    from counter_listener.asr import SpeechModel, find_model
    from counter_listener.evaluation import check_sweep, draw_sweep, prepare_finders
    from counter_listener.evaluation import evaluate as evaluate_files
    from counter_listener.judging import load_matcher

    if min_f1 is not None and isnan(min_f1):
        raise UsageError("--min-f1 takes a number from 0 to 1.")
    if sweep is not None:
        check_sweep(sweep)
    matcher = load_matcher(phrases_name, beside=beside_record(record_location(store_url)))[0]
    labels = labels_from(labels_path, store_url, matcher.phrases.titles(), reviews=reviews)
    model = SpeechModel(find_model(model_name))
    try:
        trials = list(try_all(labels, model, prepare_finders(matcher), skip_silence=skip_silence, quiet=quiet))
    except KeyboardInterrupt:
        click.echo(_("Interrupted; nothing was scored."), err=True)
        sys.exit(ExitCode.INTERRUPTED)
    if not trials:
        sys.exit(ExitCode.UNREADABLE)
    result = evaluate_files(trials)
    show(result, len(trials), matcher.phrases, form)
    if sweep is not None:
        draw_sweep(result, sweep)
    if len(trials) < len(labels):
        sys.exit(ExitCode.UNREADABLE)
    reached = result.ours.counts.f1
    if min_f1 is not None and isnan(reached):
        raise UsageError("--min-f1 needs an F1, but nothing was labelled and nothing was found, so there is none.")
    sys.exit(ExitCode.PASSED if min_f1 is None or reached >= min_f1 else ExitCode.BELOW)


def labels_from(path: Path | None, store_url: str | None, known: Collection[str], *, reviews: bool) -> list[Label]:
    """The labels of a file, or those that the reviews of the record give. Raises UsageError and what reading does."""
    from counter_listener.evaluation import labels_of_reviews, read_labels

    if reviews == (path is not None):
        raise UsageError("Name a file of labels, or add --reviews to score against the reviews of the record.")
    if path is not None:
        return read_labels(path, known)
    from counter_listener.record import labelled_recordings

    with existing_record(store_url) as record:
        return labels_of_reviews(record.query(labelled_recordings), known)


def try_all(
    labels: list[Label], model: SpeechModel, asked: Finders, *, skip_silence: bool, quiet: bool
) -> Iterator[FileDetections]:
    """The detections of each labelled file; a file that cannot be read is reported and skipped. Raises ModelError."""
    from counter_listener.cli.terminal.progress import progress_bar
    from counter_listener.cli.terminal.visit_table import loss_notes
    from counter_listener.evaluation import load_case, run_finders

    with progress_bar(len(labels), quiet=quiet) as (underway, done):
        for label in labels:
            try:
                case = load_case(label, model, partial(underway, label.path), skip_silence=skip_silence)
            except (AudioError, TranscriptError) as error:
                click.echo(_("Error: {message}").format(message=printable(error.translated(_))), err=True)
                done()
                continue
            for note in loss_notes(case.name, case.losses):
                click.echo(note, err=True)
            yield run_finders(case, asked)
            done()


def show(result: Evaluation, files: int, phrases: PhraseSet, form: Literal["table", "jsonl"]) -> None:
    """Prints the scores of our matcher, then of the baselines."""
    from counter_listener.evaluation import json_row, score_rows

    methods = [score_rows(result.ours, result.seconds, own_settings=True)]
    methods += [score_rows(method, result.seconds, own_settings=False) for method in result.baselines]
    if form == "jsonl":
        for row in (row for method in methods for row in method):
            click.echo(json_line(json_row(row)))
        return
    from counter_listener.cli.terminal.printing import printed
    from counter_listener.cli.terminal.score_table import WIDTH, score_view

    click.echo(printed(score_view(methods, phrases.titles(), files, result.seconds), WIDTH), nl=False)
