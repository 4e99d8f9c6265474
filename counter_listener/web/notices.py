"""What the server tells people of who are not at the pages: offences, silent counters, a full disk. Never a word of a
visit: numbers and the names of counters alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from counter_listener.domain import N_, Translate, translator
from counter_listener.record import Record, offences_after, without_sign
from counter_listener.web.memory import Memory
from counter_listener.web.moments import awake_since, is_quiet
from counter_listener.web.sending import addresses, kind_of, name_of, send
from counter_listener.web.server_file import NotifyTable, ServerFile

TABLE: Final = "notify"
AGAIN: Final = timedelta(minutes=5)
"""After this time a message that was not taken is tried again."""
LONGEST: Final = 4_000
"""Letters of a text that waits for an address that takes none; older ones are dropped."""
SHOWN: Final = 30
"""Counters that a message names."""
Send = Callable[[Mapping[str, str], str], list[str]]


@dataclass(frozen=True, slots=True)
class NoticeState:
    """What the system page tells of the messages."""

    kinds: list[str]
    """The kind of each address."""
    sent: datetime | None
    waiting: bool
    """Whether something happened that is not told yet."""
    failed: list[str]
    """Kinds of the addresses that did not take the last message."""


class Notices:
    """Looks, and tells, at most once in a while."""

    def __init__(self, given: ServerFile, memory: Memory, sender: Send = send) -> None:
        self._given, self._memory, self._send = given, memory, sender

    @property
    def asked(self) -> bool:
        """Whether messages are asked for at all."""
        return bool(self._given.notify.urls or self._given.notify.urls_file)

    def state(self) -> NoticeState | None:
        """How things stand; None if no messages are asked for. Raises ConfigError."""
        if not self.asked:
            return None
        table, urls = self._memory.get(TABLE), addresses(self._given.notify)
        sent = datetime.fromisoformat(table["sent"]) if "sent" in table else None
        failed = [kind_of(url) for url in urls if name_of(url) in table.get("unsent", {})]
        return NoticeState([kind_of(url) for url in urls], sent, bool(table.get("pending")), failed)

    def step(self, record: Record, free: float, now: datetime) -> None:
        """Looks at the record and at the free gigabytes of its disk, and sends what is due.

        Raises CounterListenerError.
        """
        if not self.asked:
            return
        notify, here, table = self._given.notify, now.astimezone(), self._memory.get(TABLE)
        _observe(table, notify, record, free, here)
        self._memory.put(TABLE, table)
        if not is_quiet(notify, here):
            self._deliver(table, here)

    def test(self) -> list[str]:
        """Sends a message that says that messages arrive; the kinds of the addresses that did not take it."""
        return send_test(self._given, self._send)

    def _deliver(self, table: dict[str, Any], now: datetime) -> None:
        notify, unsent = self._given.notify, table.get("unsent", {})
        translate = translator(notify.language)
        urls = addresses(notify)
        texts = {url: unsent[name_of(url)] for url in urls if name_of(url) in unsent and _is_past(table, "again", now)}
        due = bool(table.get("pending")) and _is_past(table, "next", now)
        if due:
            text = _text(table["pending"], notify, translate) + _link(self._given, translate)
            texts = {url: (unsent.get(name_of(url), "") + "\n\n" + text).strip()[-LONGEST:] for url in urls}
        if not texts:
            return
        failed = self._send(texts, translate(TITLE))
        kept = {name: text for name, text in unsent.items() if name in map(name_of, urls)}
        for url, text in texts.items():
            kept.pop(name_of(url), None)
            if url in failed:
                kept[name_of(url)] = text
        table |= {"unsent": kept, "sent": now.isoformat(), "again": (now + AGAIN).isoformat()}
        if due:
            table |= {"pending": {}, "next": (now + timedelta(minutes=notify.every_minutes)).isoformat()}
        self._memory.put(TABLE, table)


def send_test(given: ServerFile, sender: Send = send) -> list[str]:
    """Sends all addresses a test; the kinds of those that did not take it. Raises ConfigError."""
    translate = translator(given.notify.language)
    text = translate(N_("This is a test. Messages of the counters will arrive here.")) + _link(given, translate)
    return [kind_of(url) for url in sender(dict.fromkeys(addresses(given.notify), text), translate(TITLE))]


def _link(given: ServerFile, translate: Translate) -> str:
    return "\n" + translate(N_("Pages: {address}")).format(address=given.address) if given.address else ""


TITLE: Final = N_("Counter Listener")


def _is_past(table: Mapping[str, Any], name: str, now: datetime) -> bool:
    return name not in table or datetime.fromisoformat(table[name]) <= now


def _observe(table: dict[str, Any], notify: NotifyTable, record: Record, free: float, now: datetime) -> None:
    """Adds to `pending` what happened since the last look. What goes on is told once."""
    pending: dict[str, Any] = table.setdefault("pending", {})
    offences, table["seq"] = record.query(lambda connection: offences_after(connection, table.get("seq", _NEVER)))
    if notify.offences:
        for counter, count in offences.items():
            found = pending.setdefault("offences", {})
            found[counter] = found.get(counter, 0) + count
    if notify.silent_hours and not is_quiet(notify, now):
        longest, awake = timedelta(hours=notify.silent_hours), awake_since(notify, now)
        silent = record.query(lambda connection: without_sign(connection, now, longest, awake))
        if new := [counter for counter in silent if counter not in table.get("silent", [])]:
            pending["silent"] = sorted({*pending.get("silent", []), *new})
        table["silent"] = silent
    is_little = free < notify.little_disk
    if is_little and not table.get("little"):
        pending["free"] = round(free, 1)
    table["little"] = is_little


_NEVER: Final = 1 << 62
"""A row that is never reached: what was there before the first look is not told."""


def _text(pending: Mapping[str, Any], notify: NotifyTable, translate: Translate) -> str:
    """The message."""
    lines = []
    if offences := pending.get("offences"):
        named = [f"{_name(counter, translate)}: {count}" for counter, count in sorted(offences.items())]
        lines.append(translate(N_("Offences: {counters}")).format(counters=_listed(named)))
    if silent := pending.get("silent"):
        named = [_name(counter, translate) for counter in silent]
        text = translate(N_("No sign for {hours:g} hours or longer: {counters}"))
        lines.append(text.format(hours=notify.silent_hours, counters=_listed(named)))
    if "free" in pending:
        text = translate(N_("Little room on the disk of the record: {free:.1f} GB are free"))
        lines.append(text.format(free=pending["free"]))
    return "\n".join(lines)


def _name(counter: str, translate: Translate) -> str:
    if not counter:
        return translate(N_("counter without a name"))
    return translate(N_("counter {name}")).format(name=counter)


def _listed(names: list[str]) -> str:
    more = f" … (+{len(names) - SHOWN})" if len(names) > SHOWN else ""
    return "; ".join(names[:SHOWN]) + more
