"""What is wrong in a file that is not TOML, for people who write phrase sets in a spreadsheet or a Chinese editor."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from counter_listener.domain.messages import Sentence, sentence

SIGNS: Final[Mapping[str, str]] = {
    **dict.fromkeys("“”„‟«»「」『』＂", '"'),
    **dict.fromkeys("‘’＇", "'"),
    **dict.fromkeys("，、", ","),
    **dict.fromkeys("［【〔", "["),
    **dict.fromkeys("］】〕", "]"),
    **dict.fromkeys("\u3000\xa0", " "),
    "＝": "=",
    "｛": "{",
    "｝": "}",
    "＃": "#",
}
"""What a Chinese keyboard or an editor writes, and the sign of TOML that is meant."""
SPREADSHEETS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx and .docx (zip), and .xls and .doc, begin."""
SHOWN: Final = 20
"""Characters of the file that an error shows."""
_PLACE: Final = re.compile(r"\(at line (\d+), column (\d+)\)|\(at end of document\)")
_STRING: Final = r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\''
_COMMENT: Final = re.compile(rf"({_STRING})|#[^\n]*")
_STRINGS: Final = re.compile(_STRING)
_LAST_VALUE: Final = re.compile(rf"(?:{_STRING}|[\w.+-]+|[\]}}])\Z")
_KEY: Final = re.compile(r"[\w.-]+[ \t]*=|\[\[?\w")
_HEADER: Final = re.compile(r"\s*\[\[?\w[\w.-]*\]\]?\s*")
_WORD: Final = re.compile(r"[^\W\d]\w*")
_VALUES: Final = ("true", "false", "inf", "nan")


def office_file(content: bytes) -> bool:
    """Whether this is the content of a file of Excel or Word."""
    return content.startswith(SPREADSHEETS)


def toml_fault(text: str, error: str) -> Sentence | None:
    """What is wrong, with its line; None if that is no mistake known here. `error` is what tomllib said of the text."""
    place = _PLACE.search(error)
    if place is None:
        return None
    lines = text.split("\n")
    line, column = (int(place[1]), int(place[2])) if place[1] else (len(lines), len(lines[-1]) + 1)
    at = sum(len(before) + 1 for before in lines[: line - 1]) + column - 1
    return next(filter(None, _guesses(text, lines, line, at)), None)


def _guesses(text: str, lines: list[str], line: int, at: int) -> Iterator[Sentence | None]:
    if _HEADER.fullmatch(lines[line - 1]):  # inside an open list, the name of a table looks like another list
        at = sum(len(above) + 1 for above in lines[: line - 1])
    before = _COMMENT.sub(lambda found: found[1] or "", text[:at]).rstrip()
    yield _wrong_sign(line, text[at : at + 1]) or _wrong_quote(lines, line)
    yield _unclosed_list(before, text[at:])
    yield _missing_comma(before, text[at : at + 1])
    yield _missing_quote(line, lines[line - 1])
    yield _missing_quotes(before, line, text[at:])


def _wrong_sign(line: int, sign: str) -> Sentence | None:
    if sign not in SIGNS:
        return None
    if SIGNS[sign] == " ":
        return sentence("line {line}: TOML needs a plain space instead of U+{code:04X}", line=line, code=ord(sign))
    return sentence(
        "line {line}: TOML needs the plain sign {meant} instead of {sign}", line=line, meant=SIGNS[sign], sign=sign
    )


def _wrong_quote(lines: list[str], line: int) -> Sentence | None:
    """A quotation mark that was to begin or end a text, in a line with an odd number of plain ones up to the fault."""
    for number in range(line, 0, -1):
        marks = [sign for sign in lines[number - 1] if SIGNS.get(sign) == '"']
        if marks and lines[number - 1].count('"') % 2:
            return _wrong_sign(number, marks[-1])
        if number < line and lines[number - 1].strip():
            return None
    return None


def _unclosed_list(before: str, rest: str) -> Sentence | None:
    """A list that a new key, or the end of the file, finds open."""
    code = _STRINGS.sub(lambda found: "_" * len(found[0]), before)
    if rest and not _KEY.match(rest):
        return None
    opened: list[int] = []
    for at, sign in enumerate(code):
        if sign == "[":
            opened.append(at)
        elif sign == "]" and opened:
            opened.pop()
    return (
        sentence("line {line}: the list that begins here needs a ]", line=code.count("\n", 0, opened[-1]) + 1)
        if opened
        else None
    )


def _missing_comma(before: str, sign: str) -> Sentence | None:
    """Whether a value begins right after another one in a list or a table."""
    value = _LAST_VALUE.search(before)
    code = _STRINGS.sub("", before)
    inside = code.count("[") + code.count("{") > code.count("]") + code.count("}")
    if not value or not inside or not re.match(r"[\"'\[{\w]", sign):
        return None
    number = before.count("\n") + 1
    return sentence("line {line}: a comma is missing after {value}", line=number, value=value[0][-SHOWN:])


def _missing_quote(line: int, text: str) -> Sentence | None:
    if text.count('"') % 2 == 0:
        return None
    return sentence('line {line}: a text has no quotation mark at its end; add "', line=line)


def _missing_quotes(before: str, line: int, rest: str) -> Sentence | None:
    word = _WORD.match(rest)
    if word is None or word[0] in _VALUES or not before.endswith(("=", ",", "[")):
        return None
    return sentence('line {line}: a text needs quotation marks: "{word}"', line=line, word=word[0][:SHOWN])
