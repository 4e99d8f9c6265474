"""Measures a model: `python -m models.build.measure MODEL --audio FOLDER --sets FOLDER`.

The sets come from `python -m models.build.sets`. Everything is heard through the program's own chain at its defaults.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from counter_listener.errors import CounterListenerError
from counter_listener.scoring import by_id, count, f1_interval, total, wilson
from models.build.errors import BuildError
from models.build.measuring.choices import dial, which_word
from models.build.measuring.costs import costs
from models.build.measuring.heard import Recording, hear_all, loaded
from models.build.measuring.sets import Labelled, read_set
from models.build.measuring.tables import table
from models.build.measuring.texts import added, errors_by_kind, percentile, time_errors

PHRASES: Final = Path(__file__).resolve().parents[2] / "phrase_sets" / "bank-counter.toml"
SPOKEN: Final = ("joined", "joined-noisy", "voices", "voices-noisy", "news")
TIMED: Final = ("voices", "voices-noisy")
"""Sets whose truth is exact to the sample."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure, and with what."""

    model: Path
    audio: Path
    sets: Path
    phrases: Path
    jobs: int


def measure_set(name: str, asked: Asked) -> dict[str, Any]:
    """How well the phrases of one set were found, what was missed and misheard, and how well its text was written."""
    recordings = read_set(asked.sets / name)
    heard = list(hear_all([one.path for one in recordings], asked.model, asked.phrases, asked.jobs))
    counts = [count(one.said, found.found) for one, found in zip(recordings, heard, strict=True)]
    whole = total(total(file.values()) for file in counts)
    hours = sum(one.seconds for one in recordings) / 3600
    found = {
        "recordings": len(recordings),
        "hours": hours,
        "owed": whole.owed,
        "hits": whole.hits,
        "false_alarms": whole.false_alarms,
        "false_alarms_an_hour": whole.false_alarms / hours if hours else 0.0,
    }
    if whole.owed:
        interval = f1_interval([total(file.values()) for file in counts])
        found |= {
            "recall": whole.recall,
            "recall_95": wilson(whole.hits, whole.owed),
            "precision": whole.precision,
            "precision_95": wilson(whole.hits, whole.hits + whole.false_alarms),
            "f1": whole.f1,
            "f1_95": interval,
        }
    found |= _texts(name, recordings, heard)
    wrong = {one: [each.owed, each.hits, each.false_alarms] for one, each in by_id(counts).items()}
    found["by_id"] = {one: each for one, each in wrong.items() if each[0] != each[1] or each[2]}
    found["misses"] = [miss for one, told in zip(recordings, heard, strict=True) for miss in _misses(one, told)]
    found["alarms"] = [alarm for one, told in zip(recordings, heard, strict=True) for alarm in _alarms(one, told)]
    return found


def _texts(name: str, recordings: Sequence[Labelled], heard: Sequence[Recording]) -> dict[str, Any]:
    pairs = list(zip(recordings, heard, strict=True))
    found: dict[str, Any] = {
        key: {
            kind: errors.rate
            for kind, errors in added(
                errors_by_kind(one.lines, told.words, by_sound=sound) for one, told in pairs
            ).items()
        }
        for key, sound in (("character_errors", False), ("syllable_errors", True))
    }
    if name in TIMED:
        errors = [error for one, told in pairs for error in time_errors(one.lines, told.words)]
        starts, ends = ([abs(error[side]) for error in errors] for side in (0, 1))
        found["word_times"] = {
            "words": len(errors),
            "start_mean": sum(starts) / max(1, len(starts)),
            "start_95": percentile(starts, 0.95),
            "end_mean": sum(ends) / max(1, len(ends)),
            "end_95": percentile(ends, 0.95),
            "start_bias": sum(error[0] for error in errors) / max(1, len(errors)),
            "end_bias": sum(error[1] for error in errors) / max(1, len(errors)),
        }
    return found


def _misses(one: Labelled, told: Recording) -> list[dict[str, Any]]:
    """What was owed and not found, with the words heard about then."""
    hit = count(one.said, told.found)
    missed = []
    for said in one.said:
        if not said.optional and not count([said], told.found)[said.id].hits and hit[said.id].misses:
            near = " ".join(
                word.text for word in told.words if word.end > said.start - 0.2 and word.start < said.end + 0.2
            )
            text = "".join(
                line.text
                for line in one.lines
                if line.characters[-1][1] > said.start < said.end >= line.characters[0][1]
            )
            missed.append({"file": one.path.name, "id": said.id, "at": said.start, "said": text, "heard": near})
    return missed


def _alarms(one: Labelled, told: Recording) -> list[dict[str, Any]]:
    """What was found and not said, with what was."""
    found = []
    for hit, span in zip(told.hits, told.found, strict=True):
        if count(one.said, [span])[span.id].false_alarms:
            text = "".join(
                line.text
                for line in one.lines
                if line.characters[-1][1] > hit.start and line.characters[0][1] < hit.end
            )
            told_of = {"file": one.path.name, "id": hit.owner, "at": hit.start, "said": text, "heard": hit.heard}
            found.append(told_of | {"wording": hit.wording, "score": hit.score, "shared": hit.shared})
    return found


def measure_words(asked: Asked) -> dict[str, Any]:
    model, _ = loaded(asked.model, asked.phrases)
    return which_word(asked.audio / "dspspeech20", model, asked.model)


def measure_dial(asked: Asked) -> dict[str, Any]:
    model, _ = loaded(asked.model, asked.phrases)
    return dial(read_set(asked.sets / "dial"), model, asked.model)


def measure_costs(asked: Asked) -> dict[str, Any]:
    return costs(asked.model, asked.sets / "stretches")


PARTS: Final[dict[str, Callable[[Asked], dict[str, Any]]]] = {
    **{name: (lambda asked, name=name: measure_set(name, asked)) for name in SPOKEN},
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
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure")
    parser.add_argument("--phrases", type=Path, default=PHRASES, help="phrase set (TOML)")
    parser.add_argument("--jobs", type=int, default=1, help="processors to decode the sets on (default 1)")
    parser.add_argument(
        "--out", type=Path, help="file to write the figures to, as JSON; a .md beside it gets the table"
    )
    chosen = parser.parse_args(arguments)
    asked = Asked(chosen.model, chosen.audio, chosen.sets, chosen.phrases, chosen.jobs)
    figures: dict[str, Any] = {"model": chosen.model.name}
    try:
        for name in chosen.only:
            began = time.perf_counter()
            figures[name] = PARTS[name](asked)
            print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    except (BuildError, CounterListenerError) as error:
        print(error, file=sys.stderr)
        return 1
    if chosen.out:
        chosen.out.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        chosen.out.with_suffix(".md").write_text(table(figures), encoding="utf-8")
    print(table(figures), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
