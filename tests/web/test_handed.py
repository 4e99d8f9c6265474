"""A phrase set that was put in force on the server's pages reaches the counters, signed, and holds from a set hour."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.testclient import TestClient
from support.pages_site import NOW, Clock, browser, settings
from support.sending import add_visits, enrolled, opened
from support.small_counter import SMALL_FILE

from counter_listener.cli.sender_process import LOOK_SECONDS, SetWatch
from counter_listener.domain import SendError
from counter_listener.phrases import find_phrase_set
from counter_listener.record import (
    Hold,
    Poster,
    Record,
    Rule,
    Scope,
    Server,
    ServerExchange,
    Who,
    add_counter,
    all_retention,
    enrol,
    retention_file,
    send_to_server,
    set_hold,
    set_rule,
    sets_due,
    take_offers,
    take_retention,
)
from counter_listener.record.posting import Posted

SET = SMALL_FILE.read_text(encoding="utf-8")


class Client:
    """Posts to a server in this process."""

    def __init__(self, site: TestClient) -> None:
        self.site, self.spoil = site, dict[str, Any]()

    def post(self, url: str, body: bytes, token: str | None = None) -> Posted:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        answer = self.site.post(url.removeprefix("https://branch"), content=body, headers=headers)
        return Posted(answer.status_code, "", {**answer.json(), **self.spoil})


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Record]:
    with opened(tmp_path, "counter") as record:
        add_visits(record, 1)
        yield record


@pytest.fixture
def exchange(tmp_path: Path) -> ServerExchange:
    with opened(tmp_path, "branch") as record:
        name = enrolled(record).name
        code = record.change(lambda connection, _: add_counter(connection, enrolled_counter(name), NOW), NOW)
        _, token = record.change(lambda connection, _: enrol(connection, code, NOW), NOW)
        assert record.key
        key = record.key.public
    given = settings(
        tmp_path / "branch.db", key_file=tmp_path / "branch.pem", receive=True, clock=Clock(), phrases_at=time(6)
    )
    poster = cast("Poster", Client(browser(given)))
    return ServerExchange(Server("https://branch", name, token, key), poster, lambda: NOW)


def enrolled_counter(name: str) -> Any:
    from counter_listener.record import Counter

    return Counter(name)


def put_in_force(folder: Path, text: str = SET, at: datetime = NOW) -> None:
    """As the pages of the server do."""
    sets = folder / "branch.db.phrases"
    sets.mkdir(exist_ok=True)
    (sets / "small.toml").write_text(text, encoding="utf-8")
    os.utime(sets / "small.toml", (at.timestamp(), at.timestamp()))


def send(exchange: ServerExchange, counter: Record) -> None:
    send_to_server(exchange, counter, {})
    take_offers(exchange, counter.path)


def test_a_set_waits_for_its_hour_and_then_comes_before_the_one_that_ships(
    exchange: ServerExchange, counter: Record, tmp_path: Path
) -> None:
    put_in_force(tmp_path)
    send(exchange, counter)
    local = NOW.astimezone()
    hour = local.replace(hour=6, minute=0, second=0, microsecond=0)
    hour += timedelta(days=1) if hour <= local else timedelta()
    assert sets_due(counter.path, hour - timedelta(seconds=1)) == []
    assert sets_due(counter.path, hour) == ["small"]
    here = find_phrase_set("small", counter.path)
    assert here.read_text(encoding="utf-8") == SET
    assert here.parent == counter.path.with_name("counter.db.phrases")
    send(exchange, counter)
    assert sets_due(counter.path, hour + timedelta(days=9)) == [], "it is taken once"


def test_what_the_server_did_not_sign_or_fails_its_examples_is_not_taken(
    exchange: ServerExchange, counter: Record, tmp_path: Path
) -> None:
    client = cast("Client", exchange.poster)
    put_in_force(tmp_path)
    send_to_server(exchange, counter, {})
    offers = list(exchange.offers)
    for change in ({"since": "2020-01-01T00:00:00+00:00"}, {"sha256": "0" * 64}, {"name": "../x"}, {"signature": ""}):
        exchange.offers = [{**cast("dict[str, Any]", offers[0]), **change}]
        with pytest.raises(SendError, match="not signed by the server"):
            take_offers(exchange, counter.path)
    exchange.offers, client.spoil = offers, {"text": SET + "\n"}
    with pytest.raises(SendError, match="not signed by the server"):
        take_offers(exchange, counter.path)
    client.spoil = {}
    put_in_force(tmp_path, SET.replace("[[", "[[x", 1))
    with pytest.raises(SendError, match="the phrase set small of"):
        send(exchange, counter)
    assert not list(counter.path.with_name("counter.db.phrases").glob("*.toml"))
    assert sets_due(counter.path, NOW + timedelta(days=9)) == []
    exchange.server = replace(exchange.server, key=None)
    send(exchange, counter)
    assert sets_due(counter.path, NOW + timedelta(days=9)) == [], "nothing can be trusted without the server's key"


def test_no_text_is_given_but_that_of_a_set_in_force(exchange: ServerExchange, counter: Record, tmp_path: Path) -> None:
    put_in_force(tmp_path)
    digest = sha256(SET.encode()).hexdigest()
    client = cast("Client", exchange.poster)
    for name, wanted in (("small", "0" * 64), ("../small", digest), ("bank-counter", digest)):
        body = f'{{"name": "{name}", "sha256": "{wanted}"}}'.encode()
        assert client.post("/api/v1/handed", body, exchange.server.token).status == 404
    assert client.post("/api/v1/handed", b"{}", "x").status == 401
    assert counter.verify().broken is None


def test_a_listener_is_renewed_when_another_set_comes_into_force(tmp_path: Path) -> None:
    told: list[str] = []
    watch = SetWatch(str(tmp_path / "counter.db"), "small", lambda: told.append("renew"))
    sets = tmp_path / "counter.db.phrases"
    sets.mkdir()
    watch.look(0.0)
    (sets / "small.toml").write_text(SET, encoding="utf-8")
    watch.look(LOOK_SECONDS / 2)
    assert told == []
    watch.look(LOOK_SECONDS)
    watch.look(LOOK_SECONDS * 3)
    assert told == ["renew"]


def test_rules_and_holds_that_concern_a_counter_reach_it_signed_and_its_purge_respects_them(
    tmp_path: Path, counter: Record, exchange: ServerExchange
) -> None:
    send_to_server(exchange, counter, {})
    take_retention(exchange, counter)
    assert not retention_file(counter.path).exists(), "nothing is set"
    with opened(tmp_path, "branch") as record:
        visit = next(row.visit for row in record.read() if row.visit)
        set_hold(record, Hold("", Scope("visit", str(visit)), reason="secret"), Who("root"), NOW)
        set_rule(record, Rule(Scope(), visits=1), Who("root"), NOW)
    send_to_server(exchange, counter, {})
    take_retention(exchange, counter)
    found = counter.query(lambda connection: all_retention(connection, counter.path))
    assert [(hold.id, hold.reason) for hold in found.holds] == [("server:H1", "")]
    limits = found.limits("visits", NOW + timedelta(days=900))
    assert counter.remove_old(limits, NOW).held.holds == {"server:H1": 1}
    forged = {"retention": '{"rules": [], "holds": [], "places": []}', "signature": "00" * 64}
    cast("Client", exchange.poster).spoil = {"retention": forged}
    send_to_server(exchange, counter, {})
    with pytest.raises(SendError, match="rules of retention are not signed"):
        take_retention(exchange, counter)
    assert counter.query(lambda connection: all_retention(connection, counter.path)).holds == found.holds
