"""Begins to keep clips, if the settings ask for it and it can be done here; what it needs is tried first."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from counter_listener.cli.options import CLIP_KEY_VARIABLE, clip_key_location
from counter_listener.domain import N_, CounterListenerError, PhraseSet, RecordError, _

if TYPE_CHECKING:
    from counter_listener.live import ClipKeeper, Message
    from counter_listener.record import Record

MEGABYTE: Final = 1_000_000
NO_RECORD: Final = N_("no clips are kept, because nothing is recorded here")


def clip_keeper(
    table: dict[str, Any], record: Record | None, phrases: PhraseSet, send: Callable[[Message], None]
) -> ClipKeeper | None:
    """Keeps clips as the table [clips] of the settings says, and sends the sign for the screen; None for none.

    What keeps it from doing so is sent too: listening goes on without clips. Old clips are removed in any case.
    """
    try:
        if record is not None:
            sweep_old(record, table["megabytes"] * MEGABYTE)
        if table["keep"] == "none":
            return None
        keeper = _begin(table, record, phrases, send)
    except CounterListenerError as error:
        send({"trouble": error.translated(_)})
        return None
    send({"keeping": table["keep"]})
    return keeper


def sweep_old(record: Record, most_bytes: int) -> None:
    """Removes the clips that are not to be kept any more. Raises RecordError."""
    from counter_listener.record import sweep_clips

    sweep_clips(record.path, record.query, datetime.now(UTC), most_bytes)


def _begin(
    table: dict[str, Any], record: Record | None, phrases: PhraseSet, send: Callable[[Message], None]
) -> ClipKeeper:
    from counter_listener.live import ClipKeeper, ClipPlan

    if record is None:
        raise RecordError(NO_RECORD)
    public = tried_key(table)
    most = table["megabytes"] * MEGABYTE
    plan = ClipPlan(table["keep"], table["before"], table["after"], table["days"], most, public)
    return ClipKeeper(record, phrases, plan, lambda: datetime.now(UTC), send)


def tried_key(table: dict[str, Any]) -> str:
    """The public key for which clips are encrypted: the one given, or that of this computer, made if there is none.

    The encoder is tried too. Raises AudioError, RecordError.
    """
    from counter_listener.live import check_encoder
    from counter_listener.record import make_clip_keys

    check_encoder()
    return table["key"] or make_clip_keys(clip_key_location(os.environ.get(CLIP_KEY_VARIABLE))).public[0]
