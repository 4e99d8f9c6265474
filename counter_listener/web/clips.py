"""The clips of a visit for its page, and their sound in ranges: opened in memory, never written anywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from counter_listener.domain import N_, ClipError, CounterListenerError, Event, Sentence, sentence
from counter_listener.record import (
    ClipKeys,
    ClipRequest,
    KeptClip,
    Record,
    clip_request,
    clip_sound,
    clips_folder,
    kept_clips,
    read_clip_keys,
    record_file,
    sender_of,
)
from counter_listener.web.settings import Settings

RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
HEARD_LIVE: Final = sentence("It was heard live; of its sound only the clips below are kept.")


ANSWERS: Final[Mapping[str | None, str]] = {
    None: N_("The counter has not answered yet; it does when it next sends its record."),
    "sent": N_("The counter has sent its clips."),
    "refused": N_("The counter does not send clips: its settings do not allow it."),
    "gone": N_("The counter has no clip of this visit, or none any more."),
}
"""What became of a request."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Whether the counter of a visit can be asked for its clips, and what became of that."""

    counter: str
    sends: bool
    """Whether it said that it sends clips."""
    request: ClipRequest | None = None

    @property
    def is_open(self) -> bool:
        """Whether an answer is waited for."""
        return self.request is not None and self.request.answer is None

    @property
    def asked(self) -> datetime | None:
        """When it was asked."""
        return datetime.fromisoformat(self.request.asked) if self.request else None

    @property
    def told(self) -> str:
        """What became of the request: a text of the catalogue."""
        return ANSWERS[self.request.answer] if self.request else ""


def asking(record: Record, visit: str) -> Asking | None:
    """How things stand with a visit; None if no counter can be asked. Raises RecordError."""
    sender = record.query(partial(sender_of, visit=visit))
    if sender is None:
        return None
    return Asking(sender.name, bool(sender.state.get("sends_clips")), record.query(partial(clip_request, visit=visit)))


@dataclass(frozen=True, slots=True)
class ShownClip:
    """A clip on the page of its visit."""

    number: int
    start: float
    """Seconds into the stream."""
    end: float
    until: datetime | None
    """When it goes; None if it is damaged."""
    titles: tuple[str, ...]
    """Of the verdicts that it is kept for."""
    silent: Sentence | None
    """Why it cannot be played; None if it can."""


def shown_clips(
    settings: Settings, visit: str, events: Mapping[str, Event], titles: Mapping[str, str], now: datetime
) -> list[ShownClip]:
    """The clips of a visit, in order of time; `events` are those of the visit by uid. Raises RecordError."""
    found = [clip for clip in _clips(settings, visit) if not clip.is_over(now)]
    if not found:
        return []
    try:
        keys, fault = _keys(settings), None
    except CounterListenerError as error:
        keys, fault = ClipKeys(), error.sentence
    return [_shown(clip, keys, fault, events, titles, now) for clip in found]


def sound_of_clip(settings: Settings, visit: str, number: int, now: datetime) -> tuple[KeptClip, bytes]:
    """A clip of a visit, and its sound. Raises ClipError, also if there is none, and RecordError."""
    clip = next((clip for clip in _clips(settings, visit) if clip.number == number), None)
    if clip is None:
        raise ClipError("there is no such clip any more")
    return clip, clip_sound(clip, _keys(settings), now)


def ranged(content: bytes, asked: str | None, media_type: str) -> Response:
    """The answer with a content, or with the part of it that a Range header asks for."""
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    found = RANGE.fullmatch(asked or "")
    if found is None or not (found[1] or found[2]):
        return Response(content, media_type=media_type, headers=headers)
    size = len(content)
    first = int(found[1]) if found[1] else max(0, size - int(found[2]))
    last = min(size - 1, int(found[2])) if found[1] and found[2] else size - 1
    if first > last:
        headers["Content-Range"] = f"bytes */{size}"
        return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Response(content[first : last + 1], HTTPStatus.PARTIAL_CONTENT, headers, media_type)


def _clips(settings: Settings, visit: str) -> list[KeptClip]:
    return kept_clips(clips_folder(record_file(settings.store)), visit)


def _keys(settings: Settings) -> ClipKeys:
    return ClipKeys() if settings.clip_key is None else read_clip_keys(settings.clip_key)


def _shown(  # noqa: PLR0913 - what the page tells of a clip
    clip: KeptClip,
    keys: ClipKeys,
    fault: Sentence | None,
    events: Mapping[str, Event],
    titles: Mapping[str, str],
    now: datetime,
) -> ShownClip:
    if fault is None:
        try:
            clip_sound(clip, keys, now)
        except CounterListenerError as error:
            fault = error.sentence
    facts = clip.facts
    if facts is None:
        return ShownClip(clip.number, clip.number / 1000, clip.number / 1000, None, (), fault)
    kept_for = [event for uid, event in events.items() if uid.rpartition(":")[2] in _numbers(facts.verdicts)]
    named = (str(event.detail.get("title") or titles.get(event.phrase or "", event.phrase or "")) for event in kept_for)
    return ShownClip(clip.number, facts.start, facts.end, facts.gone_at, tuple(dict.fromkeys(named)), fault)


def _numbers(uids: tuple[str, ...]) -> set[str]:
    """The numbers of events in their stream: on a server the stream may have another name."""
    return {uid.rpartition(":")[2] for uid in uids}
