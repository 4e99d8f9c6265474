"""Whether innocent sentences with the words of offences accuse anybody, and whether real offences are found.

    python bench/frames.py [bench/frames_tuning.tsv] [--show]

The sentences are by a writer who had seen no phrase set: reported speech, warnings, politeness, questions, conditions,
oneself, others, denials, customers' anger; and offences and refusals of clerks. frames_tuning.tsv is for whoever
improves the frames; nothing is tuned on frames.tsv. The speaker is known first, then unknown.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, cast

from own_words import find

from counter_listener.domain import Speaker
from counter_listener.judging import load_matcher
from counter_listener.matching import Matcher
from models.build.measuring.own_words import Sentence

REPORTED: Final = Path(__file__).with_name("frames.tsv")
GUILTY: Final = frozenset({"offence", "refusal-bare"})
"""The kinds that must accuse."""


class Verdict(NamedTuple):
    """A sentence, and whether it accuses."""

    kind: str
    text: str
    known: bool
    """With a known speaker."""
    unknown: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=REPORTED)
    parser.add_argument("--phrases", default="bank-counter")
    parser.add_argument("--show", action="store_true", help="Show the wrong verdicts; not for frames.tsv.")
    options = parser.parse_args()
    if options.show and options.file == REPORTED:
        parser.error("frames.tsv is not to be tuned on, so --show needs frames_tuning.tsv")
    found = list(verdicts(options.file, load_matcher(options.phrases)[0]))
    totals, known, unknown = Counter(one.kind for one in found), Counter[str](), Counter[str]()
    for one in found:
        known[one.kind] += one.known
        unknown[one.kind] += one.unknown
        if options.show and (one.kind in GUILTY) != one.known:
            print(f"  {one.kind:12} {one.text}")
    for kind, total in totals.items():
        print(f"{kind:14} accused: {known[kind]:3} of {total:3}; speaker unknown: {unknown[kind]:3}")
    innocent = [kind for kind in totals if kind not in GUILTY]
    total = sum(totals[kind] for kind in innocent)
    print(f"innocent       accused: {sum(known[kind] for kind in innocent):3} of {total:3}", end="")
    print(f"; speaker unknown: {sum(unknown[kind] for kind in innocent):3}")


def verdicts(file: Path, matcher: Matcher) -> Iterator[Verdict]:
    """The verdict on each sentence of a file."""
    with file.open(encoding="utf-8", newline="") as lines:
        for kind, speaker, text in list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]:
            sentence = Sentence(kind, "", "", text)
            known, unknown = (
                next(find(matcher, sentence, cast("Speaker", who), 0.0)).accused for who in (speaker, "unknown")
            )
            yield Verdict(kind, text, known, unknown)


if __name__ == "__main__":
    main()
