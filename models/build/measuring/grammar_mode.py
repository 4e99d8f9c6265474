"""Grammar mode: which of twelve words was said, and whether a grammar finds its phrases without false alarms."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from counter_listener.asr import SpeechModel, model_vocabulary
from counter_listener.audio import blocks, read_recording
from counter_listener.domain import SAMPLE_RATE
from counter_listener.phrases import text_syllables
from models.build.held_out import STUDENTS_HELD_OUT
from models.build.manifest import Recording, read_manifest
from models.build.measuring.labelled_sets import LabelledRecording

GARBAGE: Final = "[unk]"
TRAILING_SILENCE: Final = b"\0" * SAMPLE_RATE
"""Half a second of silence after a word, so that the end of the recording does not cut off its last sound."""
TimedWord = tuple[str, float]
"""A recognised word and its duration in seconds."""


def recognise(path: Path, model: Any, grammar: Sequence[str] | None) -> list[TimedWord]:  # noqa: ANN401 - vosk has no types
    """The words that a model recognises in a whole recording, with a grammar or without one (None)."""
    from vosk import KaldiRecognizer

    choice = () if grammar is None else (json.dumps(grammar, ensure_ascii=False),)
    engine = KaldiRecognizer(model, SAMPLE_RATE, *choice)
    engine.SetWords(True)  # noqa: FBT003 - vosk's own signature
    results = [
        engine.Result()
        for block in blocks((*read_recording(path), TRAILING_SILENCE))
        if isinstance(block, bytes) and engine.AcceptWaveform(block)
    ]
    words = [word for result in (*results, engine.FinalResult()) for word in json.loads(result).get("result", ())]
    return [(word["word"], word["end"] - word["start"]) for word in words]


def text_of(words: Sequence[TimedWord]) -> str:
    """The words, separated by spaces."""
    return " ".join(word for word, _ in words)


def longest_wording(words: Sequence[TimedWord], wordings: Iterable[str]) -> str:
    """The wording (words separated by spaces) with the longest duration; empty if none was recognised.

    A grammar allows several words in a row, and recognises a breath or a knock after the word as another one. The
    question which of twelve words was said needs one answer.
    """
    texts = [word for word, _ in words]
    candidates = [
        (sum(seconds for _, seconds in words[first : first + len(parts)]), wording)
        for wording in wordings
        for parts in (wording.split(),)
        for first in range(len(texts))
        if texts[first : first + len(parts)] == parts
    ]
    return max(candidates, default=(0.0, ""))[1]


def spell(wording: str, vocabulary: Collection[str]) -> str:
    """A wording in words of the vocabulary, separated by spaces, as a grammar needs it; empty if it cannot be spelled.

    The longest words are used first. A character that is not in the vocabulary is replaced by a homophone.
    """
    words, start = [], 0
    while start < len(wording):
        candidates = (wording[start:end] for end in range(len(wording), start, -1))
        word = next((text for text in candidates if text in vocabulary), None)
        word = word or _homophone(wording[start], vocabulary)
        if word is None:
            return ""
        words.append(word)
        start += len(word)
    return " ".join(words)


def _homophone(character: str, vocabulary: Collection[str]) -> str | None:
    sound = text_syllables(character)
    return min((word for word in vocabulary if len(word) == 1 and text_syllables(word) == sound), default=None)


def measure_word_choice(folder: Path, model: SpeechModel) -> dict[str, Any]:
    """Which of the twelve words of dspspeech20 five students said: with a grammar, with [unk] in it, and without one.

    With a grammar the answer is the word with the longest duration; without one it is the whole text.

    An answer is correct `by_sound` if it has the syllables of the word, and `in_characters` if it is the word itself:
    北京 and 背景 differ in tone only, which the units of our models do not have. A word that cannot be spelled with the
    vocabulary is not in the grammar, and counts as wrong.
    """
    rows = [row for row in read_manifest(folder) if row.speaker in STUDENTS_HELD_OUT]
    vocabulary = model_vocabulary(model.folder)
    words = {wording: text for text in sorted({row.text for row in rows}) if (wording := spell(text, vocabulary))}
    figures = {}
    for name, grammar in {"grammar": [*words], "grammar with [unk]": [*words, GARBAGE], "free": None}.items():
        recognised = [recognise(row.path, model.model, grammar) for row in rows]
        answers = [longest_wording(result, words) if grammar else text_of(result) for result in recognised]
        figures[name] = _score_answers(rows, answers, words)
    return figures


def _score_answers(rows: Sequence[Recording], answers: Iterable[str], words: dict[str, str]) -> dict[str, Any]:
    by_speaker: dict[str, list[bool]] = defaultdict(list)
    by_word: dict[str, list[bool]] = defaultdict(list)
    in_characters: list[bool] = []
    for row, answer in zip(rows, answers, strict=True):
        text = answer.replace(GARBAGE, "").strip()
        correct = text_syllables(text) == text_syllables(row.text)
        by_speaker[row.speaker].append(correct)
        by_word[row.text].append(correct)
        in_characters.append(words.get(text, text.replace(" ", "")) == row.text)
    return {
        "by_sound": _share([correct for answers in by_speaker.values() for correct in answers]),
        "in_characters": _share(in_characters),
        "students": {speaker: _share(correct) for speaker, correct in sorted(by_speaker.items())},
        "words": {word: _share(correct) for word, correct in sorted(by_word.items())},
        "recordings": len(in_characters),
    }


def _share(correct: Sequence[bool]) -> float:
    return sum(correct) / len(correct) if correct else 0.0


def measure_grammar(recordings: Sequence[LabelledRecording], model: SpeechModel) -> dict[str, Any]:
    """How often a grammar of phrases and [unk] finds the phrase said, and how often it finds one in other speech."""
    phrases = sorted({r.lines[0].text for r in recordings if r.lines[0].kind == "phrase"})
    vocabulary = model_vocabulary(model.folder)
    grammar = [*filter(None, (spell(phrase, vocabulary) for phrase in phrases)), GARBAGE]
    counts = {"phrases": 0, "hits": 0, "others": 0, "false_alarms": 0}
    for recording in recordings:
        text = text_of(recognise(recording.label.path, model.model, grammar))
        line = recording.lines[0]
        if line.kind == "phrase":
            counts["phrases"] += 1
            recognised = "".join(text_syllables(text.replace(GARBAGE, "，")))
            counts["hits"] += "".join(text_syllables(line.text)) in recognised
        else:
            counts["others"] += 1
            counts["false_alarms"] += bool(text.replace(GARBAGE, "").strip())
    return counts
