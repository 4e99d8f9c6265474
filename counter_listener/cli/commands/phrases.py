"""`phrases`: list, check and try phrase sets, and list the wordings that a model cannot recognise."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from counter_listener.cli.help import TranslatedGroup, pad_columns
from counter_listener.cli.options import DEFAULT_MODEL, ExitCode
from counter_listener.domain import (
    KINDS,
    Frame,
    MatchedUtterance,
    Speaker,
    UsageError,
    Utterance,
    _,
    bundled_folder,
    mask_numbers,
    printable,
    system_reason,
)

if TYPE_CHECKING:
    from counter_listener.matching import Matcher

FINDINGS: Final = {**KINDS, "offence": KINDS["forbidden"], "trigger": KINDS["scenario"]}
"""The names of what is found, by kind."""

MAX_WRITTEN: Final = 10**12
"""Numbers from here on are written as powers of ten."""

FRAMED_KINDS: Final = {"phrase": "phrase", "forbidden": "offence", "when": "rule", "trigger": "trigger"}
"""By the role of a template that a frame may hold: the kind of finding."""


@click.group(cls=TranslatedGroup, epilog="Example: counter-listener phrases check my-branch.toml")
def phrases() -> None:
    """Phrase sets: the phrases that are required and forbidden."""


@phrases.command("list", epilog="Example: counter-listener phrases list")
def list_() -> None:
    """List the phrase sets that ship with the program."""
    from counter_listener.phrases import read_phrase_set

    for path in sorted(bundled_folder("phrase_sets").glob("*.toml")):
        phrase_set = read_phrase_set(path)[0]
        listed = [phrase for phrase, _stage in phrase_set.phrases()]
        text = _(
            "{name}, version {version} ({language}): {owed} phrases ({required} required), {forbidden} forbidden,"
            " {rules} rules"
        ).format(
            name=phrase_set.name,
            version=phrase_set.version,
            language=phrase_set.language,
            owed=len(listed),
            required=sum(phrase.required for phrase in listed),
            forbidden=len(phrase_set.forbidden),
            rules=len(phrase_set.rule),
        )
        click.echo(printable(f"{path.stem:18} {text}"))


@phrases.command(epilog="Example: counter-listener phrases check my-branch.toml")
@click.argument("name", metavar="FILE|NAME")
@click.option("--list", "listed", is_flag=True, help="List each template with the number of its sentences.")
def check(*, name: str, listed: bool) -> None:
    """Check a phrase set: its format, its examples, and its templates.

    The sentences of a template must be heard as their own phrase, and must not say the opposite of each other.
    """
    from counter_listener.judging import failing_examples, load_matcher, unmatched_templates
    from counter_listener.phrases import iter_templates, template_reader

    matcher = load_matcher(name, proven=False)[0]
    phrase_set = matcher.phrases
    read = template_reader(phrase_set).read
    templates = [(owner, read(text)) for _kind, owner, text in iter_templates(phrase_set)]
    for owner, template in templates if listed else ():
        click.echo(f"{owner:24} {format_count(template.sentences):>15}  {template.text}")
    faults = [*failing_examples(matcher), *unmatched_templates(matcher)]
    for fault in faults:
        click.echo(printable(f"{name}{_(': ')}{fault.translated(_)}"))
    sentences = sum(template.sentences for _owner, template in templates)
    text = _("{templates} templates spell {sentences} sentences.")
    click.echo(text.format(templates=format_count(len(templates)), sentences=format_count(sentences)))
    text = _(
        "{name}: {owed} phrases, {forbidden} forbidden, {rules} rules; {examples} examples, {known} of them known to"
        " fail; {faults} faults."
    ).format(
        name=phrase_set.name,
        owed=len(list(phrase_set.phrases())),
        forbidden=len(phrase_set.forbidden),
        rules=len(phrase_set.rule),
        examples=len(phrase_set.example),
        known=sum(example.fails for example in phrase_set.example),
        faults=len(faults),
    )
    click.echo(text)
    sys.exit(ExitCode.USAGE if faults else ExitCode.PASSED)


def format_count(number: int) -> str:
    """A number with commas; as a power of ten where it would be longer than a line."""
    return f"{number:,}" if number < MAX_WRITTEN else f"{number:.1e}".replace("e+", " × 10^")


@phrases.command("try", epilog="Example: counter-listener phrases try bank-counter '您好，请出示您的身份证'")
@click.argument("name", metavar="SET")
@click.argument("text")
@click.option("--speaker", type=click.Choice(["clerk", "customer", "unknown"]), default="unknown", help="Who says it.")
def try_(*, name: str, text: str, speaker: Speaker) -> None:
    """Show what a phrase set finds in a sentence."""
    from counter_listener.judging import counted_findings, load_matcher, typed_utterance
    from counter_listener.matching import find_in_utterance
    from counter_listener.phrases import text_syllables

    matcher = load_matcher(name, proven=False)[0]
    utterance = typed_utterance(text, speaker)
    click.echo(_("sounds: {syllables}").format(syllables=" ".join(text_syllables(printable(text)))))
    findings = list(counted_findings(MatchedUtterance(utterance, find_in_utterance(matcher, utterance), 0)))
    framed = framed_speech(matcher, utterance)
    titles = {(one.owner, one.start, one.end): one.frame.title for one in framed}
    for kind, hit in findings:
        followed = "" if hit.followed is None else _(", followed") if hit.followed else _(", broken")
        shared = _(", customers say it too") if hit.shared else ""
        text = _("“{heard}” for “{wording}”, {score:g}")
        text = text.format(heard=hit.heard, wording=hit.wording, score=hit.score)
        title = titles.get((hit.owner, hit.start, hit.end))
        frame = _(", in the frame “{title}”").format(title=title) if title else ""
        click.echo(f"{pad_columns(_(FINDINGS[kind]), 8)} {hit.owner:20} {text}{followed}{shared}{frame}")
    for one in framed if speaker != "customer" else ():
        if one.frame.makes == "nothing" and not any(
            hit.start < one.end and one.start < hit.end for kind, hit in findings if kind != "word"
        ):
            text = _("“{heard}” does not count in the frame “{title}”").format(heard=one.heard, title=one.frame.title)
            click.echo(f"{pad_columns(_(FINDINGS[one.kind]), 8)} {one.owner:20} {text}")
    if not findings:
        click.echo(_("nothing"))


@dataclass(frozen=True, slots=True)
class FramedSpeech:
    """Words that fit a template, and the frame in which they stand. Times are seconds into the utterance."""

    kind: str
    owner: str
    heard: str
    start: float
    end: float
    frame: Frame


def framed_speech(matcher: Matcher, utterance: Utterance) -> list[FramedSpeech]:
    """What stands in a frame, the best of what overlaps; also what is no hit because the frame makes nothing of it."""
    from counter_listener.matching import frame_of, search_candidates, to_syllables

    syllables = to_syllables(utterance, matcher.phrases.hearing.clause_pause)
    accepted = [one for one in search_candidates(matcher, syllables) if one.accepted]
    found: list[FramedSpeech] = []
    for candidate in sorted(accepted, key=lambda one: -one.value):
        kind = FRAMED_KINDS.get(candidate.role)
        frame = frame_of(candidate, accepted, matcher) if kind else None
        start, end = syllables.starts[candidate.first], syllables.ends[candidate.last - 1]
        beaten = any(one.kind == kind and one.start < end and start < one.end for one in found)
        if kind is None or frame is None or beaten:
            continue
        found.append(FramedSpeech(kind, candidate.owner, mask_numbers(candidate.alignment.heard), start, end, frame))
    return sorted(found, key=lambda one: one.start)


@phrases.command(epilog="Example: counter-listener phrases export bank-counter words.xlsx")
@click.argument("name", metavar="SET")
@click.argument("target", metavar="FILE.xlsx", type=click.Path(path_type=Path))
def export(*, name: str, target: Path) -> None:
    """Write a phrase set as a spreadsheet: a sheet for each kind of entry, one row a phrase.

    Edit it, and read it back with `phrases import`. What the sheets do not show is kept in it.
    """
    from counter_listener.domain import current_language, translator
    from counter_listener.phrases import write_spreadsheet

    text = _text_of(name)
    made = BytesIO()
    write_spreadsheet(text, made, translator(current_language()))
    _write_new(target, made.getvalue())
    click.echo(
        _("{path} is written; read it back with: {command}").format(
            path=target, command=f"counter-listener phrases import {shlex.quote(str(target))}"
        )
    )


@phrases.command("import", epilog="Example: counter-listener phrases import words.xlsx --to my-branch.toml")
@click.argument("source", metavar="FILE.xlsx", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "target",
    metavar="FILE.toml",
    type=click.Path(path_type=Path),
    help="The phrase set to write.  [default: the name of the spreadsheet, with .toml]",
)
def import_(*, source: Path, target: Path | None) -> None:
    """Write the phrase set that an exported and edited spreadsheet stands for.

    Cells that were not changed leave the file as it was, comments included.
    """
    from counter_listener.phrases import read_spreadsheet

    target = target or source.with_suffix(".toml")
    _write_new(target, read_spreadsheet(source).encode("utf-8"))
    click.echo(
        _("{path} is written; run its examples with: {command}").format(
            path=target, command=f"counter-listener phrases check {shlex.quote(str(target))}"
        )
    )


@phrases.command(epilog="Example: counter-listener phrases copy bank-counter my-branch.toml")
@click.argument("name", metavar="SET")
@click.argument("target", metavar="[FILE.toml]", type=click.Path(path_type=Path), required=False)
def copy(*, name: str, target: Path | None) -> None:
    """Copy a phrase set into a file of your own, to edit it. The default is its name in the current folder."""
    text = _text_of(name)
    target = target or Path(f"{Path(name).stem}.toml")
    _write_new(target, text.encode("utf-8"))
    click.echo(_("{path} is written; use it with --phrases {path}").format(path=target))


def _text_of(name: str) -> str:
    """The text of the file of a phrase set, which is valid. Raises PhraseSetError."""
    from counter_listener.phrases import find_phrase_set, read_phrase_set

    path = find_phrase_set(name)
    read_phrase_set(path)
    return path.read_text(encoding="utf-8-sig")


def _write_new(path: Path, content: bytes) -> None:
    """Writes a file that is not there yet. Raises UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise UsageError("{path} exists already; give another name, or remove it.", path=path) from None
    except OSError as error:
        raise UsageError(
            "{path} cannot be written ({why}); check its folder and permissions.", path=path, why=system_reason(error)
        ) from error


@phrases.command(epilog=f"Example: counter-listener phrases vocabulary bank-counter --model {DEFAULT_MODEL}")
@click.argument("name", metavar="SET")
@click.option("--model", "model_name", metavar="DIR|NAME", required=True, help="The speech model to test.")
def vocabulary(*, name: str, model_name: str) -> None:
    """List the wordings that a model's vocabulary cannot spell.

    Vosk never recognises a word that is not in its model. If the model has other words with the same sounds, the
    matcher still finds the phrase, though less reliably. If it has none, the phrase is never found.
    """
    from counter_listener.asr import find_model
    from counter_listener.asr import model_vocabulary as words_of
    from counter_listener.judging import load_matcher
    from counter_listener.phrases import vocabulary_report

    matcher = load_matcher(name, proven=False)[0]
    for line in vocabulary_report(matcher.phrases, words_of(find_model(model_name))):
        click.echo(line)
