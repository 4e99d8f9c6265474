"""Checks a Vosk model: its files before libvosk reads them, its vocabulary, and whether libvosk can use it."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

from counter_listener.asr.model_files import ACOUSTIC_MODEL, CHECKSUMS, DYNAMIC_GRAPH, STATIC_GRAPH, WORDS, model_fault
from counter_listener.asr.symbol_table import FST_MAGIC, SymbolTableError, output_symbols
from counter_listener.domain import N_, ModelError, bundled_folder, sentence, system_reason

REQUIRED: Final = (ACOUSTIC_MODEL, "conf/mfcc.conf", "conf/model.conf")
WITHOUT_CHECKSUM: Final = {CHECKSUMS, "LICENSE", "README", "README.md"}
RECORDING: Final = "full-marks.wav"
GRAMMAR_WORDS: Final = 12
"""Enough to recognise something in the recording, and far too few to recognise all of it."""
TIMEOUT: Final = 600
"""Seconds."""
TRIAL: Final = """
import json, sys, wave, vosk
folder, recording, seconds, *grammar = sys.argv[1:]
vosk.SetLogLevel(-1)
recognizer = vosk.KaldiRecognizer(vosk.Model(model_path=folder), 16000, *grammar)
words = []
with wave.open(recording) as audio:
    if recognizer.AcceptWaveform(audio.readframes(int(seconds) * audio.getframerate())):
        words += json.loads(recognizer.Result())["text"].split()
words += json.loads(recognizer.FinalResult())["text"].split()
print(json.dumps(words))
"""

GrammarSupport = Literal["able", "static", "ignored", "unproven"]
GRAMMAR_DESCRIPTIONS: Final[dict[GrammarSupport, str]] = {
    "able": N_("works: dynamic graph, and libvosk recognised only words of the grammar"),
    "static": N_("does not work: with a static graph (graph/HCLG.fst) libvosk ignores a grammar"),
    "ignored": N_("does not work: libvosk recognised words that are not in the grammar"),
    "unproven": N_("not known: dynamic graph, but nothing was recognised in the trial recording"),
}


def verify_model(folder: Path) -> None:
    """Checks the files of a model. Raises ModelError, which names the file and the cure.

    If the model has a checksum of every file, these are compared. Any other model is loaded once in a process of its
    own, because libvosk aborts on some damaged files.
    """
    for name in REQUIRED:
        _require(folder, name)
    # Either the static graph or both files of the dynamic one; libvosk prefers the static one (its src/model.cc).
    if not (folder / STATIC_GRAPH).is_file() and not all((folder / name).is_file() for name in DYNAMIC_GRAPH):
        text = N_(
            "incomplete: graph/HCLG.fst, or graph/HCLr.fst and graph/Gr.fst, are missing; install the model again."
        )
        raise model_fault(folder, sentence(text))
    for name in (STATIC_GRAPH, *DYNAMIC_GRAPH):
        with _reading(folder, name):
            if (folder / name).is_file() and _head(folder, name, len(FST_MAGIC)) != FST_MAGIC:
                raise SymbolTableError
    if not _head(folder, ACOUSTIC_MODEL, 64).lstrip(b"\0B").startswith(b"<TransitionModel>"):
        text = N_("{name} is not an acoustic model, or damaged; install the model again.")
        raise model_fault(folder, sentence(text, name=ACOUSTIC_MODEL))
    if has_all_checksums(folder):
        _verify_checksums(folder)
    else:
        model_vocabulary(folder)
        try_loading(folder)


def is_intact(folder: Path) -> bool:
    """Whether there is a model in the folder whose files pass `verify_model`."""
    with suppress(ModelError):
        verify_model(folder)
        return True
    return False


def has_all_checksums(folder: Path) -> bool:
    """Whether the checksum list of a model names every file of it. Raises ModelError."""
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    return files - WITHOUT_CHECKSUM <= set(read_checksums(folder))


def read_checksums(folder: Path) -> dict[str, str]:
    """The checksum list of a model, with lines as sha256sum writes them: path to SHA-256. Empty if there is none."""
    file = folder / CHECKSUMS
    with _reading(folder, CHECKSUMS):
        text = file.read_text(encoding="utf-8") if file.exists() else ""
    return {name: digest for digest, _, name in (line.partition("  ") for line in text.splitlines())}


def model_vocabulary(folder: Path) -> frozenset[str]:
    """The words that a model can write. Raises ModelError.

    As in libvosk (src/model.cc): the words in the graph itself, else those of graph/words.txt. The official small
    models have no graph/words.txt.
    """
    graph = next((name for name in (STATIC_GRAPH, DYNAMIC_GRAPH[1]) if (folder / name).is_file()), None)
    symbols: Collection[str] | None = None
    if graph:
        with _reading(folder, graph):
            symbols = output_symbols(folder / graph)
    words = _listed_words(folder) if symbols is None else symbols
    return frozenset(word for word in words if not word.startswith(("<", "#", "[")))


def file_sha256(file: Path) -> str:
    """The SHA-256 of a file in hex. Raises OSError."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def try_loading(folder: Path) -> None:
    """Loads a model and recognises two seconds of a bundled recording. Raises ModelError if libvosk fails."""
    try:
        trial = _run_trial(folder, "2")
    except subprocess.TimeoutExpired:
        raise model_fault(
            folder, sentence("libvosk did not load this model in {seconds} s; install it again.", seconds=TIMEOUT)
        ) from None
    if trial.returncode:
        raise model_fault(
            folder, sentence("libvosk cannot load this model: one of its files is damaged; install it again.")
        )


def try_grammar(folder: Path, vocabulary: Iterable[str]) -> GrammarSupport:
    """Whether a model supports a grammar: it recognises a bundled recording with a few of its own words as grammar.

    With a static graph libvosk only warns and ignores the grammar (its src/recognizer.cc), so nothing is tried.
    Raises ModelError if libvosk fails.
    """
    if (folder / STATIC_GRAPH).is_file() or not all((folder / name).is_file() for name in DYNAMIC_GRAPH):
        return "static"
    grammar = sorted(vocabulary, key=lambda word: (len(word), word))[:GRAMMAR_WORDS]
    try:
        # without [unk], as which a good model would recognise all of the recording
        trial = _run_trial(folder, "8", json.dumps(grammar, ensure_ascii=False))
        recognised = {word for word in json.loads(trial.stdout) if word != "[unk]"}
    except (subprocess.TimeoutExpired, ValueError):
        raise model_fault(folder, sentence("libvosk cannot use this model with a grammar; install it again.")) from None
    if not recognised:
        return "unproven"
    return "able" if recognised <= set(grammar) else "ignored"


def _run_trial(folder: Path, seconds: str, *grammar: str) -> subprocess.CompletedProcess[str]:
    recording = bundled_folder("recordings") / RECORDING
    command = [sys.executable, "-c", TRIAL, str(folder.resolve()), str(recording), seconds, *grammar]
    return subprocess.run(  # noqa: S603 - our own code
        command, capture_output=True, encoding="utf-8", errors="replace", timeout=TIMEOUT, check=False
    )


def _listed_words(folder: Path) -> list[str]:
    _require(folder, WORDS)
    with _reading(folder, WORDS):
        lines = (folder / WORDS).read_text(encoding="utf-8").splitlines()
    entries = [line.split() for line in lines if line.strip()]
    if any(len(entry) != 2 or not entry[1].isdigit() for entry in entries):  # noqa: PLR2004 - a word and its number
        raise model_fault(folder, sentence("{name} is damaged; install the model again.", name=WORDS))
    return [word for word, _ in entries]


def _verify_checksums(folder: Path) -> None:
    for name, expected in read_checksums(folder).items():
        _require(folder, name)
        with _reading(folder, name):
            digest = file_sha256(folder / name)
        if digest != expected:
            text = N_("{name} is damaged (its checksum differs); install the model again.")
            raise model_fault(folder, sentence(text, name=name))


def _require(folder: Path, name: str) -> None:
    """Raises ModelError if a file is missing or empty."""
    with _reading(folder, name):
        size = (folder / name).stat().st_size if (folder / name).is_file() else None
    if not size:
        state = sentence("missing") if size is None else sentence("empty")
        text = N_("incomplete: {name} is {state}; install the model again.")
        raise model_fault(folder, sentence(text, name=name, state=state))


def _head(folder: Path, name: str, size: int) -> bytes:
    _require(folder, name)
    with _reading(folder, name), (folder / name).open("rb") as file:
        return file.read(size)


@contextmanager
def _reading(folder: Path, name: str) -> Iterator[None]:
    """Turns the errors of reading a model's file into ModelError."""
    try:
        yield
    except OSError as error:
        reason = system_reason(error)
        raise model_fault(folder, sentence("{name} cannot be read ({why}).", name=name, why=reason)) from None
    except UnicodeDecodeError:
        raise model_fault(folder, sentence("{name} is damaged; install the model again.", name=name)) from None
    except SymbolTableError:
        text = N_("{name} is not a graph, or damaged; install the model again.")
        raise model_fault(folder, sentence(text, name=name)) from None
