"""Grammar mode: which of twelve words was said, and whether a grammar finds its phrases and nothing in the rest."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from counter_listener.asr.model_files import model_vocabulary
from counter_listener.asr.speech_model import SpeechModel
from counter_listener.audio.chunking import blocks
from counter_listener.audio.recording import read_recording
from counter_listener.domain.types import SAMPLE_RATE
from counter_listener.phrases.pinyin import text_syllables
from models.build.held_out import STUDENTS_HELD_OUT
from models.build.manifest import Recording, read_manifest
from models.build.measuring.sets import Labelled

GARBAGE: Final = "[unk]"
REST: Final = b"\0" * SAMPLE_RATE
"""Half a second of silence after a word, so that its last sound is not cut off by the end of the recording."""
Lasting = tuple[str, float]
"""A word as a model wrote it, and how long it took in seconds."""


def recognise(path: Path, model: Any, grammar: Sequence[str] | None) -> list[Lasting]:  # noqa: ANN401 - vosk has no types
    """The words that a model hears in a whole recording, in grammar mode or freely (None)."""
    from vosk import KaldiRecognizer

    choice = () if grammar is None else (json.dumps(grammar, ensure_ascii=False),)
    engine = KaldiRecognizer(model, SAMPLE_RATE, *choice)
    engine.SetWords(True)  # noqa: FBT003 - vosk's own signature
    told = [
        engine.Result()
        for block in blocks((*read_recording(path), REST))
        if isinstance(block, bytes) and engine.AcceptWaveform(block)
    ]
    heard = [word for one in (*told, engine.FinalResult()) for word in json.loads(one).get("result", ())]
    return [(word["word"], word["end"] - word["start"]) for word in heard]


def written(heard: Sequence[Lasting]) -> str:
    """The words, spaced."""
    return " ".join(word for word, _ in heard)


def longest(heard: Sequence[Lasting], wordings: Iterable[str]) -> str:
    """That of the spaced wordings which took longest; empty where none was heard.

    A grammar lets words follow each other, and gives a breath or a knock after the word to another one; who asks which
    of twelve was said wants one answer.
    """
    words = [word for word, _ in heard]
    found = [
        (sum(seconds for _, seconds in heard[at : at + len(parts)]), wording)
        for wording in wordings
        for parts in (wording.split(),)
        for at in range(len(words))
        if words[at : at + len(parts)] == parts
    ]
    return max(found, default=(0.0, ""))[1]


def spelt(wording: str, known: Collection[str]) -> str:
    """A wording as a grammar needs it: with spaces, in words of the vocabulary; empty where it has none that do.

    The longest words come first; a character that the model does not know gives way to one that sounds the same.
    """
    found, at = [], 0
    while at < len(wording):
        sizes = range(len(wording) - at, 0, -1)
        word = next((wording[at : at + size] for size in sizes if wording[at : at + size] in known), None)
        word = word or _alike(wording[at], known)
        if word is None:
            return ""
        found.append(word)
        at += len(word)
    return " ".join(found)


def _alike(character: str, known: Collection[str]) -> str | None:
    sound = text_syllables(character)
    return min((word for word in known if len(word) == 1 and text_syllables(word) == sound), default=None)


def which_word(folder: Path, ears: SpeechModel) -> dict[str, Any]:
    """Which of the twelve words of dspspeech20 five students said, by grammar with and without [unk], and freely.

    With a grammar the answer is the word that took longest; freely it is all that was written.

    A word is right `by_sound` if what was written has its syllables, and `in_characters` if it is the word itself:
    北京 and 背景 differ in tone alone, which the units of our own models do not have. A word that the vocabulary cannot
    spell is not in the grammar, and wrong each time.
    """
    rows = [row for row in read_manifest(folder) if row.speaker in STUDENTS_HELD_OUT]
    known = model_vocabulary(ears.folder)
    words = {wording: text for text in sorted({row.text for row in rows}) if (wording := spelt(text, known))}
    found = {}
    for name, grammar in {"grammar": [*words], "grammar with [unk]": [*words, GARBAGE], "free": None}.items():
        heard = [recognise(row.path, ears.model, grammar) for row in rows]
        found[name] = _right(rows, [longest(one, words) if grammar else written(one) for one in heard], words)
    return found


def _right(rows: Sequence[Recording], told: Iterable[str], words: dict[str, str]) -> dict[str, Any]:
    sound: dict[str, list[bool]] = defaultdict(list)
    characters: list[bool] = []
    taken: dict[str, list[bool]] = defaultdict(list)
    for row, heard in zip(rows, told, strict=True):
        clean = heard.replace(GARBAGE, "").strip()
        right = text_syllables(clean) == text_syllables(row.text)
        sound[row.speaker].append(right)
        taken[row.text].append(right)
        characters.append(words.get(clean, clean.replace(" ", "")) == row.text)
    return {
        "by_sound": _share([one for each in sound.values() for one in each]),
        "in_characters": _share(characters),
        "students": {speaker: _share(each) for speaker, each in sorted(sound.items())},
        "words": {word: _share(each) for word, each in sorted(taken.items())},
        "recordings": len(characters),
    }


def _share(right: Sequence[bool]) -> float:
    return sum(right) / len(right) if right else 0.0


def dial(lines: Sequence[Labelled], ears: SpeechModel) -> dict[str, Any]:
    """How often a grammar of phrases and [unk] finds the phrase said, and one where other things were said."""
    phrases = sorted({one.lines[0].text for one in lines if one.lines[0].kind == "phrase"})
    known = model_vocabulary(ears.folder)
    grammar = [*filter(None, (spelt(phrase, known) for phrase in phrases)), GARBAGE]
    hits, false, counted = 0, 0, {"phrase": 0, "other": 0}
    for one in lines:
        heard = written(recognise(one.label.path, ears.model, grammar))
        said = one.lines[0]
        if said.kind == "phrase":
            counted["phrase"] += 1
            hits += "".join(text_syllables(said.text)) in "".join(text_syllables(heard.replace(GARBAGE, "，")))
        else:
            counted["other"] += 1
            false += bool(heard.replace(GARBAGE, "").strip())
    return {"phrases": counted["phrase"], "hits": hits, "others": counted["other"], "false_alarms": false}
