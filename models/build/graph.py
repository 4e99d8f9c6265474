"""Builds the graph of a model folder, in seconds and without training: `python -m models.build.graph FOLDER`.

Reads the phrase sets, our texts and a dictionary; writes graph/, conf/ and the list of checksums. Needs jieba's
dictionary, pypinyin, and OpenFst's programs (openfst.py).
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
from models.build.gains import gains, read_grammar, summary
from models.build.language.texts import Sentences, counter_sentences, ordinary_sentences, own_words
from models.build.language.vocabulary import dictionary_file, read_counts, segmenter
from models.build.lexicon import GARBAGE, pronounceable, pronunciation
from models.build.lexicon_fst import lexicon_fst
from models.build.ngram import END, Mixture, Text, grammar_fst, mix, prune
from models.build.openfst import write_grammar, write_lexicon
from models.build.phones import boundary_table, phone_table, unused_transition
from models.build.settings import SETTINGS_FILE, Language, Settings, read_settings

PROJECT: Final = Path(__file__).resolve().parents[2]
UNKNOWN: Final = "[unk]"
CHECKSUMS: Final = "SHA256SUMS"
UNLISTED: Final = frozenset({CHECKSUMS, "LICENSE", "README", "README.md"})
CHARACTER_FLOOR: Final = 1e-7
"""Least probability of a single character; it must be in the vocabulary, because grammars are spelled in characters."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m models.build.graph", description=__doc__)
    parser.add_argument("model", type=Path, help="folder of the model: am/ stays, graph/ and conf/ are replaced")
    parser.add_argument("--phrases", type=Path, nargs="+", default=[], help="phrase sets besides phrase_sets/")
    parser.add_argument("--settings", type=Path, default=SETTINGS_FILE, help="instead of models/build/graph.toml")
    options = parser.parse_args()
    try:
        print(rebuild(options.model, options.phrases, read_settings(options.settings)))
    except BuildError as error:
        sys.exit(str(error))


def rebuild(model: Path, phrases: Sequence[Path], settings: Settings) -> str:
    """Replaces graph/ and conf/ of a model folder; returns a summary, with what the templates gained.

    The templates are those of `phrases`, or of the phrase sets of the project if there are none. Raises BuildError.
    """
    if not (model / "am" / "final.mdl").is_file():
        raise BuildError(f"{model}: no model, am/final.mdl is missing; name a model's folder.")
    shipped = sorted((PROJECT / "phrase_sets").glob("*.toml"))
    language = language_model([*shipped, *phrases], settings.language)
    before = read_grammar(model / "graph")
    with tempfile.TemporaryDirectory(prefix=".graph-", dir=model) as scratch:
        graph = Path(scratch) / "graph"
        write_graph(graph, language, settings.language)
        write_conf(Path(scratch), settings)
        for name in ("graph", "conf"):
            _replace(model / name, Path(scratch) / name)
    write_checksums(model)
    size = sum(file.stat().st_size for file in (model / "graph").iterdir() if file.is_file())
    built = f"{model}: {len(language.after[()]) - 1:,} words, {len(language.after):,} histories, {size / 1e6:.2f} MB."
    after = read_grammar(model / "graph")
    return "\n".join([built, summary(list(gains(phrases or shipped, before, after)))] if before and after else [built])


def language_model(phrase_sets: Iterable[Path], settings: Language) -> Mixture:
    """The language model of our texts, the phrase sets and the dictionary. Raises BuildError."""
    counts = read_counts(dictionary_file())
    cutter = segmenter(counts, own_words())
    counter = _pronounceable_sentences(
        counter_sentences(phrase_sets, cutter, settings.wording_weight, settings.sentence_weight)
    )
    ordinary = _pronounceable_sentences(ordinary_sentences(cutter, settings.sentence_weight))
    in_texts = {word for sentence in (*counter, *ordinary) for word in sentence}
    frequent = pronounceable(sorted(counts, key=lambda word: -counts[word])[: settings.words])
    scale = settings.dictionary_weight * _word_count(ordinary) / sum(map(counts.__getitem__, frequent))
    words = {word: counts.get(word, 1) * scale for word in sorted({*in_texts, *frequent})}
    characters = pronounceable(sorted({character for word in words for character in word}))
    texts = (
        Text(counter, settings.counter_share, settings.counter_doubt),
        Text(ordinary, 1 - settings.counter_share, settings.ordinary_doubt, words),
    )
    floor = dict.fromkeys([*characters, UNKNOWN], CHARACTER_FLOOR)
    return prune(mix(texts, settings.order, floor), settings.worth)


def _pronounceable_sentences(sentences: Sentences) -> Sentences:
    return {
        sentence: weight
        for sentence, weight in sentences.items()
        if all(pronunciation(word) is not None for word in sentence)
    }


def _word_count(sentences: Sentences) -> float:
    return sum(len(sentence) * weight for sentence, weight in sentences.items())


def write_graph(folder: Path, language: Mixture, settings: Language) -> None:
    """Writes the files of graph/ into a new folder. Raises BuildError."""
    (folder / "phones").mkdir(parents=True)
    words = [word for word in language.after[()] if word != END]
    spellings = {number: word_units(word) for number, word in enumerate(words, start=1)}
    relabelled = write_lexicon(lexicon_fst(spellings), folder / "HCLr.fst")
    numbers = {word: relabelled[number] for number, word in enumerate(words, start=1)}
    unknown_cost = settings.unknown_cost + math.log(language.probability(UNKNOWN))
    write_grammar(grammar_fst(language, numbers, {UNKNOWN: unknown_cost}), folder / "Gr.fst")
    table = "".join(f"{word} {number}\n" for word, number in sorted(numbers.items(), key=lambda entry: entry[1]))
    (folder / "words.txt").write_text(f"<eps> 0\n{table}", encoding="utf-8")
    (folder / "phones.txt").write_text(phone_table(), encoding="ascii")
    (folder / "phones" / "word_boundary.int").write_text(boundary_table(), encoding="ascii")
    (folder / "disambig_tid.int").write_text(f"{unused_transition()}\n", encoding="ascii")


def word_units(word: str) -> tuple[str, ...]:
    """The units of a word of the vocabulary; [unk] is the garbage unit. Raises BuildError."""
    if word == UNKNOWN:
        return (GARBAGE,)
    units = pronunciation(word)
    if units is None:
        raise BuildError(f"{word} has a sound that the model does not know; take it out of the texts.")
    return units


def write_checksums(model: Path) -> None:
    """Writes the list of checksums, which the program compares with the files of a model."""
    files = sorted(file for file in model.rglob("*") if file.is_file() and file.name not in UNLISTED)
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(model).as_posix()}\n" for file in files
    ]
    (model / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def _replace(old: Path, new: Path) -> None:
    """Moves a finished folder to its place; the old folder is removed with the scratch folder."""
    if old.exists():
        old.rename(new.with_name(f"{new.name}-before"))
    new.rename(old)


if __name__ == "__main__":
    main()
