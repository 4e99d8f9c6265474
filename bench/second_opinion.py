"""What a second recognition in grammar mode is worth: near misses, with the wording against [unk].

    python bench/second_opinion.py LABELS.jsonl --model NAME [--least 50]

A near miss is a phrase that is found only if the threshold of every phrase is lowered to `--least` (closeness, 0-100).
Its span of the recording, with 0.4 s around it, is recognised with a grammar of the wording and [unk]. It is confirmed
if the result contains the wording. The counts are separate for what was really said there: the phrase, an optional
phrase, or neither. Wordings with slots are left out, because a grammar cannot contain what fills them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from vosk import KaldiRecognizer

from counter_listener.asr import SpeechModel, find_model
from counter_listener.audio import read_recording
from counter_listener.domain import SAMPLE_BYTES, SAMPLE_RATE, Hit, PhraseSet
from counter_listener.evaluation import Case, as_detection, load_case, matcher_hits, overlap, read_labels
from counter_listener.matching import Matcher, prepare_matcher
from counter_listener.phrases import find_phrase_set, read_phrase_set, split_units

MARGIN: Final = 0.4
"""Seconds before and after the span that are recognised too."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--model", default="counter-cn")
    parser.add_argument("--least", type=float, default=50.0)
    options = parser.parse_args()
    phrases = read_phrase_set(find_phrase_set("bank-counter"))[0]
    strict, loose = prepare_matcher(phrases), prepare_matcher(with_threshold(phrases, options.least))
    model = SpeechModel(find_model(options.model))
    counts: Counter[tuple[str, bool]] = Counter()
    seconds = 0.0
    for label in read_labels(options.labels, phrases.titles()):
        case = load_case(label, model)
        missed = list(near_misses(case, strict, loose))
        audio = b"".join(chunk for chunk in read_recording(label.path) if isinstance(chunk, bytes)) if missed else b""
        for hit in missed:
            began = time.thread_time()
            counts[truth(case, hit), is_confirmed(hit, audio, model.model)] += 1
            seconds += time.thread_time() - began
    for kind in ("owed", "optional", "not said"):
        print(f"{kind}: {counts[kind, True] + counts[kind, False]} near misses, {counts[kind, True]} confirmed")
    print(f"{1e3 * seconds / max(1, counts.total()):.0f} ms of processor time each")


def with_threshold(phrases: PhraseSet, threshold: float) -> PhraseSet:
    """The phrase set with this threshold for every phrase."""
    stages = tuple(
        replace(stage, phrase=tuple(replace(phrase, threshold=threshold) for phrase in stage.phrase))
        for stage in phrases.stage
    )
    return replace(phrases, stage=stages)


def near_misses(case: Case, strict: Matcher, loose: Matcher) -> Iterator[Hit]:
    """Hits of the loose matcher that overlap no hit of the strict one for the same phrase."""
    found = [as_detection(hit) for hit in matcher_hits(case, strict)]
    for hit in matcher_hits(case, loose):
        span = as_detection(hit)
        if "…" not in hit.wording and not any(one.id == hit.owner and overlap(one, span) for one in found):
            yield hit


def truth(case: Case, hit: Hit) -> str:
    """What was really said there."""
    labels = [label for label in case.phrases if label.id == hit.owner and overlap(label, as_detection(hit))]
    if not labels:
        return "not said"
    return "optional" if all(label.optional for label in labels) else "owed"


def is_confirmed(hit: Hit, audio: bytes, model: Any) -> bool:  # noqa: ANN401 - vosk has no types
    """Whether grammar mode recognises the wording in that span of the recording."""
    characters = split_units(hit.wording)
    recognizer = KaldiRecognizer(model, SAMPLE_RATE, json.dumps([" ".join(characters), "[unk]"], ensure_ascii=False))
    first, last = (round(max(0.0, at) * SAMPLE_RATE) for at in (hit.start - MARGIN, hit.end + MARGIN))
    recognizer.AcceptWaveform(audio[first * SAMPLE_BYTES : last * SAMPLE_BYTES])
    return "".join(characters) in json.loads(recognizer.FinalResult())["text"].replace(" ", "")


if __name__ == "__main__":
    main()
