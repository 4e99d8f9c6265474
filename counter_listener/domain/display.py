"""How values are shown to people: names, durations, and text in which private and unsafe characters are removed."""

import json
import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from counter_listener.domain.messages import N_, Translate
from counter_listener.domain.types import ReviewAction

BOM: Final = "\ufeff"
"""The byte-order mark. Without it, Excel reads a CSV file in the code page of the country."""
VERDICTS: Final = {
    "heard": N_("heard"),
    "not_heard": N_("not heard"),
    "unknown": N_("cannot be told"),
    "forbidden": N_("forbidden"),
    "broken": N_("broken"),
}
OUTCOMES: Final[Mapping[str, str]] = {
    "complete": N_("complete"),
    "incomplete": N_("incomplete"),
    "not_understood": N_("not understood"),
    "no_service": N_("no service"),
}
"""What people call each Outcome of a visit, wherever it is shown."""
KINDS: Final = {
    "visit_opened": N_("visit opened"),
    "visit_closed": N_("visit closed"),
    "phrase": N_("phrase"),
    "word": N_("word"),
    "rule": N_("rule"),
    "forbidden": N_("forbidden"),
    "scenario": N_("scenario"),
    "gap": N_("gap"),
    "purge": N_("purge"),
    "key": N_("new key"),
    "judged": N_("judged again"),
    "review": N_("review"),
    "appeal": N_("appeal"),
    "sample": N_("sample"),
    "access": N_("access"),
}
REVIEW_ACTIONS: Final[Mapping[ReviewAction, str]] = {
    "uphold": N_("upheld"),
    "overturn": N_("overturned"),
    "note": N_("note"),
    "observe": N_("observed"),
}
REASONS: Final[Mapping[str, str]] = {
    "misheard": N_("the machine misheard"),
    "said_otherwise": N_("said in other words"),
    "said_elsewhere": N_("said at another time"),
    "other_speaker": N_("somebody else said it"),
    "not_meant": N_("quoted, asked or meant otherwise"),
    "not_owed": N_("not due in this visit"),
    "no_sound": N_("cannot be heard"),
    "appeal": N_("decided on an appeal"),
    "other": N_("another reason"),
}
"""Why a person overturns a verdict, by id."""
SEVERITIES: Final = {"minor": N_("minor"), "serious": N_("serious"), "grave": N_("grave")}
LONG_NUMBER: Final = re.compile(r"(?:[0-9０-９零〇一二三四五六七八九幺两][\s-]*){6,}[XxＸ]?")
"""Six digits or more: a code, the shortest number to hide, has six. Amounts are said with 百千万 and are not masked."""
NOT_UTF_8: Final = re.compile("[\u0080-\u07ff\udc80-\udcff]*[\udc80-\udcff][\u0080-\u07ff\udc80-\udcff]*")
"""Bytes of a file name that are not UTF-8 (PEP 383), and what stands beside them and may belong to the same characters:
two of their bytes can happen to be UTF-8."""
UNSAFE: Final = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""Characters that change the direction of text."""

LINE_BREAK: Final = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""What some program takes for the end of a line (Unicode Standard, section 5.8)."""
ESCAPED: Final = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Unprintable characters that JSON may hold as they are."""
SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
"""Half of a character: a byte of a file name that is not UTF-8, or a fault."""
LINE: Final = json.JSONEncoder(ensure_ascii=False)


def visit_word(grade: str | None, outcome: object, translate: Translate) -> str:
    """What a visit is called wherever it is shown: its grade, or else why it has none; empty if it is complete.

    Earlier versions gave a grade to incomplete visits: it stays the word that was told then.
    """
    if grade or outcome == "complete":
        return grade or ""
    return translate(OUTCOMES[outcome]) if isinstance(outcome, str) and outcome in OUTCOMES else ""


def format_duration(seconds: float) -> str:
    """Seconds as m:ss, or h:mm:ss from one hour on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def mask_numbers(text: str) -> str:
    """The text with each run of six or more spoken or written digits as `＊＊＊`.

    Identity cards have 18 digits, bank cards 16-19, telephones 7-11, codes 6.
    """
    return LONG_NUMBER.sub("＊＊＊", text)


def printable(text: str) -> str:
    """The text on one line, without control characters, which a terminal obeys, and without bidirectional overrides.

    What is no character is replaced as readable() does it, so that the text can be written anywhere.
    """
    if text.isprintable():  # the usual case, and much faster
        return text
    text = readable(UNSAFE.sub("", LINE_BREAK.sub(" ", text)))
    return "".join(c for c in text if unicodedata.category(c) != "Cc")


def json_line(value: object) -> str:
    """The value as JSON on one line: what ends a line anywhere, or changes what a terminal shows, is escaped.

    Names that are not UTF-8 are shown as readable() shows them: no program could use them as they are.
    """
    text = LINE.encode(value)
    if SURROGATE.search(text):
        text = LINE.encode(_readable_within(value))
    return text if text.isprintable() else ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def url_without_secrets(url: str) -> str:
    """A URL without the user name, password and query that may be in it."""
    with suppress(ValueError):
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    return "the URL"


def readable(text: str) -> str:
    r"""The text with the bytes of names that are not UTF-8 as Chinese of GB 2312, as older systems write it; else as
    escapes such as `\xe9`. Any other half of a surrogate pair becomes an escape too.
    """
    if text.isascii():
        return text
    return NOT_UTF_8.sub(_decoded, text).encode("utf-8", "backslashreplace").decode()


def _readable_within(value: object) -> object:
    """The value with every text in it made readable."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, Mapping):
        return {_readable_within(key): _readable_within(each) for key, each in value.items()}
    return [_readable_within(each) for each in value] if isinstance(value, list | tuple) else value


def _decoded(found: re.Match[str]) -> str:
    try:
        return found[0].encode("utf-8", "surrogateescape").decode("gb2312")
    except UnicodeError:
        return "".join(f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c for c in found[0])
