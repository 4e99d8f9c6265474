"""How it was said, on the pages: the page of a visit, the page of all, who sees which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from support.bundled import matcher
from support.pages_record import BANK, FULL, HOSTILE
from support.pages_site import NOW, PASSWORD, accounts, browser, settings, sign_in, signed_in
from support.small_counter import said

from counter_listener.domain import Sound, Utterance
from counter_listener.pipeline import judge_events, with_ticks
from counter_listener.record import Origin, open_record


def spoken(level: float, customer: str = "") -> Iterator[Utterance]:
    """A full visit on two channels: after each sentence of the clerk the customer says something."""
    at = 0.0
    for sentence in FULL:
        for text, speaker, channel in ((sentence * 2, "clerk", 0), (customer, "customer", 1)):
            if text:
                one = said(text, at, "clerk" if speaker == "clerk" else "customer")
                yield replace(one, channel=channel, sound=Sound(one.end - one.start, level, 30.0, level))
                at = one.end + 1.0
        at += 65.0


def add(store: Path, number: int, counter: str, level: float, customer: str = "") -> str:
    found = list(judge_events(with_ticks(spoken(level, customer)), matcher(), one_visit=True))
    origin = Origin(f"live-{number}", "live", counter, NOW - timedelta(hours=number), BANK, "c0ffee", "counter-cn")
    with open_record(store) as record:
        record.append(found, origin, NOW)
    return f"live-{number}-1"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("manner") / "events.db"
    add(path, 1, "3", -30.0)
    add(path, 2, "4", -52.0, "嗯好的我想办一张卡")
    add(path, 3, HOSTILE, -30.0)
    return path


@pytest.fixture(scope="module")
def client(store: Path) -> Iterator[TestClient]:
    with signed_in(settings(store)) as client:
        yield client


def test_a_visit_shows_its_figures_what_is_beyond_and_what_cannot_be_told(client: TestClient) -> None:
    quiet, alone = client.get("/visits/live-2-1").text, client.get("/visits/live-1-1").text
    assert "-52 dBFS" in quiet
    assert "100% of it too quiet" in quiet
    assert "声音太小" in quiet
    assert "靠近话筒" in quiet
    assert "syllables a second" in quiet
    assert "让客户干等" in alone
    assert "4 waits without a word" in alone
    part = alone.partition('id="manner"')[2]
    assert "cannot be told" in part.partition("</section>")[0], "one channel has no interruptions"


def test_the_page_has_counters_months_limits_and_definitions(client: TestClient) -> None:
    page = client.get("/manner?days=all").text
    assert "让客户干等" in page
    assert "2026-01" in page
    assert "ITU-T P.56" in page
    assert "cannot be told" in page
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    one = client.get("/manner?days=all&counter=4").text
    assert "-52.0" in one
    assert "-30.0" not in one
    assert "No visit in this period." in client.get("/manner?since=2020-01-01&until=2020-01-02").text


def test_a_clerk_sees_the_own_counter_alone_and_the_look_is_recorded(store: Path, tmp_path: Path) -> None:
    kept = accounts(tmp_path)
    kept.add("wang", "clerk", PASSWORD, NOW, counter="4")
    with browser(settings(store, accounts=kept)) as client:
        sign_in(client, "wang")
        page = client.get("/manner?days=all").text
    assert "-52.0" in page
    assert "-30.0" not in page
    with open_record(store) as record:
        looks = [row for row in record.read() if row.kind == "access"]
    assert any("/manner" in row.detail for row in looks)


def test_the_figures_are_kept_for_a_minute_apart_for_each_sight(tmp_path: Path) -> None:
    store, kept = tmp_path / "events.db", accounts(tmp_path)
    kept.add("wang", "clerk", PASSWORD, NOW, counter="4")
    kept.add("li", "supervisor", PASSWORD, NOW)
    add(store, 1, "3", -30.0)
    given = settings(store, accounts=kept)
    with browser(given) as client:
        for name, seen in (("li", "-30.0"), ("wang", "No visit in this period.")):
            sign_in(client, name)
            assert seen in client.get("/manner?days=all").text
        add(store, 2, "4", -52.0)
        assert "-52.0" not in client.get("/manner?days=all").text
        given.clock.pass_time(minutes=1)  # type: ignore[attr-defined]
        page = client.get("/manner?days=all").text
        assert "-52.0" in page
        assert "-30.0" not in page
