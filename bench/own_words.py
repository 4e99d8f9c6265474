"""How well the phrase set knows what clerks say in their own words.

    python bench/own_words.py bench/own_words/round-1.tsv [--cer 0.235]

A round is a TSV file by one writer who had seen no phrase set and no other round: kind (`owed`, `rude`, `innocent`),
meaning (the id of a phrase; for an innocent sentence `clerk` or `customer`), the character who speaks, the sentence.
Each sentence is an utterance at four characters a second, exact, or three times with simulated recognition errors.
"""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

from misheard import ErrorCounts, misheard

from counter_listener.domain import Speaker, wilson_interval
from counter_listener.judging import load_matcher, typed_utterance
from counter_listener.matching import Matcher
from models.build.measuring.own_words import Found, Sentence, read_round
from models.build.measuring.own_words import find as find_in_utterances

SEEDS: Final = (1, 2, 3)
"""Errors are simulated once for each."""


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
    """What is found in a sentence, once for each time it is said."""
    exact = typed_utterance(sentence.text, speaker)
    with_errors = (misheard(exact, rate, random.Random(f"{seed} {sentence.text}"), ErrorCounts()) for seed in SEEDS)
    for utterance in with_errors if rate else (exact,):
        yield find_in_utterances(matcher, sentence, [utterance] if utterance else [], speaker)


if __name__ == "__main__":
    main()
