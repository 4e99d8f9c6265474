"""The time to match an utterance, and how it grows with the number of wordings and the length of the utterance.

    python bench/matching.py [--visits 15] [--rounds 5]

The utterances are those of synthetic visits (visits.py), exact and with errors in 23.5 % of the characters
(misheard.py). Each round times every utterance once, our matcher and the peer in turn, in seconds of processor time.
The least time of all rounds counts for each utterance, so that other work on the machine does not. The peer calls
rapidfuzz's `partial_ratio_alignment` on toneless pinyin for every formal sentence of listed.toml. Phrase sets of other
sizes are made of halves of these sentences.
"""

import argparse
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from misheard import ErrorCounts, misheard
from rapidfuzz import fuzz
from visits import SLOT, listed, visits

from counter_listener.domain import Phrase, PhraseSet, Stage, Utterance
from counter_listener.judging import typed_utterance
from counter_listener.matching import Matcher, find_in_utterance, match, prepare_matcher
from counter_listener.phrases import find_phrase_set, iter_templates, read_phrase_set, text_syllables

RATE: Final = 0.235
SIZES: Final = (250, 500, 1_000, 2_000)
HEARD: Final = frozenset({"phrase.say", "phrase.shared", "forbidden.say", "forbidden.shared"})
TALK: Final = ("请问您要办什么事", "我想把这个月的钱存成定期", "您好", "那个利息是多少", "请您在这里签字", "好的")
LONG: Final = {
    "100 000 characters": "".join(random.Random(1).choices(TALK, k=17_000))[:100_000],
    "10 000 times one syllable": "好" * 10_000,
    "10 000 times one wording": "您好" * 10_000,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    bank = read_phrase_set(find_phrase_set("bank-counter"))[0]
    matcher = prepare_matcher(bank)
    sample = list(utterances(options.visits))
    owed = sum(len(phrase.say) + len(phrase.shared) for phrase, _ in bank.phrases())
    print(f"{owed} owed templates, {len(matcher.automaton.entries)} with all others; {len(sample)} utterances")
    ours, peer = against_peer(matcher, sample, options.rounds)
    print(f"ours: {describe(ours)}; partial_ratio_alignment for every owed and forbidden wording: {describe(peer)}")
    ratios = [base / mine for mine, base in zip(ours, peer, strict=True)]
    print(f"as many times faster: median {statistics.median(ratios):.1f}, least {min(ratios):.1f}")
    for size in SIZES:
        print(f"{size} owed wordings: {describe(best_of(of_size(bank, size), sample, options.rounds))}")
    for name, text in LONG.items():
        print(f"{name}: {long_text(matcher, text)}")


def utterances(number: int) -> Iterator[Utterance]:
    """The utterances of some visits, each exact and with errors."""
    for visit in visits("tuning", 1, number):
        rng = random.Random(visit.name)
        for utterance in visit.utterances:
            yield utterance
            with_errors = misheard(utterance, RATE, rng, ErrorCounts())
            if with_errors is not None:
                yield with_errors


def against_peer(matcher: Matcher, sample: Sequence[Utterance], rounds: int) -> tuple[list[float], list[float]]:
    """Seconds for each utterance: ours, and the peer's."""
    pinyin = [
        " ".join(text_syllables(SLOT.sub(" ", wording)))
        for kind, _, wording in iter_templates(listed())
        if kind in HEARD
    ]

    def peer(utterance: Utterance) -> None:
        heard = " ".join(text_syllables("".join(word.text for word in utterance.words)))
        for wording in pinyin:
            fuzz.partial_ratio_alignment(wording, heard)

    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(timed(partial(find_in_utterance, matcher), sample))
        theirs.append(timed(peer, sample))
    return least(ours), least(theirs)


def best_of(matcher: Matcher, sample: Sequence[Utterance], rounds: int) -> list[float]:
    """Seconds for each utterance, the least of the rounds."""
    return least([timed(partial(find_in_utterance, matcher), sample) for _ in range(rounds)])


def timed(work: Callable[[Utterance], object], sample: Sequence[Utterance]) -> list[float]:
    seconds = []
    for utterance in sample:
        began = time.thread_time()
        work(utterance)
        seconds.append(time.thread_time() - began)
    return seconds


def least(rounds: Sequence[Sequence[float]]) -> list[float]:
    return [min(times) for times in zip(*rounds, strict=True)]


def describe(seconds: Sequence[float]) -> str:
    ranked = sorted(seconds)
    return (
        f"median {1e3 * statistics.median(ranked):.3f} ms,"
        f" 99th percentile {1e3 * ranked[int(0.99 * (len(ranked) - 1))]:.3f} ms"
    )


def of_size(bank: PhraseSet, size: int) -> Matcher:
    """A matcher for so many owed wordings: the bank's own, then new ones of two halves."""
    rng = random.Random(size)
    own = [wording for phrase, _ in listed().phrases() for wording in (*phrase.say, *phrase.shared)]
    plain = [wording for wording in own if "{" not in wording]
    chosen = rng.sample(own, min(size, len(own)))
    while len(chosen) < size:
        first, second = rng.choice(plain), rng.choice(plain)
        chosen.append(first[: len(first) // 2] + second[len(second) // 2 :])
    phrases = [Phrase(id=f"p{number}", say=tuple(chosen[number : number + 8])) for number in range(0, size, 8)]
    stage = Stage(id="all", title="all", phrase=tuple(phrases))
    return prepare_matcher(
        replace(bank, stage=(stage,), forbidden=(), rule=(), scenario=(), word=(), observe=(), step=())
    )


def long_text(matcher: Matcher, text: str) -> str:
    """Seconds and megabytes for one very long utterance, measured in two runs: tracing memory takes time."""
    utterance = typed_utterance(text)
    began = time.thread_time()
    parts = sum(1 for _ in match([utterance], matcher))
    seconds = time.thread_time() - began
    tracemalloc.start()
    for _ in match([utterance], matcher):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return f"{seconds:.1f} s, {peak / 1e6:.1f} MB at most, {parts} parts"


if __name__ == "__main__":
    main()
