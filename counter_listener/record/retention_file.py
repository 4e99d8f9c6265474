"""Rules and holds that a server handed out: a file beside the record of a counter. They go before its own.

Who set a hold, and why, stays at the server.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from counter_listener.domain import RecordError, companion
from counter_listener.record.figures import Place
from counter_listener.record.files import file_errors, path_text, private_part
from counter_listener.record.keeping import KEPT_BY_SERVER, HoldScope
from counter_listener.record.places import all_places
from counter_listener.record.retention import (
    KEPT,
    RULE_LEVELS,
    Hold,
    Retention,
    Rule,
    days_of,
    in_order,
    read_retention,
    scope_of,
)


def retention_file(record: Path) -> Path:
    """The file with what the server of a record handed out."""
    return companion(record, "retention")


def all_retention(connection: sa.Connection, record: Path) -> Retention:
    """What was set in a record, and what its server handed out. Raises RecordError."""
    own, handed = read_retention(connection, all_places(connection)), read_handed(record)
    if handed is None:
        return own
    places = {place.name: place for place in (*own.places, *handed.places)}
    rules = in_order((*own.rules, *handed.rules))
    return Retention(rules, (*own.holds, *handed.holds), tuple(places.values()))


def holds_in_force(connection: sa.Connection, record: Path) -> tuple[HoldScope, ...]:
    """What no purge of a record may remove. Raises RecordError."""
    return all_retention(connection, record).scopes()


def read_handed(record: Path) -> Retention | None:
    """What the server of a record handed out; None if it handed out nothing. Raises RecordError for a damaged file."""
    path = retention_file(record)
    with file_errors(path_text(path)):
        if not path.exists():
            return None
        content = path.read_bytes()
    try:
        return handed_retention(content.decode())
    except (ValueError, TypeError, KeyError) as error:
        text = "{path} does not tell what is under hold; run `counter-listener send`, which fetches it anew"
        raise RecordError(text, path=path_text(path)) from error


def keep_handed(record: Path, content: str, *, needed: bool = True) -> None:
    """Keeps what the server handed out, if it is new; with nothing `needed` no file is made. Raises RecordError."""
    path = retention_file(record)
    with file_errors(path_text(path)):
        there = path.read_bytes() if path.exists() else b""
        if there == content.encode() or not (there or needed):
            return
        with private_part(path, content.encode()) as part:
            part.replace(path)


def as_handed(found: Retention, places: Sequence[Place]) -> str:
    """The part of what was set that concerns some counters, as JSON; visits by their names at the source."""
    names = {place.name for place in places}
    near = {("branch", place.branch) for place in places} | {("region", place.region) for place in places}
    rules = [rule for rule in found.rules if rule.scope.level == "everything" or _key(rule) in near]
    holds = []
    for hold in found.holds:
        counter = hold.counter if hold.scope.level == "visit" else hold.scope.name
        of_counter = hold.scope.level in ("counter", "visit") and counter in names
        if hold.in_force and (hold.scope.level == "everything" or _key(hold) in near or of_counter):
            holds.append(hold)
    told = {
        "rules": [{**asdict(rule.scope), **{kept: getattr(rule, kept) for kept in KEPT}} for rule in rules],
        "holds": [
            {"id": hold.id, **asdict(hold.scope), "since": hold.since, "until": hold.until, "visit": _original(hold)}
            for hold in holds
        ],
        "places": [[place.name, place.branch, place.region] for place in places],
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def handed_retention(text: str) -> Retention:
    """What as_handed() wrote. Raises ValueError, TypeError, KeyError."""
    told = json.loads(text)
    rules = [
        Rule(scope_of(each), days_of(each, "visits"), days_of(each, "transcripts"))
        for each in told["rules"]
        if each.get("level") in RULE_LEVELS
    ]
    holds = [_handed_hold(each) for each in told["holds"]]
    return Retention(in_order(rules), tuple(holds), tuple(Place(*each) for each in told["places"]))


def _handed_hold(given: Mapping[str, Any]) -> Hold:
    scope = scope_of(given)
    name = str(given["visit"]) if scope.level == "visit" else scope.name
    return Hold(f"{KEPT_BY_SERVER}{given['id']}", replace(scope, name=name), given["since"], given["until"])


def _key(each: Rule | Hold) -> tuple[str, str | None]:
    return each.scope.level, each.scope.name


def _original(hold: Hold) -> str | None:
    """The id that a visit has at its source: without the mark that its stream got at the server."""
    if hold.scope.level != "visit":
        return None
    stream, _, number = hold.scope.name.rpartition("-")
    return f"{stream.partition('@')[0]}-{number}"
