"""Makes the graph of a model's folder anew, in seconds and without training: `python -m models.build.graph FOLDER`.

Reads the phrase sets, our texts and a dictionary; writes graph/ and conf/, and the list of checksums. Needs jieba's
dictionary, pypinyin, and OpenFst's programs (openfst.py), nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from models.build.conf import write_conf
from models.build.errors import BuildError
from models.build.language.texts import Sentences, counter_sentences, ordinary_sentences, own_words
from models.build.language.vocabulary import dictionary_file, read_counts, segmenter
from models.build.lexicon import GARBAGE, pronunciation, sayable
from models.build.ngram import END, Mixture, Text, machine, mix, prune
from models.build.openfst import write_language, write_lexicon
from models.build.phones import boundary_table, phones_table, unused_transition
from models.build.settings import FILE, Language, Settings, read_settings
from models.build.tree import tree

TOP: Final = Path(__file__).resolve().parents[2]
UNKNOWN: Final = "[unk]"
CHECKSUMS: Final = "SHA256SUMS"
UNLISTED: Final = frozenset({CHECKSUMS, "LICENSE", "README", "README.md"})
LEAST: Final = 1e-7
"""Probability of a character that no text has as a word: it must be a word, for grammars are spelt in characters."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m models.build.graph", description=__doc__)
    parser.add_argument("model", type=Path, help="folder of the model: am/ is kept, graph/ and conf/ are made anew")
    parser.add_argument("--phrases", type=Path, nargs="+", default=[], help="further phrase sets beside phrase_sets/")
    parser.add_argument("--settings", type=Path, default=FILE, help="the dials, instead of models/build/graph.toml")
    given = parser.parse_args()
    try:
        print(rebuild(given.model, given.phrases, read_settings(given.settings)))
    except BuildError as error:
        sys.exit(str(error))


def rebuild(model: Path, phrases: Sequence[Path], settings: Settings) -> str:
    """Makes graph/ and conf/ of a model's folder anew; says in one line what it made. Raises BuildError."""
    if not (model / "am" / "final.mdl").is_file():
        raise BuildError(f"{model}: no model, am/final.mdl is missing; name a model's folder.")
    shipped = sorted((TOP / "phrase_sets").glob("*.toml"))
    language = language_model([*shipped, *phrases], settings.language)
    with tempfile.TemporaryDirectory(prefix=".graph-", dir=model) as scratch:
        made = Path(scratch) / "graph"
        write_graph(made, language, settings.language)
        write_conf(Path(scratch), settings)
        for name in ("graph", "conf"):
            _replace(model / name, Path(scratch) / name)
    write_checksums(model)
    size = sum(file.stat().st_size for file in (model / "graph").iterdir() if file.is_file())
    return f"{model}: {len(language.after[()]) - 1:,} words, {len(language.after):,} histories, {size / 1e6:.2f} MB."


def language_model(phrase_sets: Iterable[Path], dials: Language) -> Mixture:
    """The language model of our texts, the phrase sets and the dictionary. Raises BuildError."""
    counts = read_counts(dictionary_file())
    cutter = segmenter(counts, own_words())
    counter = _sayable(counter_sentences(phrase_sets, cutter, dials.wording_weight, dials.sentence_weight))
    ordinary = _sayable(ordinary_sentences(cutter, dials.sentence_weight))
    said = {word for sentence in (*counter, *ordinary) for word in sentence}
    frequent = sayable(sorted(counts, key=lambda word: -counts[word])[: dials.words])
    whole = dials.dictionary_weight * _length(ordinary) / sum(map(counts.__getitem__, frequent))
    words = {word: counts.get(word, 1) * whole for word in sorted({*said, *frequent})}
    characters = sayable(sorted({character for word in words for character in word}))
    texts = (
        Text(counter, dials.counter_share, dials.counter_doubt),
        Text(ordinary, 1 - dials.counter_share, dials.ordinary_doubt, words),
    )
    return prune(mix(texts, dials.order, dict.fromkeys([*characters, UNKNOWN], LEAST)), dials.worth)


def _sayable(sentences: Sentences) -> Sentences:
    return {
        sentence: weight
        for sentence, weight in sentences.items()
        if all(pronunciation(word) is not None for word in sentence)
    }


def _length(sentences: Sentences) -> float:
    return sum(len(sentence) * weight for sentence, weight in sentences.items())


def write_graph(folder: Path, language: Mixture, dials: Language) -> None:
    """Writes the files of graph/ into a folder that is not there yet. Raises BuildError."""
    (folder / "phones").mkdir(parents=True)
    words = [word for word in language.after[()] if word != END]
    spelt = {number: spelling(word) for number, word in enumerate(words, start=1)}
    renumbered = write_lexicon(tree(spelt), folder / "HCLr.fst")
    numbers = {word: renumbered[number] for number, word in enumerate(words, start=1)}
    unknown = dials.unknown_cost + math.log(language.probability(UNKNOWN))
    write_language(machine(language, numbers, {UNKNOWN: unknown}), folder / "Gr.fst")
    table = "".join(f"{word} {number}\n" for word, number in sorted(numbers.items(), key=lambda entry: entry[1]))
    (folder / "words.txt").write_text(f"<eps> 0\n{table}", encoding="utf-8")
    (folder / "phones.txt").write_text(phones_table(), encoding="ascii")
    (folder / "phones" / "word_boundary.int").write_text(boundary_table(), encoding="ascii")
    (folder / "disambig_tid.int").write_text(f"{unused_transition()}\n", encoding="ascii")


def spelling(word: str) -> tuple[str, ...]:
    """The units of a word of the vocabulary; [unk] is one unit of any speech. Raises BuildError."""
    if word == UNKNOWN:
        return (GARBAGE,)
    units = pronunciation(word)
    if units is None:
        raise BuildError(f"{word} has a sound that the model does not know; take it out of the texts.")
    return units


def write_checksums(model: Path) -> None:
    """Writes the list that the program holds a model to, of all its files but the list itself."""
    files = sorted(file for file in model.rglob("*") if file.is_file() and file.name not in UNLISTED)
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(model).as_posix()}\n" for file in files
    ]
    (model / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def _replace(old: Path, new: Path) -> None:
    """Puts a finished folder in the place of another, which is gone with the scratch folder."""
    if old.exists():
        old.rename(new.with_name(f"{new.name}-before"))
    new.rename(old)


if __name__ == "__main__":
    main()
