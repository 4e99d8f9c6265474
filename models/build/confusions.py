"""How libvosk hears each sound: `python -m models.build.confusions MODEL --audio FOLDER`.

FOLDER holds recordings with known words and a manifest. They are decoded as the program does it; what was written is
aligned with what was said, syllable by syllable. The rates of the confusion model of the matcher are printed beside
those in score.json, with the pairs of syllables that are confused most often. `--write` puts the measured rates into
that file. Held-out voices are left out. A model hears recordings that it was trained on too well.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rapidfuzz.distance import Levenshtein

from counter_listener.domain import CounterListenerError
from counter_listener.matching import FITTED, fitted, syllable_distance, word_class
from counter_listener.phrases import pronounce, split_units
from models.build.errors import BuildError
from models.build.held_out import NATURAL_TEST_VOICES
from models.build.manifest import read_manifest
from models.build.measuring.recognition import recognise_utterances

SHOWN: Final = 40
"""Pairs of syllables that are printed."""
MOST_WRONG: Final = 0.6
"""Share of wrong syllables from which a recording says nothing about sounds: it was not understood at all."""


@dataclass
class Heard:
    """What became of the syllables of a text. The counts of several texts are added up by counting on."""

    said: int = 0
    light: int = 0
    """Of these, the unstressed ones (`light` in confusions.toml)."""
    written: int = 0
    """Syllables that the recogniser wrote."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Numbers of same, homophone, similar, other, deleted, light_deleted, inserted."""
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Numbers of each wrong syllable, as said and as heard."""
    left_out: int = 0
    """Texts that were not understood at all."""

    def count(self, said: Sequence[str], heard: Sequence[str]) -> None:
        """Adds a text: the units that were said and those that were written."""
        sounds, written = pronounce(tuple(said)), pronounce(tuple(heard))
        edits = Levenshtein.editops(sounds, written)
        if len(edits) > MOST_WRONG * len(sounds):
            self.left_out += 1
            return
        light = word_class("light")
        self.said += len(said)
        self.light += sum(unit in light for unit in said)
        self.written += len(written)
        for block in edits.as_matching_blocks():
            for at in range(block.size):
                same = said[block.a + at] == heard[block.b + at]
                self.kinds["same" if same else "homophone"] += 1
        for edit in edits:
            if edit.tag == "replace":
                self._wrong(sounds[edit.src_pos], written[edit.dest_pos])
            elif edit.tag == "delete":
                self.kinds["light_deleted" if said[edit.src_pos] in light else "deleted"] += 1
            else:
                self.kinds["inserted"] += 1

    def _wrong(self, said: str, heard: str) -> None:
        self.pairs[said, heard] += 1
        self.kinds["similar" if syllable_distance(said, heard) < 1.0 else "other"] += 1

    @property
    def rates(self) -> dict[str, float]:
        """The rates as score.json names them: of the syllables said; inserted ones, of those written."""
        of = {"deleted": self.said - self.light, "light_deleted": self.light, "inserted": self.written}
        kinds = ("same", "homophone", "similar", "other", "deleted", "light_deleted", "inserted")
        return {kind: self.kinds[kind] / max(1, of.get(kind, self.said)) for kind in kinds}


def measure(model: Path, folder: Path, jobs: int, most: int | None = None) -> Heard:
    """What a model hears of the recordings in a folder, evenly chosen if they are more than `most`.

    Raises BuildError, CounterListenerError.
    """
    recordings = [each for each in read_manifest(folder) if each.text and not _is_held_out(each.speaker)]
    if most is not None:
        recordings = recordings[:: max(1, len(recordings) // most)][:most]
    heard = Heard()
    decoded = recognise_utterances([recording.path for recording in recordings], model, jobs)
    for recording, utterances in zip(recordings, decoded, strict=True):
        text = "".join(word.text for utterance in utterances for word in utterance.words)
        heard.count(split_units(recording.text), split_units(text))
    if not heard.said:
        raise BuildError(f"{folder}: nothing in it was understood; name a folder of recordings with their words.")
    return heard


def _is_held_out(speaker: str) -> bool:
    return any(voice in speaker for voice in NATURAL_TEST_VOICES)


def report(heard: Heard, before: dict[str, float]) -> Iterable[str]:
    """The lines of a table: rates, measured and in the matcher, then the pairs."""
    yield f"{heard.said} syllables said; {heard.left_out} recordings were not understood and say nothing"
    yield "| of the syllables | measured | in score.json |\n|---|---|---|"
    for kind, rate in heard.rates.items():
        yield f"| {kind} | {rate:.3f} | {before[kind]:.3f} |"
    known = sum(count for pair, count in heard.pairs.items() if syllable_distance(*pair) < 1.0)
    yield f"{known} of {heard.pairs.total()} wrong syllables are alike by confusions.toml; the most common pairs:"
    yield " ".join(f"{said}>{written}:{count}" for (said, written), count in heard.pairs.most_common(SHOWN))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m models.build.confusions", description=__doc__)
    parser.add_argument("model", type=Path, help="folder of the model")
    parser.add_argument("--audio", type=Path, required=True, help="folder of recordings, with a manifest.tsv")
    parser.add_argument("--most", type=int, help="so many recordings at most, evenly chosen")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--write", action="store_true", help="put the rates into the matcher's score.json")
    options = parser.parse_args()
    try:
        heard = measure(options.model, options.audio, options.jobs, options.most)
    except (BuildError, CounterListenerError) as error:
        sys.exit(str(error))
    score = dict(fitted())
    print("\n".join(report(heard, score["confusion"]["rates"])))
    if options.write:
        score["confusion"]["rates"] |= {kind: round(rate, 4) for kind, rate in heard.rates.items()}
        FITTED.write_text(json.dumps(score, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
