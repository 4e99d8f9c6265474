"""The counters that send their rows to this record, and the codes that make them known, once.

Nothing of it is evidence. Tokens and codes are kept as SHA-256.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.domain import AccountError, Sentence
from counter_listener.record.rows import iso, storable
from counter_listener.record.sync.sources import SOURCES, close_sources
from counter_listener.record.sync.wire import Batch, read_sentence

CODE_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without those that are taken for each other."""
CODE_LENGTH: Final = 8
CODE_LASTS: Final = timedelta(hours=24)
LONGEST: Final = 100
LONGEST_STATE: Final = 10_000
COUNTERS: Final = sa.table(
    "counters", *map(sa.column, ("name", "branch", "region", "many", "token", "enrolled", "heard", "state"))
)
ENROLMENTS: Final = sa.table("enrolments", *map(sa.column, ("code", "counter", "made", "expires", "used")))


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter, or another computer, that sends its record."""

    name: str
    """As in the column `counter` of its rows."""
    branch: str | None = None
    region: str | None = None
    many: bool = False
    """Whether its record may hold rows of other counters: a branch's server, a computer that checks recordings."""
    enrolled: str | None = None
    """ISO 8601 in UTC; None if it has no token."""
    heard: str | None = None
    """When it was heard from last."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """What it then said of itself."""
    rows: int = 0
    """Number of the last row of its record that is here."""
    chain: str = "ok"
    """`ok`, or what was found: `rewritten`, `cut`, `replaced`."""
    fault: Sentence | None = None


def counters(connection: sa.Connection) -> list[Counter]:
    """All counters, in order of names."""
    open_sources = sa.select(SOURCES).where(SOURCES.c.state != "closed").order_by(SOURCES.c.id)
    sources: dict[str | None, Any] = {}
    for row in connection.execute(open_sources):
        if row.counter not in sources or row.state != "ok" or sources[row.counter].state == "ok":
            sources[row.counter] = row
    found = connection.execute(sa.select(COUNTERS).order_by(COUNTERS.c.name))
    return [_counter(row, sources.get(row.name)) for row in found]


def find_counter(connection: sa.Connection, name: str) -> Counter:
    """The counter with this name. Raises AccountError if there is none."""
    found = next((each for each in counters(connection) if each.name == storable(name)), None)
    if found is None:
        raise AccountError("there is no counter {name}; add it with `counter-listener counters add`", name=name)
    return found


def counter_of_token(connection: sa.Connection, secret: str) -> Counter | None:
    """The counter that sends with a token."""
    row = connection.execute(sa.select(COUNTERS).where(COUNTERS.c.token == digest(secret))).first()
    return None if row is None else _counter(row, None)


def sends_many(connection: sa.Connection, name: str) -> bool:
    """Whether a counter may send rows of other counters."""
    return bool(connection.execute(sa.select(COUNTERS.c.many).where(COUNTERS.c.name == storable(name))).scalar())


def add_counter(connection: sa.Connection, counter: Counter, now: datetime) -> str:
    """Adds a counter, or changes its branch, region and `many`; returns a new code. Raises AccountError."""
    name = storable(counter.name.strip())
    if not name or not name.isprintable() or len(name) > LONGEST:
        raise AccountError("the name of a counter has 1 to 100 letters")
    values = {"branch": counter.branch, "region": counter.region, "many": int(counter.many)}
    known = connection.execute(sa.select(COUNTERS.c.name).where(COUNTERS.c.name == name)).first()
    if known is None:
        connection.execute(sa.insert(COUNTERS).values(name=name, **values))
    else:
        given = {key: value for key, value in values.items() if value}
        if given:
            connection.execute(sa.update(COUNTERS).where(COUNTERS.c.name == name).values(given))
    return new_code(connection, name, now)


def new_code(connection: sa.Connection, name: str, now: datetime) -> str:
    """A code with which the counter is enrolled, or enrolled again, once; earlier ones are no longer valid."""
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    connection.execute(sa.delete(ENROLMENTS).where(ENROLMENTS.c.counter == name, ENROLMENTS.c.used.is_(None)))
    made = {"code": digest(code), "counter": name, "made": iso(now), "expires": iso(now + CODE_LASTS)}
    connection.execute(sa.insert(ENROLMENTS).values(made))
    return f"{code[:4]}-{code[4:]}"


def enrol(connection: sa.Connection, code: str, now: datetime) -> tuple[Counter, str]:
    """The counter of a code, and its new token, which is told this once; a token that it had ends.

    A new record may follow the one that was received before. Raises AccountError for a code that is not valid.
    """
    typed = digest("".join(letter for letter in code.upper() if letter.isalnum()))
    valid = (ENROLMENTS.c.code == typed, ENROLMENTS.c.used.is_(None), ENROLMENTS.c.expires > iso(now))
    row = connection.execute(sa.select(ENROLMENTS).where(*valid)).first()
    if row is None:
        raise AccountError(
            "this code is not valid, was used, or is older than {hours} hours; ask for a new one",
            hours=int(CODE_LASTS.total_seconds() // 3600),
        )
    secret = f"cc_{secrets.token_urlsafe(32)}"
    connection.execute(sa.update(ENROLMENTS).where(ENROLMENTS.c.code == typed).values(used=iso(now)))
    of_counter = COUNTERS.c.name == row.counter
    connection.execute(sa.update(COUNTERS).where(of_counter).values(token=digest(secret), enrolled=iso(now)))
    close_sources(connection, row.counter)
    return find_counter(connection, row.counter), secret


def close_counter(connection: sa.Connection, name: str) -> Counter:
    """Ends the token of a counter; its rows stay. Raises AccountError if there is none."""
    found = find_counter(connection, name)
    connection.execute(sa.update(COUNTERS).where(COUNTERS.c.name == found.name).values(token=None, enrolled=None))
    connection.execute(sa.delete(ENROLMENTS).where(ENROLMENTS.c.counter == found.name, ENROLMENTS.c.used.is_(None)))
    return found


def accept_record(connection: sa.Connection, name: str) -> Counter:
    """From now on takes the record of a counter as it is now. What was received stays. Raises AccountError."""
    found = find_counter(connection, name)
    if found.chain == "ok":
        raise AccountError("nothing is wrong with the record of the counter {name}", name=found.name)
    close_sources(connection, found.name)
    return found


def note_heard(connection: sa.Connection, counter: Counter, batch: Batch, now: datetime) -> None:
    """Notes that a counter was heard from, and what it says of itself; `end` is the last row of its record."""
    values: dict[str, object] = {"heard": iso(now)}
    if batch.state is not None:
        state = json.dumps({**batch.state, "end": batch.end.seq}, ensure_ascii=False)
        values["state"] = state if len(state) <= LONGEST_STATE else "{}"
    connection.execute(sa.update(COUNTERS).where(COUNTERS.c.name == counter.name).values(values))


def note_names(connection: sa.Connection, names: set[str], sender: Counter | None) -> None:
    """Adds the counters in the record of a sender for many that are not known yet, with its branch and region."""
    known = set(connection.execute(sa.select(COUNTERS.c.name).where(COUNTERS.c.name.in_(names))).scalars())
    branch, region = (sender.branch, sender.region) if sender else (None, None)
    new = [{"name": name, "branch": branch, "region": region, "many": 0} for name in sorted(names - known)]
    if new:
        connection.execute(sa.insert(COUNTERS), new)


def digest(secret: str) -> str:
    """How a secret is kept."""
    return sha256(secret.encode("utf-8", "backslashreplace")).hexdigest()


def _counter(row: Any, source: Any) -> Counter:  # noqa: ANN401 - rows of the database
    state = json.loads(row.state or "{}")
    return Counter(
        name=row.name,
        branch=row.branch,
        region=row.region,
        many=bool(row.many),
        enrolled=row.enrolled,
        heard=row.heard,
        state=state,
        rows=source.seq if source else 0,
        chain=source.state if source else "ok",
        fault=read_sentence(source.fault) if source else None,
    )
