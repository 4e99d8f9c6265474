"""Fits the weights of the matcher's score. Writes counter_listener/matching/score.json; its thresholds stay.

    python bench/fit_score.py [--phrases bank-counter] [--seed 1] [--dry-run]

Positive examples are sentences drawn from the templates of the phrase set, with ordinary words around half of them.
Negative ones are sentences that owe nothing: those that are for tuning (counter_talk_tuning.txt,
lookalikes_tuning.txt, the tuning half of talk.toml) and the ordinary sentences of the language model. All are misheard
by the simulator (misheard.py) at several error rates. What fits a template to the letter is accepted whatever its
score, so it is left out of the fit. Logistic regression with a ridge, by Newton's method.
"""

import argparse
import json
import pickle
import random
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from misheard import ErrorCounts, misheard
from numpy.typing import NDArray

from counter_listener.domain import Prior
from counter_listener.judging import typed_utterance
from counter_listener.matching import Matcher, prepare_matcher, search_candidates, to_syllables
from counter_listener.phrases import Template, find_phrase_set, read_phrase_set

PROJECT: Final = Path(__file__).resolve().parents[1]
SCORE: Final = PROJECT / "counter_listener" / "matching" / "score.json"
ORDINARY: Final = PROJECT / "models" / "build" / "language" / "text" / "sentences"
RATES: Final = (0.0, 0.1, 0.235, 0.38)
DRAWN: Final = 16
"""Sentences drawn for each phrase and offence at each error rate."""
SHORT: Final = 9
"""Characters of a customer's sentence that may stand before or after a positive example."""
AMID: Final = 0.25
"""Share of the positive examples with such a sentence on a side."""
STEPS: Final = 30
"""Most steps of Newton's method."""
DRAWN_OTHER: Final = 8
"""The same for everything else."""
KINDS: Final = ("phrase", "forbidden", "other")
LIKELY: Final = 0.7
"""Share of the positive examples that stand shortly after another phrase; of the negative ones, the rest."""
DECEIVING: Final = 0.3
"""The weight of a sentence made to deceive that was misheard as well: a recogniser hardly ever meets one."""
EVEN: Final = 0.5
CONFIDENCE: Final = {"phrase": -1.5, "forbidden": -4.0, "other": -4.0}
"""The weight of a doubling of the recogniser's doubt. It is set, not fitted: simulated errors have no confidences.
Words that a recogniser does not know become short ones of low confidence, and those must accuse nobody."""
RIDGE: Final = 1.0
WEIGHT: Final = {"phrase": 1.0, "forbidden": 1.0, "other": 1.0}
"""How many missed positives one false alarm weighs."""


class Row(NamedTuple):
    """A candidate as an example."""

    kind: str
    features: dict[str, float]
    right: bool
    rate: float
    source: str


class Task(NamedTuple):
    """A sentence to be misheard and searched."""

    text: str
    first: int
    last: int
    """The span of the phrase in it, in characters."""
    role: str
    owners: frozenset[str]
    """None where it owes nothing."""
    rate: float
    seed: str
    source: str = "said"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phrases", default="bank-counter")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=Path, help="Also keep the examples in this file, for other fits.")
    parser.add_argument("--dry-run", action="store_true", help="Show the fit and write nothing.")
    options = parser.parse_args()
    began = time.perf_counter()
    tasks = [*positives(matcher(options.phrases), options.seed), *negatives(options.seed)]
    with ProcessPoolExecutor() as pool:
        rows = list(chain.from_iterable(pool.map(rows_of, [options.phrases] * len(tasks), tasks, chunksize=200)))
    print(f"{len(tasks)} utterances, {len(rows)} candidates, {time.perf_counter() - began:.0f} s")
    if options.rows:
        options.rows.write_bytes(pickle.dumps([tuple(row) for row in rows]))
    score: dict[str, Any] = json.loads(SCORE.read_text(encoding="utf-8"))
    figures = {}
    for kind in KINDS:
        score["weights"][kind], figures[kind] = fit(kind, [row for row in rows if row.kind == kind])
        score["weights"][kind]["confidence"] = CONFIDENCE[kind]
    score["fitted"] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "phrases": options.phrases,
        "utterances": len(tasks),
        "figures": figures,
    }
    if not options.dry_run:
        SCORE.write_text(json.dumps(score, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


@cache
def matcher(name: str) -> Matcher:
    return prepare_matcher(read_phrase_set(find_phrase_set(name))[0])


@cache
def talk(key: str) -> list[str]:
    return [
        line
        for line in tomllib.loads((PROJECT / "bench" / "talk.toml").read_text("utf-8"))[key][::2]
        if "[" not in line
    ]


def lines(file: Path) -> list[str]:
    return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"]


def positives(ready: Matcher, seed: int) -> Iterator[Task]:
    around = [line for line in talk("customer") if len(line) < SHORT]
    groups: dict[tuple[str, frozenset[str]], list[Template]] = {}
    for entry in ready.automaton.entries:
        groups.setdefault((entry.role, entry.owners), []).append(entry.template)
    for (role, owners), templates in groups.items():
        for number in range(DRAWN if role in KINDS else DRAWN_OTHER):
            rng = random.Random(f"{seed} {role} {sorted(owners)} {number}")
            said = rng.choice(templates).draw(rng, fill="好")
            lead, tail = (rng.choice(around) if rng.random() < AMID else "" for _ in range(2))
            for rate in RATES[1:]:
                text = lead + said + tail
                yield Task(text, len(lead), len(lead) + len(said), role, owners, rate, f"{seed} {number}")


def negatives(seed: int) -> Iterator[Task]:
    rng = random.Random(seed)
    tuning = [
        *lines(PROJECT / "bench" / "counter_talk_tuning.txt"),
        *lines(PROJECT / "bench" / "lookalikes_tuning.txt"),
    ]
    tuning += [*talk("customer"), *talk("innocent")]
    ordinary = [line for file in sorted((ORDINARY / "ordinary").glob("*.txt")) for line in lines(file)]
    customers = lines(ORDINARY / "counter" / "customers.txt")
    for rate in RATES:
        for line in tuning if rate < RATES[-1] else rng.sample(tuning, 2000):
            yield Task(line, 0, 0, "", frozenset(), rate, str(seed), "tuning")
        for line in (*rng.sample(ordinary, 2500), *rng.sample(customers, 1200)):
            yield Task(line, 0, 0, "", frozenset(), rate, str(seed), "ordinary")


def rows_of(name: str, task: Task) -> list[Row]:
    """The candidates of one task. Of a phrase's own candidates where it was said, the best one is right."""
    ready = matcher(name)
    utterance = typed_utterance(task.text)
    if task.rate:
        heard = misheard(utterance, task.rate, random.Random(f"{task.seed} {task.text} {task.rate}"), ErrorCounts())
        if heard is None:
            return []
        utterance = heard
    pace = 0.25
    begin, end = task.first * pace, task.last * pace
    syllables = to_syllables(utterance, 0.4)
    likely = random.Random(task.text).random() < (LIKELY if task.role else 1 - LIKELY)
    prior: Prior = "scenario" if likely else "nothing"
    rows = []
    best: dict[str, float] = {}
    for one in search_candidates(ready, syllables, prior):
        if not one.features or one.alignment.spelled or one.veto:
            continue
        kind = one.role if one.role in {"phrase", "forbidden"} else "other"
        over = syllables.starts[one.first] < end and begin < syllables.ends[one.last - 1]
        if over and (one.role, one.owners) != (task.role, task.owners):
            continue  # competition decides between two that overlap
        right = over
        if right and one.value <= best.get(kind, 0.0):
            continue
        best[kind] = max(best.get(kind, 0.0), one.value) if right else best.get(kind, 0.0)
        rows.append(Row(kind, one.features, right, task.rate, task.source))
    return rows


def fit(kind: str, rows: Sequence[Row]) -> tuple[dict[str, float], dict[str, float]]:
    """The weights of a kind, and what they do on the examples."""
    names = list(rows[0].features)
    values = np.array([[1.0, *(row.features[name] for name in names)] for row in rows])
    right = np.array([row.right for row in rows], float)
    tuned = [row.source == "tuning" and row.rate > 0 for row in rows]
    share = np.where(right > 0, 1.0, np.where(tuned, DECEIVING, 1.0) * WEIGHT[kind])
    weights = newton(values, right, share)
    said = 1 / (1 + np.exp(-values @ weights)) >= EVEN
    figures = {
        "right": int(right.sum()),
        "found": round(float(said[right > 0].mean()), 4),
        "wrong": int((1 - right).sum()),
        "accepted": round(float(said[right == 0].mean()), 5),
    }
    print(kind, figures)
    fitted = dict(zip(["bias", *names], (round(float(weight), 3) for weight in weights), strict=True))
    print("   ", fitted)
    return fitted, figures


def newton(values: NDArray[np.float64], right: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logistic regression with a ridge on all weights but the first."""
    weights = np.zeros(values.shape[1])
    ridge = np.full(len(weights), RIDGE)
    ridge[0] = 1e-6
    for _ in range(STEPS):
        odds = 1 / (1 + np.exp(-np.clip(values @ weights, -30, 30)))
        gradient = values.T @ (share * (odds - right)) + ridge * weights
        hessian = (values * (share * odds * (1 - odds))[:, None]).T @ values + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        weights -= step
        if np.abs(step).max() < ridge[0]:
            break
    return weights


if __name__ == "__main__":
    main()
