"""A reviewer asks for the clips of a visit; its counter answers with its next batch, as its settings say."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.testclient import TestClient
from support.clip_cases import add_clip, seconds_of
from support.pages_record import FULL, events
from support.pages_site import NOW, Clock, browser, csrf, settings, signed_in
from support.record_cases import DAY, live
from support.sending import opened

from counter_listener.record import (
    ClipKeys,
    Counter,
    Poster,
    Record,
    Server,
    ServerExchange,
    add_counter,
    answer_clip_requests,
    clips_folder,
    enrol,
    kept_clips,
    make_clip_keys,
    open_record,
    parse_detail,
    send_to_server,
)
from counter_listener.record.posting import Posted
from counter_listener.record.sync.clip_requests import clip_request

VISIT = "live-1-1"


class Client:
    """Posts to a server in this process."""

    def __init__(self, site: TestClient) -> None:
        self.site = site

    def post(self, url: str, body: bytes, token: str | None = None) -> Posted:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        answer = self.site.post(url.removeprefix("https://branch"), content=body, headers=headers)
        return Posted(answer.status_code, "", answer.json())


class Road:
    """A counter, its server, and a reviewer at the pages of the server."""

    def __init__(self, folder: Path, counter: Record) -> None:
        self.counter, self.store = counter, folder / "branch.db"
        with opened(folder, "branch") as record:
            code = record.change(lambda connection, _: add_counter(connection, Counter("3"), NOW), NOW)
            _, token = record.change(lambda connection, _: enrol(connection, code, NOW), NOW)
        self.keys: ClipKeys = make_clip_keys(folder / "clip-key.pem")
        given = settings(
            self.store,
            key_file=folder / "branch.pem",
            receive=True,
            clock=Clock(),
            clip_key=folder / "clip-key.pem",
        )
        self.token, self.pages = token, signed_in(given)
        poster = cast("Poster", Client(browser(given)))
        self.exchange = ServerExchange(Server("https://branch", "3", token, None), poster, lambda: NOW)

    def contact(self, *, may_send: bool) -> int:
        """As `send` does it; returns how many clips were sent."""
        send_to_server(self.exchange, self.counter, {"sends_clips": may_send})
        return answer_clip_requests(self.exchange, self.counter.path, NOW, may_send=may_send)

    def ask(self, visit: str = VISIT) -> Any:
        form = {"csrf": csrf(self.pages, "/visits")}
        return self.pages.post(f"/visits/{visit}/clips", data=form)

    def page(self) -> str:
        return str(self.pages.get(f"/visits/{VISIT}").text)

    def answer(self) -> str | None:
        with open_record(self.store, create=False) as record:
            request = record.query(lambda connection: clip_request(connection, VISIT))
            return request.answer if request else None

    def post(self, **values: object) -> int:
        client = cast("Client", self.exchange.poster)
        headers = {"authorization": f"Bearer {self.token}"}
        return client.site.post("/api/v1/clips", json=values, headers=headers).status_code


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    with opened(tmp_path, "counter") as counter:
        counter.append(events(FULL), live("live-1", NOW), NOW)
        made = Road(tmp_path, counter)
        with made.pages:
            yield made


def test_a_clip_that_was_asked_for_is_played_on_the_server(road: Road) -> None:
    add_clip(road.counter.path, VISIT, road.keys.public[0], NOW)
    road.contact(may_send=True)
    assert not clips_folder(road.store).exists(), "nothing is sent before somebody asks"
    assert "Ask the counter for its clips" in road.page()
    assert road.ask().status_code == 303
    assert "has not answered yet" in road.page()
    assert "Ask the counter for its clips" not in road.page()
    assert road.contact(may_send=True) == 1
    assert road.answer() == "sent"
    page = road.page()
    assert "The counter has sent its clips." in page
    assert "&lt;time" not in page
    sound = road.pages.get(f"/visits/{VISIT}/clips/3000")
    assert seconds_of(sound.content) == pytest.approx(2.0, abs=0.1)
    assert road.contact(may_send=True) == 0, "it is sent once"
    with open_record(road.store, create=False) as record:
        access = [parse_detail(row.detail) for row in record.read(visit=VISIT) if row.kind == "access"]
    assert "clips asked for" in [each.get("what") for each in access]


def test_a_counter_whose_settings_forbid_it_refuses(road: Road) -> None:
    add_clip(road.counter.path, VISIT, road.keys.public[0], NOW)
    road.contact(may_send=False)
    assert "does not send clips; its setting" in road.page()
    road.ask()
    assert road.contact(may_send=False) == 0
    assert road.answer() == "refused"
    assert "its settings do not allow it" in road.page()
    assert not clips_folder(road.store).exists()


def test_clips_that_are_gone_are_told_and_may_be_asked_for_again(road: Road) -> None:
    road.contact(may_send=True)
    road.ask()
    add_clip(road.counter.path, VISIT, road.keys.public[0], NOW, days=-1)
    assert road.contact(may_send=True) == 0
    assert road.answer() == "gone"
    assert "no clip of this visit, or none any more" in road.page()
    road.ask()
    assert road.answer() is None


def test_the_server_takes_no_clip_that_nobody_asked_for_or_of_another_visit(road: Road) -> None:
    path = add_clip(road.counter.path, VISIT, road.keys.public[0], NOW)
    road.contact(may_send=True)
    text = base64.b64encode(path.read_bytes()).decode()
    assert road.post(visit=VISIT, clip=text) == 422
    road.ask()
    other = add_clip(road.counter.path, "live-1-2", road.keys.public[0], NOW)
    wrong = base64.b64encode(other.read_bytes()).decode()
    old = base64.b64encode(add_clip(road.counter.path, VISIT, road.keys.public[0], NOW, days=-1).read_bytes()).decode()
    for values in ({"clip": wrong}, {"clip": old}, {"clip": "§"}, {"clip": "AAAA"}, {"clip": 3}, {"answer": "yes"}, {}):
        assert road.post(visit=VISIT, **values) == 422, values
    assert kept_clips(clips_folder(road.store)) == []
    assert road.post(visit="../../x-1", clip=text) == 422
    road.token = "x"  # noqa: S105 - it is none
    assert road.post(visit=VISIT, clip=text) == 401


def test_a_visit_that_no_counter_sent_cannot_be_asked_about(road: Road) -> None:
    road.contact(may_send=True)
    assert road.ask("live-9-9").status_code == 404
    with open_record(road.store, create=False, key_file=road.store.with_suffix(".pem")) as record:
        record.append(events(FULL), live("live-2", NOW), NOW)
    form = {"csrf": csrf(road.pages, "/visits")}
    assert road.pages.post("/visits/live-2-1/clips", data=form).status_code == 404


def test_a_purge_forgets_who_asked(road: Road) -> None:
    road.contact(may_send=True)
    road.ask()
    with open_record(road.store, create=False, key_file=road.store.with_suffix(".pem")) as record:
        record.purge(NOW + DAY, NOW)
        assert record.query(lambda connection: clip_request(connection, VISIT)) is None
