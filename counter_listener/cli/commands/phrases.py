"""`phrases`: list, check and try phrase sets, and ask which of their words a model can hear."""

from __future__ import annotations

import sys

import click

from counter_listener.cli.help import TranslatedGroup, pad_columns
from counter_listener.cli.options import DEFAULT_MODEL, USAGE
from counter_listener.domain import KINDS, Speaker, _


@click.group(cls=TranslatedGroup, epilog="Example: counter-listener phrases check my-branch.toml")
def phrases() -> None:
    """Phrase sets: the words that are owed and forbidden."""


@phrases.command("list", epilog="Example: counter-listener phrases list")
def list_() -> None:
    """List the phrase sets that ship with the program."""
    from counter_listener.domain import bundled_folder
    from counter_listener.phrases import read_phrase_set

    for path in sorted(bundled_folder("phrase_sets").glob("*.toml")):
        one = read_phrase_set(path)[0]
        owed = [phrase for phrase, _stage in one.phrases()]
        required = sum(phrase.required for phrase in owed)
        text = _(
            "{name}, version {version} ({language}): {owed} phrases ({required} required), {forbidden} forbidden,"
            " {rules} rules"
        )
        told = text.format(
            name=one.name,
            version=one.version,
            language=one.language,
            owed=len(owed),
            required=required,
            forbidden=len(one.forbidden),
            rules=len(one.rule),
        )
        click.echo(f"{path.stem:18} {told}")


@phrases.command(epilog="Example: counter-listener phrases check my-branch.toml")
@click.argument("name", metavar="FILE|NAME")
def check(*, name: str) -> None:
    """Check a phrase set: its form, its examples, and that each wording is heard as its own phrase."""
    from counter_listener.judging import failing_examples, load_matcher, unmatched_wordings

    matcher = load_matcher(name, proven=False)[0]
    faults = [*failing_examples(matcher), *unmatched_wordings(matcher)]
    for fault in faults:
        click.echo(f"{name}{_(': ')}{fault.translated(_)}")
    one = matcher.phrases
    owed = [phrase for phrase, _stage in one.phrases()]
    known = sum(example.fails for example in one.example)
    text = _(
        "{name}: {owed} phrases, {forbidden} forbidden, {rules} rules; {examples} examples, {known} of them known to"
        " fail; {faults} faults."
    )
    click.echo(
        text.format(
            name=one.name,
            owed=len(owed),
            forbidden=len(one.forbidden),
            rules=len(one.rule),
            examples=len(one.example),
            known=known,
            faults=len(faults),
        )
    )
    sys.exit(USAGE if faults else 0)


@phrases.command("try", epilog="Example: counter-listener phrases try bank-counter '您好，请出示您的身份证'")
@click.argument("name", metavar="SET")
@click.argument("text")
@click.option("--speaker", type=click.Choice(["clerk", "customer", "unknown"]), default="unknown", help="Who says it.")
def try_(*, name: str, text: str, speaker: Speaker) -> None:
    """Show what a phrase set finds in a sentence."""
    from counter_listener.domain import MatchedUtterance, RuleHit, printable
    from counter_listener.judging import counted_findings, load_matcher, typed_utterance
    from counter_listener.matching import find_in_utterance
    from counter_listener.phrases import text_syllables

    matcher = load_matcher(name, proven=False)[0]
    utterance = typed_utterance(text, speaker)
    click.echo(_("sounds: {syllables}").format(syllables=" ".join(text_syllables(printable(text)))))
    found = list(counted_findings(MatchedUtterance(utterance, find_in_utterance(matcher, utterance), 0)))
    for kind, one in found:
        hit = one.hit if isinstance(one, RuleHit) else one
        kept = "" if not isinstance(one, RuleHit) else _(", kept") if one.kept else _(", broken")
        shared = _(", customers say it too") if hit.shared else ""
        found_as = _("“{heard}” for “{wording}”, {score:g}").format(
            heard=hit.heard, wording=hit.wording, score=hit.score
        )
        click.echo(f"{pad_columns(_(KINDS.get(kind, kind)), 8)} {hit.owner:20} {found_as}{kept}{shared}")
    if not found:
        click.echo(_("nothing"))


@phrases.command(epilog=f"Example: counter-listener phrases vocabulary bank-counter --model {DEFAULT_MODEL}")
@click.argument("name", metavar="SET")
@click.option("--model", "model_name", metavar="DIR|NAME", required=True, help="The model that is to hear it.")
def vocabulary(*, name: str, model_name: str) -> None:
    """Name each wording that a model's vocabulary cannot spell.

    Vosk never hears a word that its model does not have. Where other words of the same sound can stand for it, the
    matcher still finds it, though less surely; where none can, it is never heard.
    """
    from counter_listener.asr import find_model
    from counter_listener.asr import model_vocabulary as words_of
    from counter_listener.judging import load_matcher
    from counter_listener.phrases import vocabulary_report

    matcher = load_matcher(name, proven=False)[0]
    for line in vocabulary_report(matcher.phrases, words_of(find_model(model_name))):
        click.echo(line)
