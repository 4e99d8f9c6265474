"""`phrases`: list, check and try phrase sets, and list the wordings that a model cannot recognise."""

import sys

import click

from counter_listener.cli.help import TranslatedGroup, pad_columns
from counter_listener.cli.options import DEFAULT_MODEL, ExitCode
from counter_listener.domain import KINDS, MatchedUtterance, Speaker, _, bundled_folder, printable


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
        click.echo(f"{path.stem:18} {text}")


@phrases.command(epilog="Example: counter-listener phrases check my-branch.toml")
@click.argument("name", metavar="FILE|NAME")
def check(*, name: str) -> None:
    """Check a phrase set: its format, its examples, and that each wording is matched to its own phrase."""
    from counter_listener.judging import failing_examples, load_matcher, unmatched_wordings

    matcher = load_matcher(name, proven=False)[0]
    faults = [*failing_examples(matcher), *unmatched_wordings(matcher)]
    for fault in faults:
        click.echo(f"{name}{_(': ')}{fault.translated(_)}")
    phrase_set = matcher.phrases
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
    for kind, hit in findings:
        followed = "" if hit.followed is None else _(", followed") if hit.followed else _(", broken")
        shared = _(", customers say it too") if hit.shared else ""
        text = _("“{heard}” for “{wording}”, {score:g}")
        text = text.format(heard=hit.heard, wording=hit.wording, score=hit.score)
        click.echo(f"{pad_columns(_(KINDS.get(kind, kind)), 8)} {hit.owner:20} {text}{followed}{shared}")
    if not findings:
        click.echo(_("nothing"))


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
