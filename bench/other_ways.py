"""How many sentences that say a phrase in other words are found as that phrase.

    python bench/other_ways.py [--sentences bench/other_ways.txt] [--cer 0.235] [--missed 40]

A line of the file is the id of a phrase, a tab, and a sentence with the same purpose. Each is an utterance of the clerk
at four characters a second, exact, or three times with simulated errors.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from misheard import ErrorCounts, misheard

from counter_listener.judging import typed_utterance
from counter_listener.matching import Matcher, find_in_utterance, prepare_matcher
from counter_listener.phrases import find_phrase_set, read_phrase_set

SENTENCES: Final = Path(__file__).with_name("other_ways.txt")
SEEDS: Final = (1, 2, 3)
"""Errors are simulated once for each."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=Path, default=SENTENCES)
    parser.add_argument("--phrases", default="bank-counter")
    parser.add_argument("--cer", type=float, default=0.0, help="Character error rate, 0-1.")
    parser.add_argument("--missed", type=int, default=0, help="Show so many that are not found.")
    options = parser.parse_args()
    matcher = prepare_matcher(read_phrase_set(find_phrase_set(options.phrases))[0])
    required = {phrase.id for phrase, _ in matcher.phrases.phrases() if phrase.required}
    said, hits, other = Counter[str](), Counter[str](), 0
    for owner, text in listed(options.sentences):
        for ids in found(matcher, text, options.cer):
            said[owner] += 1
            hits[owner] += owner in ids
            other += bool(ids) and owner not in ids
            if owner not in ids and options.missed > 0:
                options.missed -= 1
                print(f"  {owner:<22} {text}   {', '.join(sorted(ids)) or '-'}")
    print(f"at {options.cer:.1%} CER {hits.total()} of {said.total()} are found, {other} as another phrase alone")
    print(f"of what is required {sum(hits[one] for one in required)} of {sum(said[one] for one in required)}:")
    for owner in sorted(required & set(said)):
        print(f"  {owner:<22} {hits[owner]} of {said[owner]}")


def listed(file: Path) -> Iterator[tuple[str, str]]:
    """Ids and sentences of a file."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            owner, _, text = line.partition("\t")
            yield owner, text


def found(matcher: Matcher, text: str, rate: float) -> Iterator[set[str]]:
    """Ids of the phrases in a sentence of the clerk, for each time it is said."""
    exact = typed_utterance(text, "clerk")
    with_errors = (misheard(exact, rate, random.Random(f"{seed} {text}"), ErrorCounts()) for seed in SEEDS)
    for heard in with_errors if rate else (exact,):
        yield {hit.owner for hit in find_in_utterance(matcher, heard).phrases} if heard else set()


if __name__ == "__main__":
    main()
