"""What people fill in of a phrase set, in a spreadsheet or a form: each field with its name and its type.

A field is shown as text, or as the value of a cell, and what is filled in is read back. Keys are those of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from counter_listener.domain import N_, Lang, Sentence, Translate, sentence, translator

Kind = Literal["stage", "step", "phrase", "word", "forbidden", "rule", "scenario", "observe", "list", "aside", "manner"]
FieldType = Literal["text", "lines", "yes", "number", "whole", "choice", "scope"]
LANGUAGES: Final[tuple[Lang, ...]] = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in."""

    key: str
    title: str
    type: FieldType = "text"
    """`lines` is a list of texts, one a line; `scope` is a choice or a number of seconds."""
    choices: tuple[str, ...] = ()
    is_needed: bool = False
    is_template: bool = False
    """Whether its lines are templates."""
    default: bool = False
    """Of `yes`: what an empty one stands for."""


def _lines(key: str, title: str, *, needed: bool = False, template: bool = True) -> Field:
    return Field(key, title, "lines", is_needed=needed, is_template=template)


_ID: Final = Field("id", N_("id"), is_needed=True)
_TITLE: Final = Field("title", N_("name"))
_NAMED: Final = Field("title", N_("name"), is_needed=True)
_STAGE: Final = Field("stage", N_("stage"), is_needed=True)
_STEP: Final = Field("step", N_("step"))
_SAY: Final = _lines("say", N_("templates"))
_SHARED: Final = _lines("shared", N_("customers say these too"))
_NOT_IN: Final = _lines("not_in", N_("not within these words"))
_UNLESS: Final = _lines("unless", N_("not counted beside"))
_WEIGHT: Final = Field("weight", N_("weight"), "number")
_THRESHOLD: Final = Field("threshold", N_("least closeness"), "number")
_BETTER: Final = Field("better", N_("better"))
_SEVERITY: Final = Field("severity", N_("severity"), "choice", (N_("minor"), N_("serious"), N_("grave")))
_SCOPE: Final = Field("scope", N_("scope"), "scope", (N_("clause"), N_("utterance")))
EXAMPLES: Final = _lines("example", N_("examples"), template=False)
"""The sentences in which exactly this is found."""
FIELDS: Final[Mapping[Kind, tuple[Field, ...]]] = {
    "phrase": (
        _STAGE,
        _ID,
        _TITLE,
        Field("required", N_("required"), "yes"),
        _WEIGHT,
        _SAY,
        _SHARED,
        _NOT_IN,
        EXAMPLES,
        Field("within", N_("within seconds"), "number"),
        _STEP,
        _THRESHOLD,
        Field("hint.show", N_("hint at it"), "yes", default=True),
        _lines("hint.after", N_("hint after"), template=False),
        Field("hint.wait", N_("hint after seconds"), "number"),
        Field("hint.quiet", N_("hint after seconds of quiet"), "number"),
        _lines("hint.until", N_("no hint after"), template=False),
        Field("hint.say", N_("sentence of the hint")),
    ),
    "forbidden": (
        _ID,
        _TITLE,
        Field("class", N_("class"), is_needed=True),
        _SEVERITY,
        _SAY,
        _SHARED,
        _UNLESS,
        _NOT_IN,
        EXAMPLES,
        _THRESHOLD,
        _BETTER,
    ),
    "rule": (
        _ID,
        _NAMED,
        _lines("when", N_("when this is said"), needed=True),
        _lines("need", N_("this is needed"), needed=True),
        _SCOPE,
        _SEVERITY,
        _SHARED,
        _UNLESS,
        _NOT_IN,
        EXAMPLES,
        _BETTER,
    ),
    "scenario": (_ID, _NAMED, _lines("when", N_("when this is said"), needed=True), _UNLESS, _NOT_IN, EXAMPLES),
    "word": (_ID, _TITLE, _SAY, _SHARED, _NOT_IN),
    "list": (
        Field("kind", N_("kind"), "choice", (N_("list"), N_("part"), N_("syllables")), is_needed=True),
        _ID,
        _lines("entries", N_("words, one a line")),
        Field("min", N_("least syllables"), "whole"),
        Field("max", N_("most syllables"), "whole"),
    ),
    "stage": (Field("scenario", N_("scenario")), _ID, _NAMED),
    "step": (_STAGE, _ID, _NAMED),
    "observe": (_STAGE, _STEP, _ID, _NAMED, _WEIGHT),
    "aside": (
        _ID,
        _TITLE,
        _SAY,
        _SHARED,
        _NOT_IN,
        Field("recalls", N_("calls the customer back"), "yes"),
        EXAMPLES,
    ),
    "manner": (
        _ID,
        _NAMED,
        Field(
            "figure",
            N_("figure"),
            "choice",
            (N_("volume"), N_("rate"), N_("interruptions"), N_("silence")),
            is_needed=True,
        ),
        Field("limit", N_("limit"), "number", is_needed=True),
        Field("scored", N_("is scored"), "yes"),
        _SEVERITY,
        _BETTER,
    ),
}
"""The fields of each kind of entry, in the order in which they are shown."""
KIND_TITLES: Final[Mapping[Kind, str]] = {
    "phrase": N_("Phrases"),
    "forbidden": N_("Forbidden phrases"),
    "rule": N_("Rules"),
    "scenario": N_("Scenarios"),
    "word": N_("Courtesy words"),
    "list": N_("Lists and parts"),
    "stage": N_("Stages"),
    "step": N_("Steps"),
    "observe": N_("To be seen"),
    "aside": N_("Beside the service"),
    "manner": N_("Manner"),
}
SETTINGS: Final = (
    Field("name", N_("name of the set"), is_needed=True),
    Field("version", N_("version"), is_needed=True),
    Field("score.pass_mark", N_("pass mark"), "number"),
    Field("score.late", N_("share for a late phrase"), "number"),
    Field("score.penalty.minor", N_("points lost, minor"), "number"),
    Field("score.penalty.serious", N_("points lost, serious"), "number"),
    Field("score.penalty.grave", N_("points lost, grave"), "number"),
    Field("visit.opens", N_("a visit opens with"), "lines"),
    Field("visit.closes", N_("a visit closes with"), "lines"),
    Field("visit.quiet", N_("seconds of quiet after a farewell"), "number"),
    Field("visit.idle", N_("seconds of quiet that close a visit"), "number"),
    Field("visit.opening_syllables", N_("syllables that open a visit"), "whole"),
    Field("visit.service.least", N_("points that prove a service"), "number"),
    Field("visit.service.required", N_("points for a required phrase"), "number"),
    Field("visit.service.judged", N_("points for an offence or a rule"), "number"),
    Field("visit.service.recommended", N_("points for a recommended phrase"), "number"),
    Field("visit.service.word", N_("points for a courtesy word"), "number"),
    Field("hearing.clause_pause", N_("pause between clauses, seconds"), "number"),
    Field("hearing.context", N_("seconds in which an excuse counts"), "number"),
)
"""What a set has once. The key is the path to it."""


class FieldError(ValueError):
    "What was filled in is not possible; `reason` says why, and what is."

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


def shown(field: Field, value: Any, translate: Translate) -> str | float | None:  # noqa: ANN401 - of any type
    """The value as a cell: text, a number, or None where there is none."""
    if value is None:
        return None
    if field.type == "lines":
        return "\n".join(map(str, value))
    if field.type == "yes":
        return translate("yes" if value else "no")
    if isinstance(value, int | float):
        return float(value) if value != int(value) else int(value)
    return translate(value) if value in field.choices else str(value)


def parsed(field: Field, cell: object) -> Any:  # noqa: ANN401 - of the type of the field
    """The value that a cell or a field of a form stands for; None for an empty one. Raises FieldError."""
    text = "" if cell is None else str(cell).strip()
    if field.type == "lines":
        lines = [line.strip() for line in text.splitlines()]
        return [line for line in lines if line] or None
    if not text:
        return None
    if field.type == "yes":
        return _yes(text)
    if field.type in ("number", "whole"):
        return _number(text, whole=field.type == "whole")
    if field.type == "text":
        return text.removesuffix(".0") if isinstance(cell, float) else text
    return _choice(field, text)


def _yes(text: str) -> bool:
    word = text.casefold()
    if word in _words("yes") | {"true", "1", "x"}:
        return True
    if word in _words("no") | {"false", "0"}:
        return False
    raise FieldError(sentence("{given!r} is neither yes nor no; write one of them", given=text))


def _number(text: str, *, whole: bool) -> float | int:
    try:
        number = float(text)
        if whole and not number.is_integer():
            raise ValueError(text)  # noqa: TRY301 - the same fault
        return int(number) if number.is_integer() else number
    except (ValueError, OverflowError):
        expected = sentence("a whole number") if whole else sentence("a number")
        raise FieldError(
            sentence("{given!r} is not {expected}; write {expected}", given=text, expected=expected)
        ) from None


def _choice(field: Field, text: str) -> str | float:
    for choice in field.choices:
        if text.casefold() in _words(choice):
            return choice
    if field.type == "scope":
        try:
            return _number(text, whole=False)
        except FieldError:
            raise FieldError(
                sentence("{given!r} is neither {names} nor a number of seconds", given=text, names=_names(field))
            ) from None
    raise FieldError(sentence("{given!r} is not possible; write one of {names}", given=text, names=_names(field)))


def _names(field: Field) -> str:
    return ", ".join(f"{choice} ({translator('zh')(choice)})" for choice in field.choices)


@cache
def _words(word: str) -> frozenset[str]:
    """A word in every language."""
    return frozenset({word.casefold(), *(translator(lang)(word).casefold() for lang in LANGUAGES)})
