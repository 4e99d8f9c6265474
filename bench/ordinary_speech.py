"""False alarms on ordinary speech that owes nothing: read as transcripts, misheard, or heard by a model.

    python bench/ordinary_speech.py --folder FOLDER [--speaker S] [--cer 0.235] [--model NAME] [--show 40]
    python bench/ordinary_speech.py --sentences bench/counter_talk.txt [--cer 0.235] [--show 40]

FOLDER holds recordings of people reading or talking, and a manifest.tsv with a header: `path` (of a recording beside
it), `text` (what is said), and perhaps `speaker`. It is none of this project's; any corpus of Mandarin will do. Without
--cer and --model the transcripts are matched as they are and at 23.5 % CER; with --model every recording is heard too,
by that model. --sentences names a text file with a sentence a line instead, each said at four characters a second
and followed by a pause. Where a wording stands word for word in a text, finding it counts neither way; how often is
told.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from misheard import Ledger, misheard

from counter_listener.asr.model_files import find_model
from counter_listener.asr.speech_model import SpeechModel
from counter_listener.audio.recording import probe
from counter_listener.domain.errors import CounterListenerError
from counter_listener.domain.types import Utterance, Word
from counter_listener.evaluation.baselines import BASELINES, Wordings, find_with, prepare_baseline
from counter_listener.evaluation.evaluation import (
    Case,
    Finders,
    evaluate,
    finders,
    load_case,
    matcher_hits,
    run_finders,
)
from counter_listener.evaluation.labels import Label
from counter_listener.evaluation.scoring import LabelledPhrase, MethodScore, overlap, rate_interval
from counter_listener.judging.examples import typed_utterance
from counter_listener.matching.matcher import prepare_matcher
from counter_listener.phrases.phrase_file import find_phrase_set, read_phrase_set
from counter_listener.pipeline import timed

RATES: Final = (0.0, 0.235)
"""Character error rates."""
PAUSE: Final = 1.5
"""Seconds between two sentences of a file."""
SEEDS: Final = (1, 2, 3)
"""Each transcript is misheard once for each."""


@dataclass(frozen=True, slots=True)
class Line:
    """One recording, or one line of a file, and what is said in it."""

    path: Path
    text: str
    seconds: float
    """All of it, the pause after a sentence of a file included."""
    literal: tuple[LabelledPhrase, ...]
    """Wordings that stand in it word for word: they may be found."""
    pause: float = 0.0
    """Seconds in which nothing more is said."""


def main() -> None:
    asked = options().parse_args()
    if asked.sentences and (asked.model or asked.speaker):
        raise SystemExit("Error: --model and --speaker are for recordings; name their folder with --folder.")
    try:
        matcher = prepare_matcher(read_phrase_set(find_phrase_set(asked.phrases))[0])
        ready = finders(matcher, BASELINES if asked.baselines else ())
        exact = prepare_baseline("exact", matcher.phrases)
        lines = list(sentences(asked.sentences, exact) if asked.sentences else recordings(asked, exact))
        what = "sentences" if asked.sentences else "recordings"
        print(f"{len(lines)} {what}, {sum(line.seconds for line in lines) / 3600:.2f} h")
        for rate in asked.cer or (() if asked.model else RATES):
            report(f"as transcripts, {rate:.1%} CER", transcribed(lines, rate), ready, asked.show)
        if asked.model:
            report(f"heard by {asked.model}", heard(lines, asked.model), ready, asked.show)
    except CounterListenerError as error:
        raise SystemExit(f"Error: {error}") from None


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--folder", type=Path, help="Recordings and a manifest.tsv.")
    source.add_argument("--sentences", type=Path, help="A text file, a sentence a line.")
    parser.add_argument("--speaker", help="Only the lines of this speaker.")
    parser.add_argument("--cer", type=float, action="append", help="Character error rate, 0-1; may be given again.")
    parser.add_argument("--model", help="A Vosk model's folder, or the name of one at hand: hear the recordings.")
    parser.add_argument("--phrases", default="bank-counter")
    parser.add_argument(
        "--baselines", action="store_true", help="The baselines too, each from the scores 70 and 80 up."
    )
    parser.add_argument("--show", type=int, default=0, help="Show so many of our false alarms.")
    return parser


def manifest(folder: Path, speaker: str | None) -> list[dict[str, str]]:
    """The rows of the manifest, or those of one speaker. Exits where there is none."""
    try:
        with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except OSError as error:
        raise SystemExit(f"Error: {folder / 'manifest.tsv'} cannot be read ({error.strerror}).") from None
    if not rows or not {"path", "text"} <= rows[0].keys():
        raise SystemExit(f"Error: {folder / 'manifest.tsv'} needs a header with path and text, and lines below it.")
    kept = [row for row in rows if speaker is None or row.get("speaker") == speaker]
    if not kept:
        raise SystemExit(f"Error: {folder / 'manifest.tsv'} has no line of the speaker {speaker!r}.")
    return kept


def line_of(row: dict[str, str], folder: Path, exact: Wordings) -> Line:
    path = folder / row["path"]
    seconds = probe(path).seconds or 0.0
    literal = (
        LabelledPhrase(one.id, 0.0, seconds, optional=True) for one in find_with(exact, typed_utterance(row["text"]))
    )
    return Line(path, row["text"], seconds, tuple(literal))


def recordings(asked: argparse.Namespace, exact: Wordings) -> Iterator[Line]:
    """The recordings of a folder, or those of one speaker."""
    return (line_of(row, asked.folder, exact) for row in manifest(asked.folder, asked.speaker))


def sentences(file: Path, exact: Wordings) -> Iterator[Line]:
    """The lines of a text file; those that begin with # are none. Exits where it cannot be read or has none."""
    try:
        texts = [text for text in file.read_text(encoding="utf-8").splitlines() if text and not text.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"Error: {file} cannot be read as UTF-8 text ({error}).") from None
    if not texts:
        raise SystemExit(f"Error: {file} has no sentences.")
    for number, text in enumerate(texts, start=1):
        said = typed_utterance(text)
        literal = (LabelledPhrase(one.id, 0.0, said.end, optional=True) for one in find_with(exact, said))
        yield Line(Path(f"line {number}"), text, said.end + PAUSE, tuple(literal), PAUSE)


def transcribed(lines: Iterable[Line], rate: float) -> Iterator[Case]:
    """Each text as one utterance as long as its line; misheard once for each seed where the rate is not 0."""
    for seed in SEEDS if rate else SEEDS[:1]:
        for line in lines:
            rng = random.Random(f"{line.path.name} {rate} {seed}")
            written = misheard(stretched(line), rate, rng, Ledger())
            items = tuple(timed([written] if written else []))
            yield Case(line.path.name, line.seconds, items, line.literal)


def stretched(line: Line) -> Utterance:
    even = typed_utterance(line.text)
    pace = (line.seconds - line.pause) / even.end if even.end else 0.0
    words = tuple(Word(word.text, word.start * pace, word.end * pace) for word in even.words)
    return Utterance(0.0, line.seconds - line.pause, words)


def heard(lines: Iterable[Line], model: str) -> Iterator[Case]:
    """Each recording as the model hears it."""
    ears = SpeechModel(find_model(model))
    for line in lines:
        yield load_case(Label(line.path, line.seconds, line.literal), ears)


def report(title: str, cases: Iterable[Case], ready: Finders, show: int) -> None:
    """Prints false alarms per hour; keeps of each case only what was found."""
    trials, shown, literal = [], 0, 0
    for case in cases:
        literal += bool(case.said)
        trials.append(run_finders(case, ready))
        for hit in matcher_hits(case, ready.matcher) if shown < show else ():
            span = LabelledPhrase(hit.owner, hit.start, hit.end)
            if not any(one.id == hit.owner and overlap(one, span, 0.0) for one in case.said):
                text = " / ".join(one.text.replace(" ", "") for one in case.utterances)
                print(f"  {hit.owner:20} {hit.heard} for {hit.wording}, {hit.score:g}: {text}")
                shown += 1
    result = evaluate(trials)
    print(f"{title}: {len(trials)} sentences, {result.seconds / 3600:.2f} h, {literal} with a wording word for word")
    print(rate_of(result.ours, result.seconds))
    for name, methods in result.curves.items():
        for least in (70.0, 80.0) if name != result.ours.name else ():
            at = next((one for one in methods if one.threshold >= least), None)
            if at is not None:
                print(rate_of(at, result.seconds))


def rate_of(method: MethodScore, seconds: float) -> str:
    count = method.counts.false_alarms
    low, high = (edge * 3600 / seconds for edge in rate_interval(count))
    at = f"from {method.threshold:g}" if method.threshold else "own settings"
    return f"  {method.name}, {at}: {count} false alarms, {count * 3600 / seconds:.2f} an hour [{low:.2f}-{high:.2f}]"


if __name__ == "__main__":
    main()
