"""False alarms on ordinary speech that contains no phrases: as transcripts, with errors, or recognised by a model.

    python bench/ordinary_speech.py --folder FOLDER [--speaker S] [--cer 0.235] [--model NAME] [--show 40]
    python bench/ordinary_speech.py --sentences bench/counter_talk.txt [--cer 0.235] [--show 40]

FOLDER contains recordings of people who read or talk, and a manifest.tsv with a header: `path` (of a recording,
relative to the folder), `text` (what is said), and optionally `speaker`. It is not part of this project; any corpus of
Mandarin will do. Without --cer and --model the transcripts are matched without errors and at 23.5 % CER; with --model
every recording is also recognised by that model. --sentences names a text file with one sentence per line instead; each
is said at four characters a second, and a pause follows. If a text contains a wording word for word, a detection of it
is neither right nor a false alarm; the report counts these texts.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import exp, fsum, lgamma, log, sqrt
from pathlib import Path
from typing import Final

from misheard import ErrorCounts, misheard

from counter_listener.asr import SpeechModel, find_model
from counter_listener.audio import probe
from counter_listener.domain import CounterListenerError, Interval, Utterance, Word
from counter_listener.evaluation import (
    BASELINES,
    Case,
    Finders,
    Label,
    LabelledPhrase,
    MethodScore,
    Wordings,
    evaluate,
    find_baseline,
    load_case,
    matcher_hits,
    overlap,
    prepare_baseline,
    prepare_finders,
    run_finders,
)
from counter_listener.judging import typed_utterance
from counter_listener.matching import prepare_matcher
from counter_listener.phrases import find_phrase_set, read_phrase_set
from counter_listener.pipeline import with_ticks

RATES: Final = (0.0, 0.235)
"""Character error rates."""
PAUSE: Final = 1.5
"""Seconds between two sentences of a file."""
SEEDS: Final = (1, 2, 3)
"""Errors are added to each transcript once per seed."""


@dataclass(frozen=True, slots=True)
class Line:
    """One recording, or one line of a file, and what is said in it."""

    path: Path
    text: str
    seconds: float
    """With the pause after it."""
    literal: tuple[LabelledPhrase, ...]
    """Wordings that it contains word for word: they may be found."""
    pause: float = 0.0
    """Seconds of silence at its end."""


def main() -> None:
    options = parser().parse_args()
    if options.sentences and (options.model or options.speaker):
        raise SystemExit("Error: --model and --speaker are for recordings; name their folder with --folder.")
    try:
        matcher = prepare_matcher(read_phrase_set(find_phrase_set(options.phrases))[0])
        finders = prepare_finders(matcher, BASELINES if options.baselines else ())
        exact = prepare_baseline("exact", matcher.phrases)
        lines = list(sentences(options.sentences, exact) if options.sentences else recordings(options, exact))
        kind = "sentences" if options.sentences else "recordings"
        print(f"{len(lines)} {kind}, {sum(line.seconds for line in lines) / 3600:.2f} h")
        for rate in options.cer or (() if options.model else RATES):
            report(f"as transcripts, {rate:.1%} CER", transcribed(lines, rate), finders, options.show)
        if options.model:
            report(f"recognised by {options.model}", recognised(lines, options.model), finders, options.show)
    except CounterListenerError as error:
        raise SystemExit(f"Error: {error}") from None


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--folder", type=Path, help="Recordings and a manifest.tsv.")
    source.add_argument("--sentences", type=Path, help="A text file, one sentence per line.")
    parser.add_argument("--speaker", help="Only the lines of this speaker.")
    parser.add_argument("--cer", type=float, action="append", help="Character error rate, 0-1; can be repeated.")
    parser.add_argument("--model", help="Folder or name of a Vosk model: also recognise the recordings.")
    parser.add_argument("--phrases", default="bank-counter")
    parser.add_argument(
        "--baselines", action="store_true", help="Also the baselines, each at the thresholds 70 and 80."
    )
    parser.add_argument("--show", type=int, default=0, help="Show at most this number of our false alarms.")
    return parser


def manifest(folder: Path, speaker: str | None) -> list[dict[str, str]]:
    """The rows of the manifest, or those of one speaker. Exits if there are none."""
    file = folder / "manifest.tsv"
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    except OSError as error:
        raise SystemExit(f"Error: {file} cannot be read ({error.strerror}).") from None
    if not rows or not {"path", "text"} <= rows[0].keys():
        raise SystemExit(f"Error: {file} needs a header with path and text, and lines below it.")
    selected = [row for row in rows if speaker is None or row.get("speaker") == speaker]
    if not selected:
        raise SystemExit(f"Error: {file} has no line of the speaker {speaker!r}.")
    return selected


def recordings(options: argparse.Namespace, exact: Wordings) -> Iterator[Line]:
    """The recordings of a folder, or those of one speaker."""
    for row in manifest(options.folder, options.speaker):
        path = options.folder / row["path"]
        seconds = probe(path).seconds or 0.0
        yield Line(path, row["text"], seconds, literal(row["text"], exact, seconds))


def sentences(file: Path, exact: Wordings) -> Iterator[Line]:
    """The lines of a text file without comments (#). Exits if it cannot be read or has none."""
    try:
        texts = [text for text in file.read_text(encoding="utf-8").splitlines() if text and not text.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"Error: {file} cannot be read as UTF-8 text ({error}).") from None
    if not texts:
        raise SystemExit(f"Error: {file} has no sentences.")
    for number, text in enumerate(texts, start=1):
        end = typed_utterance(text).end
        yield Line(Path(f"line {number}"), text, end + PAUSE, literal(text, exact, end), PAUSE)


def literal(text: str, exact: Wordings, seconds: float) -> tuple[LabelledPhrase, ...]:
    """Labels for the wordings that a text contains word for word, at any time of its line."""
    found = find_baseline(exact, typed_utterance(text))
    return tuple(LabelledPhrase(detection.id, 0.0, seconds, optional=True) for detection in found)


def transcribed(lines: Iterable[Line], rate: float) -> Iterator[Case]:
    """Each text as one utterance of the length of its line; with errors, once per seed, if the rate is not 0."""
    for seed in SEEDS if rate else SEEDS[:1]:
        for line in lines:
            rng = random.Random(f"{line.path.name} {rate} {seed}")
            utterance = misheard(stretched(line), rate, rng, ErrorCounts())
            items = tuple(with_ticks([utterance] if utterance else []))
            yield Case(line.path.name, line.seconds, items, line.literal)


def stretched(line: Line) -> Utterance:
    typed = typed_utterance(line.text)
    factor = (line.seconds - line.pause) / typed.end if typed.end else 0.0
    words = tuple(Word(word.text, word.start * factor, word.end * factor) for word in typed.words)
    return Utterance(0.0, line.seconds - line.pause, words)


def recognised(lines: Iterable[Line], name: str) -> Iterator[Case]:
    """Each recording as the model recognises it."""
    model = SpeechModel(find_model(name))
    for line in lines:
        yield load_case(Label(line.path, line.seconds, line.literal), model)


def report(title: str, cases: Iterable[Case], finders: Finders, show: int) -> None:
    """Print false alarms per hour. Of each case only the detections stay in memory."""
    files, shown, literals = [], 0, 0
    for case in cases:
        literals += bool(case.phrases)
        files.append(run_finders(case, finders))
        for hit in matcher_hits(case, finders.matcher) if shown < show else ():
            span = LabelledPhrase(hit.owner, hit.start, hit.end)
            if not any(label.id == hit.owner and overlap(label, span, 0.0) for label in case.phrases):
                text = " / ".join(utterance.text.replace(" ", "") for utterance in case.utterances)
                print(f"  {hit.owner:20} {hit.heard} for {hit.wording}, {hit.score:g}: {text}")
                shown += 1
    result = evaluate(files)
    print(f"{title}: {len(files)} sentences, {result.seconds / 3600:.2f} h, {literals} with a wording word for word")
    print(rate_of(result.ours, result.seconds))
    for name, methods in result.curves.items():
        for threshold in (70.0, 80.0) if name != result.ours.name else ():
            method = next((method for method in methods if method.threshold >= threshold), None)
            if method is not None:
                print(rate_of(method, result.seconds))


def rate_of(method: MethodScore, seconds: float) -> str:
    count = method.counts.false_alarms
    low, high = (limit * 3600 / seconds for limit in rate_interval(count))
    at = f"from {method.threshold:g}" if method.threshold else "own settings"
    return f"  {method.name}, {at}: {count} false alarms, {count * 3600 / seconds:.2f} an hour [{low:.2f}-{high:.2f}]"


def rate_interval(events: int, tail: float = 0.025) -> Interval:
    """The 95 % interval of the mean number of events, given one count; divided by hours it is that of events per hour.

    F. Garwood, Fiducial limits for the Poisson distribution, Biometrika 28 (1936): exact, so it is defined for 0 too.
    """
    highest = events + 10 * sqrt(events + 1) + 10

    def limit(count: int, probability: float) -> float:
        """The mean at which `count` events or fewer have this probability, by bisection."""
        low, high = 0.0, highest
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if poisson_at_most(count, middle) > probability else (low, middle)
        return high

    return (limit(events - 1, 1 - tail) if events else 0.0, limit(events, tail))


def poisson_at_most(count: int, mean: float) -> float:
    """The probability of `count` events or fewer."""
    return fsum(exp(number * log(mean) - mean - lgamma(number + 1)) for number in range(count + 1)) if mean else 1.0


if __name__ == "__main__":
    main()
