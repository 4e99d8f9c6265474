"""How well phrases are found in what a recogniser gets wrong: ours against three baselines, on made-up visits.

    python bench/noisy_text.py --seeds tuning --cer 0.235 [--visits 20] [--show 40] [--write FOLDER]

Makes visits from the phrase set (visits.py), mishears them at each character error rate (misheard.py), and scores what
is found against what was said (counter_listener/scoring.py). The tuning seeds are for whoever improves the matcher;
the reporting seeds, which also draw their customers' and innocent sentences from the other half of talk.toml, are for
the figures in RESULTS.md, and --show does not work with them. Each baseline stands at the threshold that is best for
it on the very data it is scored on, which favours it; ours has its default settings.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from misheard import MIX, Ledger, misheard
from visits import Visit, visits

from counter_listener.baselines import BASELINES, Candidate, candidates, found_at, prepare_baseline, thresholds
from counter_listener.findings import Heard
from counter_listener.matching import Matcher, match, prepare
from counter_listener.phrases import find_phrase_set, read_phrase_set
from counter_listener.pipeline import timed
from counter_listener.scoring import Counts, Span, count, f1_interval, meet, total, wilson
from counter_listener.types import Hit, Utterance

SEEDS: Final[Mapping[str, Sequence[int]]] = {"tuning": range(1, 6), "reporting": range(9_001, 9_011)}
RATES: Final = (0.1, 0.235, 0.38)
"""Character error rates asked for; 0.235 is the official small Chinese model's on SpeechIO-02."""


@dataclass(frozen=True, slots=True)
class Case:
    """One visit as a recogniser wrote it, and what was said in it."""

    name: str
    seconds: float
    utterances: tuple[Utterance, ...]
    said: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How one matcher did on all cases."""

    name: str
    threshold: float | None
    files: tuple[Counts, ...]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", choices=[*SEEDS], default="tuning")
    options.add_argument("--cer", type=float, action="append", help="Character error rate, 0-1; may be given again.")
    options.add_argument("--visits", type=int, default=20, help="Visits a seed.")
    options.add_argument("--phrases", default="bank-counter")
    options.add_argument(
        "--ours-only", action="store_true", help="Leave the baselines out: they take most of the time."
    )
    options.add_argument("--show", type=int, default=0, help="Show so many of our misses and false alarms.")
    options.add_argument("--write", type=Path, help="Also write labels and transcripts for `counter-listener eval`.")
    asked = options.parse_args()
    if asked.show and asked.seeds == "reporting":
        options.error("the reporting seeds are not to be tuned on, so --show needs --seeds tuning")
    matcher = prepare(read_phrase_set(find_phrase_set(asked.phrases))[0])
    for rate in asked.cer or RATES:
        ledger = Ledger()
        cases = list(make(matcher, asked.seeds, rate, asked.visits, ledger))
        print(facts(cases, asked.seeds, rate, ledger))
        kinds = () if asked.ours_only else BASELINES
        for score in (*(baseline(kind, cases, matcher) for kind in kinds), ours(cases, matcher)):
            print(line(score, sum(case.seconds for case in cases)), flush=True)
        if asked.show:
            show(cases, matcher, asked.show)
        if asked.write:
            write(cases, asked.write / f"{asked.seeds}-{rate:g}")


def make(matcher: Matcher, kind: str, rate: float, number: int, ledger: Ledger) -> Iterable[Case]:
    """The cases of all seeds of a kind, `number` a seed, at one error rate."""
    for seed in SEEDS[kind]:
        for visit in visits(matcher.phrases, kind, seed, number):
            rng = random.Random(f"{visit.name} {rate}")  # noqa: S311 - repeatable, not secret
            yield heard_at(visit, rate, rng, ledger)


def heard_at(visit: Visit, rate: float, rng: random.Random, ledger: Ledger) -> Case:
    """A visit as a recogniser of this error rate may write it."""
    written = (misheard(utterance, rate, rng, ledger) for utterance in visit.utterances)
    return Case(visit.name, visit.seconds, tuple(one for one in written if one is not None), visit.said)


def found(case: Case, matcher: Matcher) -> list[tuple[Span, Hit]]:
    """What our matcher finds of owed and forbidden wordings, `say` and `shared` alike."""
    heard = (item for item in match(timed(case.utterances), matcher) if isinstance(item, Heard))
    hits = [hit for item in heard for hit in (*item.findings.phrases, *item.findings.offences)]
    return [(Span(hit.owner, hit.start, hit.end), hit) for hit in hits]


def ours(cases: Iterable[Case], matcher: Matcher) -> Score:
    files = (total(count(case.said, (span for span, _ in found(case, matcher))).values()) for case in cases)
    return Score("ours", None, tuple(files))


def baseline(kind: str, cases: Sequence[Case], matcher: Matcher) -> Score:
    """A baseline at its own best threshold on these cases."""
    wordings = prepare_baseline(kind, matcher.phrases)  # type: ignore[arg-type] # one of BASELINES
    held = [[candidates(utterance, wordings) for utterance in case.utterances] for case in cases]
    every = [one for case in held for utterance in case for one in utterance]
    tried = [Score(kind, at, tuple(at_threshold(at, cases, held))) for at in thresholds(every)]
    return max(tried, key=lambda score: total(score.files).f1)


def at_threshold(at: float, cases: Iterable[Case], held: Iterable[Iterable[list[Candidate]]]) -> Iterable[Counts]:
    for case, utterances in zip(cases, held, strict=True):
        spans = [span for utterance in utterances for span in found_at(at, utterance)]
        yield total(count(case.said, spans).values())


def facts(cases: Sequence[Case], kind: str, rate: float, ledger: Ledger) -> str:
    hours = sum(case.seconds for case in cases) / 3600
    owed = sum(not span.optional for case in cases for span in case.said)
    made = ledger.errors.total() / max(1, ledger.characters)
    mix = ", ".join(f"{name} {ledger.mix[name]:.0%}" for name in MIX)
    return (
        f"\n{kind} seeds {SEEDS[kind][0]}-{SEEDS[kind][-1]}, asked for {rate:.1%} CER, made {made:.1%} ({mix}):"
        f" {len(cases)} visits, {hours:.1f} h, {ledger.characters} characters, {owed} owed"
    )


def line(score: Score, seconds: float) -> str:
    all_of = total(score.files)
    low, high = f1_interval(score.files) or (0.0, 1.0)
    p, r = wilson(all_of.hits, all_of.hits + all_of.false_alarms), wilson(all_of.hits, all_of.owed)
    at = f"at {score.threshold:5.1f}" if score.threshold is not None else "default "
    return (
        f"{score.name:10} {at}  F1 {all_of.f1:.4f} [{low:.3f}-{high:.3f}]"
        f"  precision {all_of.precision:.4f} [{p[0]:.3f}-{p[1]:.3f}]"
        f"  recall {all_of.recall:.4f} [{r[0]:.3f}-{r[1]:.3f}]"
        f"  hits {all_of.hits}, misses {all_of.misses}, false alarms {all_of.false_alarms}"
        f" ({all_of.false_alarms / seconds * 3600:.1f} an hour)"
    )


def show(cases: Iterable[Case], matcher: Matcher, most: int) -> None:
    """Our misses and false alarms, each with what was recognised there."""
    shown = 0
    for case in cases:
        hits = found(case, matcher)
        for span in case.said:
            if not span.optional and not any(h.id == span.id and meet(h, span) for h, _ in hits):
                print(f"  miss   {span.id:22} {text(case, span)}   also found: {beside(span, hits)}")
                shown += 1
        for span, hit in hits:
            if not any(one.id == span.id and meet(one, span) for one in case.said):
                true = ", ".join(one.id for one in case.said if meet(one, span, 0.0))
                took = f"{hit.heard} for {hit.wording}, {hit.score}"
                print(f"  false  {span.id:22} {text(case, span)}   {took}; said: {true or 'nothing'}")
                shown += 1
        if shown >= most:
            return


def beside(span: Span, hits: Iterable[tuple[Span, Hit]]) -> str:
    return ", ".join(f"{hit.owner} ({hit.wording})" for other, hit in hits if meet(span, other, 0.0)) or "nothing"


def text(case: Case, span: Span) -> str:
    near = [one for one in case.utterances if meet(Span("", one.start, one.end), span, 0.0)]
    return " / ".join("".join(word.text for word in one.words) for one in near) or "(nothing)"


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
            for one in case.said
        ]
        labels.append(as_line({"file": f"{case.name}.jsonl", "seconds": case.seconds, "said": said}))
    (folder / "labels.jsonl").write_text("".join(labels), encoding="utf-8", newline="\n")


def as_line(row: Mapping[str, object]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
