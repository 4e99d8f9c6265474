"""Measures a model: `python -m models.build.measure MODEL --audio FOLDER --sets FOLDER`.

`python -m models.build.sets` makes the sets. The recordings go through the program's own chain with default settings.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from counter_listener.asr import SpeechModel
from counter_listener.domain import CounterListenerError
from counter_listener.evaluation import Counts, by_id, count
from counter_listener.matching import Matcher, prepare_matcher
from counter_listener.phrases import read_phrase_set
from models.build.errors import BuildError
from models.build.measuring.confidence import calibration, judged_words
from models.build.measuring.costs import measure_costs
from models.build.measuring.figures import (
    Pairs,
    by_voice,
    false_alarms,
    misses,
    scores,
    text_error_rates,
    word_time_errors,
)
from models.build.measuring.grammar_mode import measure_grammar, measure_word_choice
from models.build.measuring.labelled_sets import LabelledRecording, read_set
from models.build.measuring.own_words import find, find_as_text, own_words_figures, read_spoken, speaker_of
from models.build.measuring.recognition import recognise_all, recognise_utterances
from models.build.measuring.spelled import spellings, with_spelled
from models.build.measuring.tables import table

PHRASES: Final = Path(__file__).resolve().parents[2] / "phrase_sets" / "bank-counter.toml"
TUNING: Final = "tuning"
"""For tuning the settings. Its figures are not published, so it is measured only on request."""
NATURAL_SETS: Final = ("natural", "natural-noisy", "natural-far")
SPEECH_SETS: Final = ("joined", "joined-noisy", "voices", "voices-noisy", *NATURAL_SETS, "news", TUNING)
OWN_WORDS: Final = "own-words-spoken"
TIMED_SETS: Final = ("voices", "voices-noisy")
"""Sets whose true times are exact to the sample."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What is measured, and on which data."""

    model: Path
    audio: Path
    sets: Path
    matcher: Matcher
    jobs: int

    def read(self, name: str) -> list[LabelledRecording]:
        """The recordings of a set. Raises CounterListenerError and BuildError."""
        known = spellings(self.matcher.phrases)
        recordings = read_set(self.sets / name, self.matcher.phrases.titles())
        return [with_spelled(recording, known) for recording in recordings]


def measure_set(name: str, measurement: Measurement) -> dict[str, Any]:
    """The figures of one set: detection scores, misses, false alarms, text errors, and word times where exact."""
    recordings = measurement.read(name)
    labels = [recording.label for recording in recordings]
    recognised = list(recognise_all(labels, measurement.model, measurement.matcher, measurement.jobs))
    pairs = list(zip(recordings, recognised, strict=True))
    counts = [count(labelled.label.phrases, result.found) for labelled, result in pairs]
    hours = sum(label.seconds for label in labels) / 3600
    return {
        "recordings": len(recordings),
        "hours": hours,
        **scores(counts, hours),
        **text_error_rates(pairs),
        **(word_time_errors(pairs) if name in TIMED_SETS else {}),
        **(_voice_figures(pairs, counts) if name in NATURAL_SETS else {}),
        "by_id": {
            phrase: [counted.owed, counted.hits, counted.false_alarms]
            for phrase, counted in by_id(counts).items()
            if counted.misses or counted.false_alarms
        },
        "misses": [miss for pair in pairs for miss in misses(*pair)],
        "alarms": [alarm for pair in pairs for alarm in false_alarms(*pair)],
    }


def _voice_figures(pairs: Pairs, counts: Sequence[Mapping[str, Counts]]) -> dict[str, Any]:
    """The scores of each voice as the clerk, and how often a word of each confidence is right."""
    judged = (
        word
        for labelled, recognised in pairs
        for word in judged_words("".join(line.text for line in labelled.lines), recognised.words)
    )
    return {"by_voice": by_voice(pairs, counts), "confidence": calibration(judged)}


def measure_own_words(measurement: Measurement) -> dict[str, Any]:
    """The figures of the sentences in clerks' own words, as text, in sound, and end to end."""
    sentences, matcher = read_spoken(measurement.sets / OWN_WORDS), measurement.matcher
    heard = list(recognise_utterances([one.path for one in sentences], measurement.model, measurement.jobs))
    as_text = [find_as_text(matcher, one.sentence) for one in sentences]
    in_sound = [
        find(matcher, one.sentence, utterances, speaker_of(one.sentence))
        for one, utterances in zip(sentences, heard, strict=True)
    ]
    required = frozenset(phrase.id for phrase, _ in matcher.phrases.phrases() if phrase.required)
    judged = (
        word
        for one, utterances in zip(sentences, heard, strict=True)
        for word in judged_words(one.sentence.text, [word for utterance in utterances for word in utterance.words])
    )
    return {**own_words_figures(sentences, as_text, in_sound, required), "confidence": calibration(judged)}


PARTS: Final[dict[str, Callable[[Measurement], dict[str, Any]]]] = {
    **{name: partial(measure_set, name) for name in SPEECH_SETS},
    OWN_WORDS: measure_own_words,
    "words": lambda given: measure_word_choice(given.audio / "dspspeech20", SpeechModel(given.model)),
    "dial": lambda given: measure_grammar(given.read("dial"), SpeechModel(given.model)),
    "costs": lambda given: measure_costs(given.model, given.sets / "stretches"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 1 with an error message."""
    parser = argparse.ArgumentParser(
        prog="python -m models.build.measure", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("model", type=Path, help="folder of the model")
    parser.add_argument("--audio", type=Path, required=True, help="folder of folders of recordings with manifests")
    parser.add_argument("--sets", type=Path, required=True, help="folder that models.build.sets made")
    default = [part for part in PARTS if part != TUNING]
    parser.add_argument("--only", nargs="+", choices=PARTS, default=default, help="what to measure")
    parser.add_argument("--phrases", type=Path, default=PHRASES, help="phrase set (TOML)")
    parser.add_argument("--jobs", type=int, default=1, help="processes that decode the sets (default 1)")
    parser.add_argument("--out", type=Path, help="JSON file for the figures; the table is written next to it (.md)")
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = {"model": options.model.resolve().name}
    try:
        matcher = prepare_matcher(read_phrase_set(options.phrases)[0])
        measurement = Measurement(options.model, options.audio, options.sets, matcher, options.jobs)
        for name in options.only:
            began = time.perf_counter()
            figures[name] = PARTS[name](measurement)
            save(figures, options.out)
            print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    except (BuildError, CounterListenerError) as error:
        print(error, file=sys.stderr)
        return 1
    print(table(figures), end="")
    return 0


def save(figures: Mapping[str, Any], file: Path | None) -> None:
    """Writes the figures so far, so that a part that fails does not lose the parts before it."""
    if file:
        file.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        file.with_suffix(".md").write_text(table(figures), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
