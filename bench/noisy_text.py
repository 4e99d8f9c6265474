"""How well phrases are found in text with recognition errors: our matcher and three baselines, on synthetic visits.

    python bench/noisy_text.py --seeds tuning --cer 0.235 [--visits 20] [--show 40] [--write FOLDER]

Makes visits from the phrase set (visits.py), simulates errors at each character error rate (misheard.py), and scores
what is found against what was said (counter_listener/evaluation). The tuning seeds are for improving the matcher. The
reporting seeds are for the figures in RESULTS.md: they draw the sentences of customers and the innocent ones from the
other half of talk.toml, and --show does not work with them. Each baseline has the threshold that is best for it on the
very data it is scored on, which favours it; our matcher has its default parameters.
"""

import argparse
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from misheard import MIX, ErrorCounts, misheard
from visits import Visit, visits

from counter_listener.domain import wilson_interval
from counter_listener.evaluation import (
    BASELINES,
    Case,
    Detection,
    LabelledPhrase,
    MethodScore,
    evaluate,
    f1_interval,
    matcher_hits,
    overlap,
    prepare_finders,
    run_finders,
    total,
)
from counter_listener.matching import Matcher, prepare_matcher
from counter_listener.phrases import find_phrase_set, read_phrase_set
from counter_listener.pipeline import with_ticks

SEEDS: Final[Mapping[str, Sequence[int]]] = {"tuning": range(1, 6), "reporting": range(9_001, 9_011)}
RATES: Final = (0.1, 0.235, 0.38)
"""Character error rates asked for; 0.235 is the official small Chinese model's on SpeechIO-02."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", choices=[*SEEDS], default="tuning")
    parser.add_argument("--cer", type=float, action="append", help="Character error rate, 0-1; may be given again.")
    parser.add_argument("--visits", type=int, default=20, help="Visits a seed.")
    parser.add_argument("--phrases", default="bank-counter")
    parser.add_argument("--ours-only", action="store_true", help="Leave the baselines out: they take most of the time.")
    parser.add_argument("--show", type=int, default=0, help="Show so many of our misses and false alarms.")
    parser.add_argument("--write", type=Path, help="Also write labels and transcripts for `counter-listener eval`.")
    options = parser.parse_args()
    if options.show and options.seeds == "reporting":
        parser.error("the reporting seeds are not to be tuned on, so --show needs --seeds tuning")
    kinds = () if options.ours_only else BASELINES
    matcher = prepare_matcher(read_phrase_set(find_phrase_set(options.phrases))[0])
    ready = prepare_finders(matcher, kinds)
    for rate in options.cer or RATES:
        counts = ErrorCounts()
        cases = list(make(options.seeds, rate, options.visits, counts))
        print(facts(cases, options.seeds, rate, counts))
        result = evaluate([run_finders(case, ready) for case in cases])
        for method in result.methods:
            print(line(method, result.seconds), flush=True)
        if options.show:
            show(cases, matcher, options.show)
        if options.write:
            write(cases, options.write / f"{options.seeds}-{rate:g}")


def make(kind: str, rate: float, number: int, counts: ErrorCounts) -> Iterable[Case]:
    """The cases of all seeds of a kind, `number` a seed, at one error rate."""
    for seed in SEEDS[kind]:
        for visit in visits(kind, seed, number):
            rng = random.Random(f"{visit.name} {rate}")
            yield heard_at(visit, rate, rng, counts)


def heard_at(visit: Visit, rate: float, rng: random.Random, counts: ErrorCounts) -> Case:
    """A visit as a recogniser of this error rate may write it."""
    written = (misheard(utterance, rate, rng, counts) for utterance in visit.utterances)
    return Case(visit.name, visit.seconds, tuple(with_ticks(one for one in written if one is not None)), visit.said)


def facts(cases: Sequence[Case], kind: str, rate: float, counts: ErrorCounts) -> str:
    hours = sum(case.seconds for case in cases) / 3600
    owed = sum(not span.optional for case in cases for span in case.phrases)
    made = counts.errors.total() / max(1, counts.characters)
    mix = ", ".join(f"{name} {counts.mix[name]:.0%}" for name in MIX)
    return (
        f"\n{kind} seeds {SEEDS[kind][0]}-{SEEDS[kind][-1]}, asked for {rate:.1%} CER, made {made:.1%} ({mix}):"
        f" {len(cases)} visits, {hours:.1f} h, {counts.characters} characters, {owed} owed"
    )


def line(method: MethodScore, seconds: float) -> str:
    counts = method.counts
    low, high = f1_interval([total(file.values()) for file in method.files]) or (0.0, 1.0)
    p, r = wilson_interval(counts.hits, counts.hits + counts.false_alarms), wilson_interval(counts.hits, counts.owed)
    at = f"at {method.threshold:5.1f}" if method.threshold else "default "
    return (
        f"{method.name:22} {at}  F1 {counts.f1:.4f} [{low:.3f}-{high:.3f}]"
        f"  precision {counts.precision:.4f} [{p[0]:.3f}-{p[1]:.3f}]"
        f"  recall {counts.recall:.4f} [{r[0]:.3f}-{r[1]:.3f}]"
        f"  hits {counts.hits}, misses {counts.misses}, false alarms {counts.false_alarms}"
        f" ({counts.false_alarms / seconds * 3600:.1f} an hour)"
    )


def show(cases: Iterable[Case], matcher: Matcher, most: int) -> None:
    """Our misses and false alarms, each with what was recognised there."""
    shown = 0
    for case in cases:
        found = [(Detection(hit.owner, hit.start, hit.end), hit) for hit in matcher_hits(case, matcher)]
        for one in case.phrases:
            if not one.optional and not any(hit.id == one.id and overlap(hit, one) for hit, _ in found):
                others = overlapping_ids(one, (hit for hit, _ in found))
                print(f"  miss   {one.id:22} {text(case, one)}   also found: {others}")
                shown += 1
        for wrong, hit in found:
            if not any(one.id == wrong.id and overlap(one, wrong) for one in case.phrases):
                took = f"{hit.heard} for {hit.wording}, {hit.score:g}"
                print(
                    f"  false  {wrong.id:22} {text(case, wrong)}   {took}; said: {overlapping_ids(wrong, case.phrases)}"
                )
                shown += 1
        if shown >= most:
            return


def overlapping_ids(one: LabelledPhrase | Detection, others: Iterable[LabelledPhrase | Detection]) -> str:
    return ", ".join(other.id for other in others if overlap(one, other, 0.0)) or "nothing"


def text(case: Case, one: LabelledPhrase | Detection) -> str:
    near = [each for each in case.utterances if overlap(LabelledPhrase("", each.start, each.end), one, 0.0)]
    return " / ".join("".join(word.text for word in each.words) for each in near) or "(nothing)"


def write(cases: Iterable[Case], folder: Path) -> None:
    """Labels and transcripts as `counter-listener eval` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = []
    for case in cases:
        rows = [
            {"start": one.start, "end": one.end, "text": "".join(word.text for word in one.words),
             "words": [{"word": word.text, "start": word.start, "end": word.end} for word in one.words]}
            for one in case.utterances
        ]  # fmt: skip
        (folder / f"{case.name}.jsonl").write_text("".join(map(as_line, rows)), encoding="utf-8", newline="\n")
        said = [
            {"id": one.id, "start": one.start, "end": one.end} | ({"optional": True} if one.optional else {})
            for one in case.phrases
        ]
        labels.append(as_line({"file": f"{case.name}.jsonl", "seconds": case.seconds, "said": said}))
    (folder / "labels.jsonl").write_text("".join(labels), encoding="utf-8", newline="\n")


def as_line(row: Mapping[str, object]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
