"""What a second opinion would be worth: near misses decoded again in grammar mode, the wording against [unk].

    python bench/second_opinion.py LABELS.jsonl --model NAME [--least 50]

A near miss is a phrase that is found when every phrase's threshold is lowered to `--least` (how close in sound, 0-100),
and not by default. Its stretch of the recording, with 0.4 s around it, is decoded with a grammar of the wording and
[unk]; the second opinion is for it if the wording comes out. Told by what was really said there: owed, optional, or
nothing of the kind. Wordings with slots are left out, since no grammar can say what fills them.
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

from counter_listener.asr.model_files import find_model
from counter_listener.asr.speech_model import SpeechModel
from counter_listener.audio.recording import read_recording
from counter_listener.domain.phrase_set import PhraseSet
from counter_listener.domain.types import SAMPLE_BYTES, SAMPLE_RATE, Hit
from counter_listener.evaluation.evaluation import Case, as_found, load_case, matcher_hits
from counter_listener.evaluation.labels import read_labels, scorable_ids
from counter_listener.evaluation.scoring import overlap
from counter_listener.matching.matcher import Matcher, prepare_matcher
from counter_listener.phrases.phrase_file import SLOT, find_phrase_set, read_phrase_set
from counter_listener.phrases.pinyin import split_units

AROUND: Final = 0.4
"""Seconds before and after the stretch that are decoded too."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("labels", type=Path)
    options.add_argument("--model", default="counter-cn")
    options.add_argument("--least", type=float, default=50.0)
    asked = options.parse_args()
    bank = read_phrase_set(find_phrase_set("bank-counter"))[0]
    strict, loose = prepare_matcher(bank), prepare_matcher(lowered(bank, asked.least))
    ears = SpeechModel(find_model(asked.model))
    told: Counter[tuple[str, bool]] = Counter()
    seconds = 0.0
    for label in read_labels(asked.labels, scorable_ids(bank)):
        case = load_case(label, ears)
        missed = list(near_misses(case, strict, loose))
        sound = b"".join(chunk for chunk in read_recording(label.path) if isinstance(chunk, bytes)) if missed else b""
        for hit in missed:
            began = time.thread_time()
            told[truth(case, hit), confirmed(hit, sound, ears.model)] += 1
            seconds += time.thread_time() - began
    for kind in ("owed", "optional", "not said"):
        print(f"{kind}: {told[kind, True] + told[kind, False]} near misses, {told[kind, True]} confirmed")
    print(f"{1e3 * seconds / max(1, told.total()):.0f} ms of processor time each")


def lowered(phrases: PhraseSet, least: float) -> PhraseSet:
    """The set with every phrase's threshold at `least`."""
    stages = tuple(
        replace(stage, phrase=tuple(replace(phrase, threshold=least) for phrase in stage.phrase))
        for stage in phrases.stage
    )
    return replace(phrases, stage=stages)


def near_misses(case: Case, strict: Matcher, loose: Matcher) -> Iterator[Hit]:
    """Hits of the loose matcher where the strict one has none of the same phrase."""
    sure = [as_found(hit) for hit in matcher_hits(case, strict)]
    for hit in matcher_hits(case, loose):
        if not SLOT.search(hit.wording) and not any(
            overlap(one, as_found(hit)) and one.id == hit.owner for one in sure
        ):
            yield hit


def truth(case: Case, hit: Hit) -> str:
    """What was really said there."""
    there = [said for said in case.said if said.id == hit.owner and overlap(said, as_found(hit))]
    if not there:
        return "not said"
    return "optional" if all(said.optional for said in there) else "owed"


def confirmed(hit: Hit, sound: bytes, model: Any) -> bool:  # noqa: ANN401 - vosk has no types
    """Whether grammar mode hears the wording in that stretch of the recording."""
    characters = split_units(hit.wording)
    recognizer = KaldiRecognizer(model, SAMPLE_RATE, json.dumps([" ".join(characters), "[unk]"], ensure_ascii=False))
    first, last = (round(max(0.0, at) * SAMPLE_RATE) for at in (hit.start - AROUND, hit.end + AROUND))
    recognizer.AcceptWaveform(sound[first * SAMPLE_BYTES : last * SAMPLE_BYTES])
    return "".join(characters) in json.loads(recognizer.FinalResult())["text"].replace(" ", "")


if __name__ == "__main__":
    main()
