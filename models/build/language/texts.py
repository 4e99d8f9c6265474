"""The texts of the language model: the counter text and the ordinary text, segmented into words, with weights."""

from __future__ import annotations

import math
import random
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from counter_listener.domain import Slot
from counter_listener.phrases import Choice, Gap, Node, Series, TemplateError, TemplateReader, Words
from models.build.errors import BuildError
from models.build.language import templates as build_templates
from models.build.language.templates import MAX_SENTENCES, Templates
from models.build.language.vocabulary import Segmenter, is_chinese

FOLDER: Final = Path(__file__).parent / "text"
SLOTS: Final = "slots.txt"
OWN_WORDS: Final = "words.txt"
COUNTER: Final = ("customers.txt", "staff.txt", "clerks.txt", "unkind.txt", "waiting.txt")
ORDINARY: Final = ("everyday.txt", "news.txt", "smalltalk.txt")
"""Files of templates."""
SENTENCES: Final = "sentences"
"""Folder with the folders `counter` and `ordinary`: plain sentences."""
ROUNDS: Final = tuple(
    Path(__file__).resolve().parents[3] / "bench" / "own_words" / f"round-{number}.tsv" for number in (1, 2, 3)
)
"""Clerks in their own words: the rounds that have been read. The last round measures the model, so it is not text."""
WORDING_KEYS: Final = ("say", "shared", "when", "need", "unless", "not_in")
NOT_WORDINGS: Final = frozenset({"example", "frames", "lists", "rules", "slots"})
"""Tables of a phrase set without wordings of their own."""
MAX_DRAWN: Final = 100
"""Most sentences of one template of a phrase set; of a template with more, this many are drawn."""
FOLLOWED: Final = 0.25
"""Share of templates that are also combined with a following one, without a pause."""
NAMED: Final = re.compile(r"\{(\w+)\}")
"""A list or a slot in a template."""
PAUSE: Final = re.compile(r"[，。！？、；：…—,.!?]+")
"""Punctuation in a template; brackets, `|` and `;` belong to its syntax."""
PAUSE_SLOT: Final = "pause"
"""Stands for punctuation while a template is read, which leaves punctuation out."""
BREAK: Final = re.compile(r"[，。！？、；：,.!?;:\s“”‘’…—（）()|]+")

Group = tuple[Sequence[str], float]
"""Sentences that share a weight."""
Sentences = Mapping[tuple[str, ...], float]
"""Segmented sentences with their weights."""


def own_words() -> list[str]:
    """Our own words for the segmentation of sentences."""
    lines = (FOLDER / OWN_WORDS).read_text(encoding="utf-8").splitlines()
    return [word for line in lines for word in line.partition("#")[0].split()]


def ordinary_sentences(segmenter: Segmenter, sentence: float = 1.0) -> Sentences:
    """What is said elsewhere than at a counter; `sentence` is the weight of a plain sentence. Raises BuildError."""
    return weighted([*_from_templates(_templates(ORDINARY)), *_plain("ordinary", sentence)], segmenter)


def counter_sentences(
    phrase_sets: Iterable[Path], segmenter: Segmenter, wording: float = 1.0, sentence: float = 1.0
) -> Sentences:
    """What is said at a counter.

    `wording` is the weight of each template of a Chinese phrase set, `sentence` that of a plain sentence.
    Raises BuildError.
    """
    groups = [*_from_templates(_templates(COUNTER)), *_plain("counter", sentence), *_rounds(sentence)]
    slots = _templates(())
    for file in phrase_sets:
        groups += [(lines, wording) for lines in phrase_set_sentences(file, slots)]
    return weighted(groups, segmenter)


def phrase_set_sentences(file: Path, templates: Templates) -> Iterator[list[str]]:
    """The sentences of each template of a Chinese phrase set, and its examples without a phrase.

    Examples with a phrase are left out: some contain recognition errors, which the model would learn. Only what is said
    is read, so the file need not be complete; `phrases check` checks it. Raises BuildError.
    """
    phrases, text = _read_phrase_set(file)
    if phrases.get("language", "zh") != "zh":
        return
    for example in phrases.get("example", ()):
        heard = example.get("heard", ())
        if not example.get("expect"):
            yield from ([line] for line in ([heard] if isinstance(heard, str) else heard))
    rng = random.Random(file.name)  # noqa: S311 - reproducible draws, not secrets
    drawn = [lines for _, lines in _drawn(phrases, text, templates, file.name)]
    for lines in drawn:
        yield lines
        if rng.random() < FOLLOWED:
            following = rng.choice(drawn)
            yield [line + rng.choice(following) for line in lines]


def phrase_set_templates(file: Path) -> Iterator[tuple[str, list[str]]]:
    """Each template of a Chinese phrase set with its sentences in the language model. Raises BuildError."""
    phrases, text = _read_phrase_set(file)
    if phrases.get("language", "zh") == "zh":
        yield from _drawn(phrases, text, _templates(()), file.name)


def _read_phrase_set(file: Path) -> tuple[dict[str, Any], str]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        return tomllib.loads(text), text
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BuildError(f"{file}: the phrase set cannot be read ({error}); `phrases check` says more.") from None


def _drawn(phrases: Mapping[str, Any], text: str, templates: Templates, name: str) -> Iterator[tuple[str, list[str]]]:
    reader = template_reader(phrases, text)
    for wording in dict.fromkeys(iter_wordings(phrases)):
        yield wording, draw_sentences(wording, reader, templates, name)


def iter_wordings(table: Any) -> Iterator[str]:  # noqa: ANN401 - TOML holds anything
    """All templates and plain sentences in the TOML of a phrase set, except those of its examples and frames."""
    if isinstance(table, list):
        for entry in table:
            yield from iter_wordings(entry)
    elif isinstance(table, dict):
        for key, value in table.items():
            if key in WORDING_KEYS and isinstance(value, list):
                yield from (wording for wording in value if isinstance(wording, str))
            elif key not in NOT_WORDINGS:
                yield from iter_wordings(value)


def template_reader(phrases: Mapping[str, Any], text: str) -> TemplateReader:
    """A reader of the templates in the TOML of a phrase set. A name that is not a list is taken for a slot."""
    slots = dict.fromkeys((PAUSE_SLOT, *NAMED.findall(text)), Slot())
    return TemplateReader(phrases.get("lists", {}), phrases.get("rules", {}), slots)


def draw_sentences(wording: str, reader: TemplateReader, templates: Templates, name: str) -> list[str]:
    """The sentences of a template, at most MAX_DRAWN, with values in its slots. Raises BuildError.

    A slot without known values becomes a break, as punctuation does.
    """
    try:
        node = reader.read(PAUSE.sub(f"{{{PAUSE_SLOT}}}", wording)).node
    except TemplateError as error:
        raise BuildError(f"{name}, {wording!r}: {error}; `phrases check` says more.") from None
    location = f"{name}, {wording!r}"
    lines = templates.expand(build_templates.Choice((_parts(node, templates),)), location)
    if len(lines) <= MAX_DRAWN:
        return lines
    return random.Random(location).sample(lines, MAX_DRAWN)  # noqa: S311 - reproducible draws, not secrets


def _parts(node: Node | None, templates: Templates) -> build_templates.Alternative:
    """A template of a phrase set in the form of our own templates.

    What may be missing is missing in every second draw, however many words may stand there: fillers are rare in speech.
    """
    match node:
        case Words():
            spelled = tuple(("".join(option),) for option in node.options if option)
            return _choice(spelled, optional=() in node.options)
        case Gap():
            return (build_templates.Slot(node.name) if node.name in templates.slots else "，",)
        case Series():
            return tuple(part for inner in node.parts for part in _parts(inner, templates))
        case Choice():
            return _choice([_parts(inner, templates) for inner in node.parts if inner], optional=None in node.parts)
    return ()


def _choice(alternatives: Sequence[build_templates.Alternative], *, optional: bool) -> build_templates.Alternative:
    one = alternatives[0] if len(alternatives) == 1 else (build_templates.Choice(tuple(alternatives)),)
    return (build_templates.Choice((one, ())),) if optional else one


def weighted(groups: Iterable[Group], segmenter: Segmenter) -> Sentences:
    """Segmented sentences. A sentence with breaks counts half as a whole, and half as its single pieces.

    Sentences with weight 0 are left out.
    """
    weights: dict[tuple[str, ...], float] = defaultdict(float)
    for lines, weight in groups:
        if not weight:
            continue
        for line in lines:
            pieces = [piece for piece in BREAK.split(line) if piece]
            if not pieces or not all(map(is_chinese, pieces)):
                continue
            share = weight / len(lines) / (1 if len(pieces) == 1 else 2)
            weights[segmenter.cut("".join(pieces))] += share
            for piece in pieces if len(pieces) > 1 else ():
                weights[segmenter.cut(piece)] += share
    return weights


def _templates(files: Iterable[str]) -> Templates:
    templates = Templates()
    for name in (SLOTS, *files):
        templates.read(FOLDER / name)
    return templates


def _plain(folder: str, weight: float) -> Iterator[Group]:
    for file in sorted((FOLDER / SENTENCES / folder).glob("*.txt")):
        lines = file.read_text(encoding="utf-8").splitlines()
        yield from (([line], weight) for line in lines if not line.startswith("#"))


def _rounds(weight: float) -> Iterator[Group]:
    for file in ROUNDS:
        rows = file.read_text(encoding="utf-8").splitlines()[1:]
        yield from (([row.rpartition("\t")[2]], weight) for row in rows)


def _from_templates(templates: Templates) -> Iterator[Group]:
    """The weight of a template grows with the root of its number of sentences, and is MAX_SENTENCES at most."""
    for location, template in templates.sentences:
        lines = templates.expand(template, location)
        yield lines, math.sqrt(len(lines) * MAX_SENTENCES)
