"""The language model: n-grams of several texts, mixed by how well each text predicts the preceding words.

In one text, the probability of a word after a history is (count + smoothing * kinds * shorter) / (total + smoothing *
kinds). `kinds` is the number of different words after the history, `shorter` the probability after the history without
its first word. With a smoothing of 1 this is Witten and Bell's method C (1991, "The zero-frequency problem"), which
works with weighted sentences. The texts are mixed for each history by Bayes' rule, with a prior probability each: after
身份证 the counter text decides, after 天气 the ordinary one. All probabilities after a history sum to one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from models.build.lexicon_fst import EPSILON, Arc, Fst

BEGIN: Final = "<s>"
END: Final = "</s>"

History = tuple[str, ...]
Sentence = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """One source of sentences, with its parameters."""

    sentences: Mapping[Sentence, float]
    """Segmented sentences with their weights."""
    share: float
    """Prior probability that an utterance belongs to this text."""
    smoothing: float
    """A higher value moves probability from the n-grams of the text to single words; 1 is Witten and Bell's method."""
    words: Mapping[str, float] = field(default_factory=dict)
    """Additional counts of single words, from a dictionary."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of a text: for each history of up to order - 1 words, the words that follow it."""

    follow: Mapping[History, Mapping[str, float]]
    total: Mapping[History, float]
    share: float
    smoothing: float

    def unseen(self, history: History) -> float:
        """The count reserved for words that were not seen after a history."""
        return self.smoothing * len(self.follow.get(history, ()))

    def frequency(self, word: str) -> float:
        """The relative frequency of a word in the text."""
        return self.follow[()].get(word, 0.0) / self.total[()]

    def likelihood(self, history: History) -> float:
        """The probability of these words in the text; the start of a sentence has probability 1."""
        if not history:
            return 1.0
        product = 1.0 if history[0] == BEGIN else self.frequency(history[0])
        for index in range(1, len(history)):
            before, word = history[:index], history[index]
            if (unseen := self.unseen(before)) > 0:
                counted = self.follow[before].get(word, 0.0)
                product *= (counted + unseen * self.frequency(word)) / (self.total[before] + unseen)
            else:
                product *= self.frequency(word)
        return product


def count(text: Text, order: int) -> Counts:
    """The counts of the n-grams of a text, up to an order."""
    follow: dict[History, dict[str, float]] = defaultdict(lambda: defaultdict(float), {(): defaultdict(float)})
    for sentence, weight in text.sentences.items():
        padded = (BEGIN, *sentence, END)
        for index in range(1, len(padded)):
            for size in range(min(order, index + 1)):
                follow[padded[index - size : index]][padded[index]] += weight
    for word, number in text.words.items():
        follow[()][word] += number
    total = {history: sum(after.values()) or 1.0 for history, after in follow.items()}
    return Counts(follow, total, text.share, text.smoothing)


@dataclass(frozen=True, slots=True)
class Mixture:
    """The language model: explicit probabilities with back-off."""

    texts: tuple[Counts, ...]
    order: int
    after: dict[History, dict[str, float]] = field(default_factory=dict)
    """For each history the explicit probabilities."""
    back: dict[History, float] = field(default_factory=dict)
    """For each history its back-off weight."""

    def probability(self, word: str, history: History = ()) -> float:
        """P(word | history); 0 for a word that is not in the model."""
        if history not in self.after:
            return self.probability(word, history[1:]) if history else 0.0
        explicit = self.after[history].get(word)
        if explicit is not None or not history:
            return explicit or 0.0
        return self.back[history] * self.probability(word, history[1:])

    def shares(self, history: History) -> tuple[float, ...]:
        """The posterior probability of each text after a history; they sum to one."""
        joint = [text.share * text.likelihood(history) for text in self.texts]
        total = sum(joint)
        return tuple(value / total for value in joint) if total else tuple(text.share for text in self.texts)


def mix(texts: Iterable[Text], order: int, floor: Mapping[str, float]) -> Mixture:
    """The language model of the texts.

    `floor` maps words to their least probability, before all are scaled to sum to one; a text may lack these words.
    """
    counts = tuple(count(text, order) for text in texts)
    model = Mixture(counts, order)
    words = sorted({word for text in counts for word in text.follow[()]} | set(floor))
    raw = {word: max(floor.get(word, 0.0), sum(text.share * text.frequency(word) for text in counts)) for word in words}
    total = sum(raw.values())
    model.after[()] = {word: value / total for word, value in sorted(raw.items())}
    for history in sorted({h for text in counts for h in text.follow if h}, key=lambda h: (len(h), h)):
        _add_history(model, history)
    return model


def _add_history(model: Mixture, history: History) -> None:
    seen: dict[str, float] = defaultdict(float)
    back = 0.0
    for share, text in zip(model.shares(history), model.texts, strict=True):
        if history not in text.follow:
            back += share
            continue
        total = text.total[history] + text.unseen(history)
        back += share * text.unseen(history) / total
        for word, number in text.follow[history].items():
            seen[word] += share * number / total
    shorter = history[1:]
    model.back[history] = back
    model.after[history] = {
        word: value + back * model.probability(word, shorter) for word, value in sorted(seen.items())
    }


def prune(model: Mixture, min_gain: float) -> Mixture:
    """The model without the n-grams that raise the log-likelihood of the texts by less than `min_gain` nats
    (Stolcke, 1998, "Entropy-based pruning of backoff language models"). The probabilities sum to one again.
    """
    pruned = Mixture(model.texts, model.order, {(): model.after[()]})
    remaining: dict[History, dict[str, float]] = {}
    for history in sorted(model.after, key=len, reverse=True):
        after = model.after[history].items()
        remaining[history] = {
            w: p for w, p in after if (*history, w) in remaining or _gain(model, history, w) >= min_gain
        }
        if not remaining[history]:
            del remaining[history]
    for history in sorted(remaining.keys() - {()}, key=lambda h: (len(h), h)):
        shorter = sum(pruned.probability(word, history[1:]) for word in remaining[history])
        pruned.after[history] = remaining[history]
        pruned.back[history] = (1 - sum(remaining[history].values())) / (1 - shorter)
    return pruned


def _gain(model: Mixture, history: History, word: str) -> float:
    """By how many nats an n-gram raises the log-likelihood of the texts."""
    if not history:
        return math.inf
    probability = model.probability(word, history)
    total = sum(text.total.get(history, 0.0) for text in model.texts)
    backed_off = model.back[history] * model.probability(word, history[1:])
    return total * probability * math.log(probability / backed_off)


def grammar_fst(model: Mixture, numbers: Mapping[str, int], extra: Mapping[str, float]) -> Fst:
    """The model as an acceptor: a state for each history, and back-off arcs without a word to the shorter history.

    `numbers` maps words to their labels; `extra` is added to the cost of some words.
    """
    ordered = sorted(model.after, key=lambda h: (h != (BEGIN,), len(h), h))
    states = {history: number for number, history in enumerate(ordered)}
    arcs = list(_arcs(model, states, numbers, extra))
    final = {
        states[history]: -math.log(after[END]) for history, after in model.after.items() if after.get(END, 0.0) > 0.0
    }
    return Fst(arcs, final)


def _arcs(
    model: Mixture, states: Mapping[History, int], numbers: Mapping[str, int], extra: Mapping[str, float]
) -> Iterator[Arc]:
    for history, after in model.after.items():
        for word, value in after.items():
            if word != END:
                number = numbers[word]
                cost = extra.get(word, 0.0) - math.log(value)
                target = states[_longest_suffix((*history, word), states, model.order)]
                yield Arc(states[history], target, number, number, cost)
        if history:
            shorter = _longest_suffix(history[1:], states, model.order)
            yield Arc(states[history], states[shorter], EPSILON, EPSILON, -math.log(model.back[history]))


def _longest_suffix(words: Sequence[str], states: Mapping[History, int], order: int) -> History:
    """The longest suffix of the words that is a history of the model."""
    suffix = tuple(words[max(0, len(words) - order + 1) :])
    while suffix and suffix not in states:
        suffix = suffix[1:]
    return suffix
