"""Whether a model can be told which words to listen for (libvosk's grammar mode): by its files, and by trying."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from counter_listener.asr.model_files import DYNAMIC, STATIC, TRY_SECONDS
from counter_listener.domain import N_, ModelError, bundled_folder, sentence

RECORDING: Final = "full-marks.wav"
"""Of which the first seconds are heard."""
WORDS: Final = 12
"""As many as are enough to hear something, and far too few to hear all of it."""
TRY_GRAMMAR: Final = """
import json, sys, wave, vosk
folder, recording, grammar = sys.argv[1:]
vosk.SetLogLevel(-1)
recognizer = vosk.KaldiRecognizer(vosk.Model(model_path=folder), 16000, grammar)
heard = []
with wave.open(recording) as sound:
    if recognizer.AcceptWaveform(sound.readframes(8 * sound.getframerate())):
        heard += json.loads(recognizer.Result())["text"].split()
heard += json.loads(recognizer.FinalResult())["text"].split()
print(json.dumps(heard))
"""

Ability = Literal["able", "static", "ignored", "unproven"]
GRAMMAR_DESCRIPTIONS: Final[dict[Ability, str]] = {
    "able": N_("works: a dynamic graph, and libvosk kept to the words that it was given"),
    "static": N_("does not work: a static graph (graph/HCLG.fst), with which libvosk takes no grammar"),
    "ignored": N_("does not work: libvosk went on with all of its words"),
    "unproven": N_("cannot be told: a dynamic graph, but in the trial recording nothing was heard"),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a trial."""

    ability: Ability
    given: tuple[str, ...]
    """The words that were to be listened for."""
    heard: tuple[str, ...]


def try_grammar(folder: Path, vocabulary: Iterable[str]) -> Trial:
    """Lets a model with a dynamic graph hear a bundled recording with a few of its own words as grammar.

    In a process of its own, where an abort of libvosk harms nobody. With a static graph libvosk only warns and ignores
    the grammar (its src/recognizer.cc), so nothing is tried. Raises ModelError.
    """
    if (folder / STATIC).is_file() or not all((folder / name).is_file() for name in DYNAMIC):
        return Trial("static", (), ())
    given = tuple(sorted(vocabulary, key=lambda word: (len(word), word))[:WORDS])
    grammar = json.dumps(given, ensure_ascii=False)  # without [unk], in which a good model would hear all of it
    command = [
        sys.executable,
        "-c",
        TRY_GRAMMAR,
        str(folder.resolve()),
        str(bundled_folder("recordings") / RECORDING),
        grammar,
    ]
    try:
        tried = subprocess.run(  # noqa: S603 - our own code
            command, capture_output=True, encoding="utf-8", timeout=TRY_SECONDS, check=False
        )
        heard = tuple(word for word in json.loads(tried.stdout) if word != "[unk]")
    except (subprocess.TimeoutExpired, ValueError):
        raise ModelError(
            "{folder}: {what}",
            folder=folder,
            what=sentence("libvosk cannot use this model with a grammar; install it again."),
        ) from None
    return Trial(ability(given, heard), given, heard)


def ability(given: Iterable[str], heard: Iterable[str]) -> Ability:
    """What it proves that these words were heard where those were to be listened for."""
    if not heard:
        return "unproven"
    return "able" if set(heard) <= set(given) else "ignored"
