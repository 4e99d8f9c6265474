"""The language model: n-grams of several texts, mixed by how well each text explains what was just said.

Of one text, a word's probability after a history is (count + doubt * kinds * shorter) / (total + doubt * kinds), where
`kinds` is how many different words followed the history, `shorter` the probability after the history without its first
word. With a doubt of 1 that is Witten and Bell's smoothing (1991, "The zero-frequency problem", method C), which takes
weighted sentences as they are. Texts are mixed for each history by Bayes' rule with a prior share each: after 身份证
the counter's text decides, after 天气 the ordinary one. All sum to one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from models.build.tree import NOTHING, Arc, Machine

BEGIN: Final = "<s>"
END: Final = "</s>"

History = tuple[str, ...]
Sentence = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """One source of sentences, and how much is made of it."""

    sentences: Mapping[Sentence, float]
    """Segmented sentences with their weights."""
    share: float
    """Prior probability that what is being said comes from this text."""
    doubt: float
    """The more, the less the text insists on its own sequences; 1 is Witten and Bell's."""
    words: Mapping[str, float] = field(default_factory=dict)
    """Further counts of single words, from a dictionary."""


@dataclass(frozen=True, slots=True)
class Counts:
    """A text counted: for each history of up to order - 1 words, what followed it."""

    follow: Mapping[History, Mapping[str, float]]
    total: Mapping[History, float]
    share: float
    doubt: float

    def open(self, history: History) -> float:
        """The part of what follows a history that is left to words which have not followed it, in counts."""
        return self.doubt * len(self.follow.get(history, ()))

    def frequency(self, word: str) -> float:
        """A word's share of the text."""
        return self.follow[()].get(word, 0.0) / self.total[()]

    def explains(self, history: History) -> float:
        """How probable it is that this text says these words in a row; the begin of a sentence is certain."""
        if not history:
            return 1.0
        said = 1.0 if history[0] == BEGIN else self.frequency(history[0])
        for at in range(1, len(history)):
            before, word = history[:at], history[at]
            if (open_ := self.open(before)) > 0:
                counted = self.follow[before].get(word, 0.0)
                said *= (counted + open_ * self.frequency(word)) / (self.total[before] + open_)
            else:
                said *= self.frequency(word)
        return said


def count(text: Text, order: int) -> Counts:
    """Counts a text's n-grams up to an order."""
    follow: dict[History, dict[str, float]] = defaultdict(lambda: defaultdict(float), {(): defaultdict(float)})
    for sentence, weight in text.sentences.items():
        padded = (BEGIN, *sentence, END)
        for at in range(1, len(padded)):
            for size in range(min(order, at + 1)):
                follow[padded[at - size : at]][padded[at]] += weight
    for word, number in text.words.items():
        follow[()][word] += number
    total = {history: sum(after.values()) or 1.0 for history, after in follow.items()}
    return Counts(follow, total, text.share, text.doubt)


@dataclass(frozen=True, slots=True)
class Mixture:
    """The language model: probabilities, and the machine that holds them."""

    texts: tuple[Counts, ...]
    order: int
    after: dict[History, dict[str, float]] = field(default_factory=dict)
    """For each history the probabilities that stand on their own."""
    back: dict[History, float] = field(default_factory=dict)
    """For each history the share that is left to the shorter one."""

    def probability(self, word: str, history: History = ()) -> float:
        """P(word | history): 0 for a word that the model does not have."""
        if history not in self.after:
            return self.probability(word, history[1:]) if history else 0.0
        explicit = self.after[history].get(word)
        if explicit is not None or not history:
            return explicit or 0.0
        return self.back[history] * self.probability(word, history[1:])

    def shares(self, history: History) -> tuple[float, ...]:
        """How far each text is believed after a history; they sum to one."""
        said = [one.share * one.explains(history) for one in self.texts]
        whole = sum(said)
        return tuple(one / whole for one in said) if whole else tuple(one.share for one in self.texts)


def mix(texts: Iterable[Text], order: int, floor: Mapping[str, float]) -> Mixture:
    """The language model of the texts. `floor` gives words, which a text may lack, their least probability, before all
    are scaled to sum to one.
    """
    counts = tuple(count(text, order) for text in texts)
    model = Mixture(counts, order)
    words = sorted({word for one in counts for word in one.follow[()]} | set(floor))
    raw = {word: max(floor.get(word, 0.0), sum(one.share * one.frequency(word) for one in counts)) for word in words}
    whole = sum(raw.values())
    model.after[()] = {word: value / whole for word, value in sorted(raw.items())}
    for history in sorted({h for one in counts for h in one.follow if h}, key=lambda h: (len(h), h)):
        _add(model, history)
    return model


def _add(model: Mixture, history: History) -> None:
    known: dict[str, float] = defaultdict(float)
    back = 0.0
    for share, one in zip(model.shares(history), model.texts, strict=True):
        if history not in one.follow:
            back += share
            continue
        whole = one.total[history] + one.open(history)
        back += share * one.open(history) / whole
        for word, number in one.follow[history].items():
            known[word] += share * number / whole
    shorter = history[1:]
    model.back[history] = back
    model.after[history] = {
        word: value + back * model.probability(word, shorter) for word, value in sorted(known.items())
    }


def prune(model: Mixture, worth: float) -> Mixture:
    """The model without the n-grams that are worth less: nats by which they raise the log-likelihood of the texts
    (Stolcke, 1998, "Entropy-based pruning of backoff language models"). What is left sums to one again.
    """
    smaller = Mixture(model.texts, model.order, {(): model.after[()]})
    kept: dict[History, dict[str, float]] = {}
    for history in sorted(model.after, key=len, reverse=True):
        after = model.after[history].items()
        kept[history] = {w: p for w, p in after if (*history, w) in kept or _worth(model, history, w) >= worth}
        if not kept[history]:
            del kept[history]
    for history in sorted(kept.keys() - {()}, key=lambda h: (len(h), h)):
        shorter = sum(smaller.probability(word, history[1:]) for word in kept[history])
        smaller.after[history] = kept[history]
        smaller.back[history] = (1 - sum(kept[history].values())) / (1 - shorter)
    return smaller


def _worth(model: Mixture, history: History, word: str) -> float:
    if not history:
        return math.inf
    likely = model.probability(word, history)
    said = sum(one.total.get(history, 0.0) for one in model.texts)
    return said * likely * math.log(likely / (model.back[history] * model.probability(word, history[1:])))


def machine(model: Mixture, numbers: Mapping[str, int], extra: Mapping[str, float]) -> Machine:
    """The model as an acceptor: a state for each history, arcs of no word to the shorter one.

    `numbers` are the words' numbers; `extra` is added to the cost of some.
    """
    states = {history: at for at, history in enumerate(sorted(model.after, key=lambda h: (h != (BEGIN,), len(h), h)))}
    arcs = list(_arcs(model, states, numbers, extra))
    final = {
        states[history]: -math.log(after[END]) for history, after in model.after.items() if after.get(END, 0.0) > 0.0
    }
    return Machine(arcs, final)


def _arcs(
    model: Mixture, states: Mapping[History, int], numbers: Mapping[str, int], extra: Mapping[str, float]
) -> Iterator[Arc]:
    for history, after in model.after.items():
        for word, value in after.items():
            if word != END:
                number = numbers[word]
                cost = extra.get(word, 0.0) - math.log(value)
                yield Arc(
                    states[history], states[_longest((*history, word), states, model.order)], number, number, cost
                )
        if history:
            shorter = _longest(history[1:], states, model.order)
            yield Arc(states[history], states[shorter], NOTHING, NOTHING, -math.log(model.back[history]))


def _longest(history: Sequence[str], states: Mapping[History, int], order: int) -> History:
    """The longest end of what was said that the model has as a history."""
    last = tuple(history[max(0, len(history) - order + 1) :])
    while last and last not in states:
        last = last[1:]
    return last
