"""Measures a model: `python -m models.build.measure MODEL --audio FOLDER --sets FOLDER`.

The sets come from `python -m models.build.sets`. Everything is heard through the program's own chain at its defaults.
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

from counter_listener.asr.speech_model import SpeechModel
from counter_listener.domain.errors import CounterListenerError
from counter_listener.evaluation.labels import scorable_ids
from counter_listener.evaluation.scoring import by_id, count
from counter_listener.matching.matcher import Matcher, prepare_matcher
from counter_listener.phrases.phrase_file import read_phrase_set
from models.build.errors import BuildError
from models.build.measuring.choices import dial, which_word
from models.build.measuring.costs import costs
from models.build.measuring.figures import alarms, misses, scores, texts, word_times
from models.build.measuring.heard import heard_all
from models.build.measuring.sets import Labelled, read_set
from models.build.measuring.tables import table

PHRASES: Final = Path(__file__).resolve().parents[2] / "phrase_sets" / "bank-counter.toml"
TUNING: Final = "tuning"
"""To set dials by; no figure of it is told, so it is measured only when asked for."""
SPOKEN: Final = ("joined", "joined-noisy", "voices", "voices-noisy", "news", TUNING)
TIMED: Final = ("voices", "voices-noisy")
"""Sets whose truth is exact to the sample."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure, and with what."""

    model: Path
    audio: Path
    sets: Path
    matcher: Matcher
    jobs: int

    def read(self, name: str) -> list[Labelled]:
        """The recordings of a set. Raises CounterListenerError and BuildError."""
        return read_set(self.sets / name, scorable_ids(self.matcher.phrases))


def measure_set(name: str, asked: Asked) -> dict[str, Any]:
    """How well the phrases of one set were found, what was missed and misheard, and how well its text was written."""
    recordings = asked.read(name)
    heard = list(heard_all([one.label for one in recordings], asked.model, asked.matcher, asked.jobs))
    pairs = list(zip(recordings, heard, strict=True))
    counts = [count(one.label.said, told.found) for one, told in pairs]
    hours = sum(one.label.seconds for one in recordings) / 3600
    return {
        "recordings": len(recordings),
        "hours": hours,
        **scores(counts, hours),
        **texts(pairs),
        **(word_times(pairs) if name in TIMED else {}),
        "by_id": {
            one: [each.owed, each.hits, each.false_alarms]
            for one, each in by_id(counts).items()
            if each.misses or each.false_alarms
        },
        "misses": [miss for pair in pairs for miss in misses(*pair)],
        "alarms": [alarm for pair in pairs for alarm in alarms(*pair)],
    }


def measure_words(asked: Asked) -> dict[str, Any]:
    return which_word(asked.audio / "dspspeech20", SpeechModel(asked.model))


def measure_dial(asked: Asked) -> dict[str, Any]:
    return dial(asked.read("dial"), SpeechModel(asked.model))


def measure_costs(asked: Asked) -> dict[str, Any]:
    return costs(asked.model, asked.sets / "stretches")


PARTS: Final[dict[str, Callable[[Asked], dict[str, Any]]]] = {
    **{name: partial(measure_set, name) for name in SPOKEN},
    "words": measure_words,
    "dial": measure_dial,
    "costs": measure_costs,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 1 with one sentence why it cannot be measured."""
    parser = argparse.ArgumentParser(
        prog="python -m models.build.measure", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("model", type=Path, help="folder of the model")
    parser.add_argument("--audio", type=Path, required=True, help="folder of folders of recordings with manifests")
    parser.add_argument("--sets", type=Path, required=True, help="folder that models.build.sets made")
    usual = [part for part in PARTS if part != TUNING]
    parser.add_argument("--only", nargs="+", choices=PARTS, default=usual, help="what to measure")
    parser.add_argument("--phrases", type=Path, default=PHRASES, help="phrase set (TOML)")
    parser.add_argument("--jobs", type=int, default=1, help="processors to decode the sets on (default 1)")
    parser.add_argument(
        "--out", type=Path, help="file to write the figures to, as JSON; a .md beside it gets the table"
    )
    chosen = parser.parse_args(arguments)
    figures: dict[str, Any] = {"model": chosen.model.resolve().name}
    try:
        matcher = prepare_matcher(read_phrase_set(chosen.phrases)[0])
        asked = Asked(chosen.model, chosen.audio, chosen.sets, matcher, chosen.jobs)
        for name in chosen.only:
            began = time.perf_counter()
            figures[name] = PARTS[name](asked)
            save(figures, chosen.out)
            print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    except (BuildError, CounterListenerError) as error:
        print(error, file=sys.stderr)
        return 1
    print(table(figures), end="")
    return 0


def save(figures: Mapping[str, Any], file: Path | None) -> None:
    """Writes what has been measured so far, since a part that fails must not cost the parts before it."""
    if file:
        file.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        file.with_suffix(".md").write_text(table(figures), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
