"""How well the phrase set knows what clerks say in their own words.

    python bench/own_words.py bench/own_words/round-1.tsv [--cer 0.235]

A round is a TSV file by one writer who had seen no phrase set and no other round: kind (`owed`, `rude`, `innocent`),
meaning (the id of a phrase; for an innocent sentence `clerk` or `customer`), the character who speaks, the sentence.
Each sentence is an utterance at four characters a second, exact, or three times with simulated recognition errors.
"""

import argparse
import csv
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, cast

from misheard import ErrorCounts, misheard

from counter_listener.domain import MatchedUtterance, Prior, Speaker, wilson_interval
from counter_listener.judging import counted_findings, load_matcher, typed_utterance
from counter_listener.matching import Matcher, find_in_utterance

SEEDS: Final = (1, 2, 3)
"""Errors are simulated once for each."""
ACCUSATIONS: Final = ("offence", "rule")


class Sentence(NamedTuple):
    """One line of a round."""

    kind: str
    meaning: str
    character: str
    text: str


class Found(NamedTuple):
    """What the program finds in a sentence."""

    phrases: set[str]
    accused: bool
    """Whether there is an offence or a broken rule."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=Path, nargs="+")
    parser.add_argument("--phrases", default="bank-counter")
    parser.add_argument("--cer", type=float, default=0.0, help="Character error rate, 0-1.")
    options = parser.parse_args()
    matcher = load_matcher(options.phrases, proven=False)[0]
    for file in options.rounds:
        print(f"{file.name}, {options.cer:.1%} of the characters wrong")
        for name, hits in figures(matcher, read_round(file), options.cer):
            low, high = wilson_interval(sum(hits), len(hits))
            print(f"  {name:<52} {sum(hits):4} of {len(hits):4}  {sum(hits) / len(hits):.3f} [{low:.3f}-{high:.3f}]")


def read_round(file: Path) -> list[Sentence]:
    """The sentences of a round."""
    with file.open(encoding="utf-8", newline="") as lines:
        return [Sentence(*row) for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)][1:]


def figures(matcher: Matcher, sentences: list[Sentence], rate: float) -> Iterator[tuple[str, list[bool]]]:
    """The name of each figure, and for each sentence whether it counts."""
    required = {phrase.id for phrase, _ in matcher.phrases.phrases() if phrase.required}
    owed = [one for one in sentences if one.kind == "owed"]
    innocent = [one for one in sentences if one.kind == "innocent"]

    def hits(asked: list[Sentence]) -> list[bool]:
        return [one.meaning in found.phrases for one in asked for found in find(matcher, one, "clerk", rate)]

    yield "owed sentences found as their phrase", hits(owed)
    yield "of required phrases", hits([one for one in owed if one.meaning in required])
    rude = [one for one in sentences if one.kind == "rude"]
    yield "rude remarks found", [found.accused for one in rude for found in find(matcher, one, "clerk", rate)]
    known = [f for one in innocent for f in find(matcher, one, cast("Speaker", one.meaning), rate)]
    yield "innocent sentences taken for anything, speaker known", [bool(one.phrases) or one.accused for one in known]
    yield "accused, speaker known", [one.accused for one in known]
    unknown = [found for one in innocent for found in find(matcher, one, "unknown", rate)]
    yield "accused, speaker unknown", [one.accused for one in unknown]


def find(matcher: Matcher, sentence: Sentence, speaker: Speaker, rate: float) -> Iterator[Found]:
    """What is found in a sentence, once for each time it is said.

    A phrase that is owed only after a complaint is said after one.
    """
    exact = typed_utterance(sentence.text, speaker)
    with_errors = (misheard(exact, rate, random.Random(f"{seed} {sentence.text}"), ErrorCounts()) for seed in SEEDS)
    prior: Prior = "scenario" if sentence.meaning in matcher.scenario_phrases else "nothing"
    for utterance in with_errors if rate else (exact,):
        if utterance is None:
            yield Found(set(), accused=False)
            continue
        hits = list(counted_findings(MatchedUtterance(utterance, find_in_utterance(matcher, utterance, (), prior), 0)))
        accused = any(
            kind in ACCUSATIONS and not hit.followed and hit.frame is None and not (hit.shared and speaker == "unknown")
            for kind, hit in hits
        )
        yield Found({hit.owner for kind, hit in hits if kind == "phrase"}, accused)


if __name__ == "__main__":
    main()
