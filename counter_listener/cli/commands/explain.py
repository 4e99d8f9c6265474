"""`explain`: why a phrase was not heard, for people who question a verdict."""

from dataclasses import asdict
from pathlib import Path
from typing import Literal

import click

from counter_listener.cli.help import Command
from counter_listener.cli.options import (
    Position,
    beside_record,
    format_option,
    model_option,
    phrases_option,
    record_location,
    speakers_option,
    store_option,
)
from counter_listener.domain import N_, Speaker, UsageError, json_line, printable


@click.command(cls=Command, epilog="Example: counter-listener explain monday.wav --phrase hello --at 12")
@click.argument("recording", metavar="RECORDING", type=click.Path(path_type=Path))
@click.option("--phrase", metavar="ID|TITLE", help="Explain only this phrase, forbidden phrase or rule, heard or not.")
@click.option(
    "--at",
    metavar="TIME",
    type=Position(),
    help="Look only at what was said within 10 s of this time, in seconds or as 1:05; if nothing is to be explained"
    " there, show the closest phrases.",
)
@phrases_option
@store_option
@model_option
@click.option("--one-visit", is_flag=True, help="The recording is one visit, whatever is said in it.")
@speakers_option
@format_option("For people, or one explanation per line.")
def explain(  # noqa: PLR0913 - one parameter per option
    *,
    recording: Path,
    phrase: str | None,
    at: float | None,
    phrases_name: str,
    store_url: str | None,
    model_name: str,
    one_visit: bool,
    speakers: dict[str, Speaker],
    form: Literal["table", "jsonl"],
) -> None:
    """Show why: for every required phrase that was not heard the closest words that were said, and what was said for
    every forbidden phrase and every broken rule.

    RECORDING is a recording or a transcript. It prints the time, what was recognised, its syllables below
    those of the phrase set, what differs, how much each feature counts, the probability and its threshold, and what
    would have passed. The phrase set is the one that is in force in the record. The output goes to the terminal only;
    nothing is stored.
    """
    from counter_listener.asr import SpeechModel, find_model
    from counter_listener.judging import explain as explanations_for
    from counter_listener.judging import load_matcher
    from counter_listener.phrases import suggestion
    from counter_listener.pipeline import analyse, file_source

    matcher = load_matcher(phrases_name, beside=beside_record(record_location(store_url)))[0]
    titles = matcher.phrases.titles()
    if phrase is not None and phrase not in titles:
        by_title = {title: id_ for id_, title in titles.items()}
        if phrase not in by_title:
            text = N_("--phrase {phrase!r} is not a phrase, forbidden phrase or rule of {phrases_name}{hint}.")
            hint = suggestion(phrase, (*titles, *by_title))
            raise UsageError(text, phrase=phrase, phrases_name=phrases_name, hint=hint)
        phrase = by_title[phrase]
    source = file_source(recording, SpeechModel(find_model(model_name)), speakers=speakers)
    matched, events = analyse(source, matcher, one_visit=one_visit)
    explanations = explanations_for(matched, events, matcher, phrase, at)
    if form == "jsonl":
        for each in explanations:
            click.echo(json_line(asdict(each)))
        return
    from counter_listener.cli.terminal.explain_table import WIDTH, explanation_view
    from counter_listener.cli.terminal.printing import printed

    click.echo(printed(explanation_view(explanations, printable(str(recording)), titles), WIDTH), nl=False)
