"""The API that counters send to, and the page on which they are seen, added, accepted and closed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from support.pages_site import NOW, Clock, accounts, browser, csrf, settings, sign_in, signed_in
from support.record_cases import live
from support.sending import add_visits, opened

from counter_listener.domain.types import Event
from counter_listener.record import Record, open_record, silent_counters
from counter_listener.record.receipts import receipt_from
from counter_listener.record.signing import is_signature_valid
from counter_listener.record.sync.outbox import next_batch
from counter_listener.record.sync.wire import Position, batch_json


@pytest.fixture
def site(tmp_path: Path) -> TestClient:
    with open_record(tmp_path / "branch.db"):
        pass
    return signed_in(settings(tmp_path / "branch.db", key_file=tmp_path / "branch.pem", receive=True, clock=Clock()))


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Record]:
    with opened(tmp_path, "counter") as record:
        add_visits(record, 1, 2)
        record.append([Event("gap", 1.0, detail={"seconds": 7200.0, "reason": "x"})], live("live-1", NOW), NOW)
        yield record


def new_code(site: TestClient, name: str = "3", **more: str) -> str:
    page = site.post("/counters/code", data={"csrf": csrf(site, "/counters"), "name": name, **more})
    assert page.status_code == 200
    found = re.search(r"<code>([2-9A-Z]{4}-[2-9A-Z]{4})</code>", page.text)
    assert found
    return found[1]


def enrolled(site: TestClient, name: str = "3", **more: str) -> dict[str, str]:
    """The headers with which a counter sends."""
    answer = site.post("/api/v1/enrol", json={"code": new_code(site, name, **more)})
    assert answer.status_code == 200
    assert answer.json()["counter"] == name
    return {"authorization": f"Bearer {answer.json()['token']}"}


def body(counter: Record, after: Position | None, state: dict[str, object] | None = None) -> dict[str, Any]:
    import json

    made = counter.at_once(lambda connection: next_batch(connection, after, 1_000))
    return {**json.loads(batch_json(made)), "state": state}


BEGIN = Position(0, "0" * 64)


def test_a_counter_sends_and_the_page_shows_how_it_is(site: TestClient, counter: Record) -> None:
    assert "There is no counter here yet" in site.get("/counters").text
    headers = enrolled(site, branch="West", region="North")
    state = {"version": "9.9", "model": "counter-cn", "disk_free": 1e9, "ahead": 99.0, "phrases_hash": "c0ffee1234"}
    asked = site.post("/api/v1/receive", json=body(counter, None, state), headers=headers)
    assert (asked.status_code, asked.json()["have"][0], asked.json()["receipt"]) == (200, 0, None)
    sent = site.post("/api/v1/receive", json=body(counter, BEGIN), headers=headers)
    assert (sent.status_code, sent.json()["added"]) == (200, 7)
    receipt = receipt_from(sent.json()["receipt"])
    assert (receipt.seq, is_signature_valid(receipt)) == (7, True)
    page = site.get("/counters").text
    for shown in ("West", "North", "9.9", "counter-cn", "c0ffee12", "whole", "2.0", "1.0", "+99"):
        assert shown in page, shown
    assert "silent</strong>" not in page
    site.app.state.site.settings.clock.pass_time(hours=1.5)  # type: ignore[attr-defined]
    assert "silent</strong>" in signed_in(site.app.state.site.settings).get("/counters?only=trouble").text  # type: ignore[attr-defined]


def test_a_silent_counter_is_told_of_once_it_was_quiet_for_an_hour(site: TestClient, counter: Record) -> None:
    headers = enrolled(site)
    site.post("/api/v1/receive", json=body(counter, None), headers=headers)
    with open_record(counter.path.with_name("branch.db"), create=False) as record:
        for hours, names in ((0.9, []), (1.1, ["3"])):
            found = record.query(partial(silent_counters, now=NOW + timedelta(hours=hours)))
            assert [each.counter.name for each in found] == names


def test_a_record_that_was_replaced_is_shown_and_accepted(site: TestClient, counter: Record, tmp_path: Path) -> None:
    headers = enrolled(site)
    site.post("/api/v1/receive", json=body(counter, BEGIN), headers=headers)
    with opened(tmp_path, "other") as other:
        add_visits(other, 1, stream="live-2")
        refused = site.post("/api/v1/receive", json=body(other, BEGIN), headers={**headers, "accept-language": "zh"})
        assert (refused.status_code, refused.json()["state"]) == (409, "replaced")
        assert "another record was put in the place" in site.get("/counters?only=trouble").text
        answer = site.post("/counters/accept", data={"csrf": csrf(site, "/counters"), "name": "3"})
        assert answer.status_code == 303
        assert site.post("/api/v1/receive", json=body(other, BEGIN), headers=headers).json()["added"] == 3
    assert site.post("/counters/accept", data={"csrf": csrf(site, "/counters"), "name": "3"}).status_code == 422
    assert site.post("/counters/close", data={"csrf": csrf(site, "/counters"), "name": "3"}).status_code == 303
    assert site.post("/api/v1/receive", json=body(counter, None), headers=headers).status_code == 401
    assert site.post("/counters/code", data={"csrf": csrf(site, "/counters"), "name": " "}).status_code == 422


def test_what_is_no_batch_or_comes_without_the_right_token_is_refused(
    site: TestClient, counter: Record, tmp_path: Path
) -> None:
    headers = enrolled(site)
    for content in ("{", "[]", '"x"', '{"record": 1}', '{"record": "x", "end": [0, null], "rows": [{"a": 1}]}'):
        answer = site.post("/api/v1/receive", content=content, headers={**headers, "content-type": "application/json"})
        assert (answer.status_code, set(answer.json())) == (422, {"error"})
    assert site.post("/api/v1/receive", json=body(counter, None)).status_code == 401
    kept = accounts(tmp_path, "li", role="administrator")
    _made, secret = kept.add_token("li", "x", NOW)
    with_accounts = browser(settings(tmp_path / "branch.db", receive=True, accounts=kept, tokens=kept))
    person = {"authorization": f"Bearer {secret}"}
    assert with_accounts.post("/api/v1/receive", json=body(counter, None), headers=person).status_code == 401
    for route in ("/api/v1/visits", "/api/v1/events?after=0"):
        assert with_accounts.get(route, headers=headers).status_code == 401, "a counter reads nothing"
    off = browser(settings(tmp_path / "branch.db"))
    assert off.post("/api/v1/receive", json=body(counter, None), headers=headers).status_code == 404
    assert off.post("/api/v1/enrol", json={"code": "x"}).status_code == 404


def test_codes_cannot_be_guessed(site: TestClient) -> None:
    code = new_code(site)
    answers = [site.post("/api/v1/enrol", json={"code": f"AAAA-{number:04}"}).status_code for number in range(25)]
    assert answers[:20] == [422] * 20
    assert set(answers[20:]) == {429}
    assert site.post("/api/v1/enrol", json={"code": code}).status_code == 429


def test_the_page_tells_which_counter_may_send(site: TestClient) -> None:
    def standing(name: str) -> str:
        row = re.search(rf'<th scope="row">{name}\n.*?</tr>', site.get("/counters").text, re.DOTALL)
        assert row
        return str(re.findall(r"<td>(.*?)</td>", row[0], re.DOTALL)[1])

    enrolled(site, "1")
    new_code(site, "2")
    form = {"csrf": csrf(site, "/counters"), "name": "3", "branch": "West"}
    assert site.post("/counters", data=form).status_code == 303
    assert [standing(name) for name in "123"] == ["accepted", "code not typed yet", "does not send"]
    assert site.post("/counters/close", data={**form, "name": "1"}).status_code == 303
    assert standing("1") == "closed"
    assert site.get("/counters?only=closed").text.count('<th scope="row">') == 1
    site.app.state.site.settings.clock.pass_time(hours=0.9)  # type: ignore[attr-defined]
    new_code(site, "1")
    assert standing("1") == "code not typed yet", "its computer is replaced"


def test_who_looks_after_the_system_changes_it_and_a_supervisor_sees_it(tmp_path: Path) -> None:
    with open_record(tmp_path / "branch.db"):
        pass
    kept = accounts(tmp_path, "sun", role="supervisor")
    page = browser(settings(tmp_path / "branch.db", accounts=kept))
    sign_in(page, "sun")
    shown = page.get("/counters")
    assert (shown.status_code, "Make a code" in shown.text) == (200, False)
    moved = page.get("/fleet?only=trouble")
    assert (moved.status_code, moved.headers["location"]) == (308, "/counters?only=trouble")
    assert page.post("/counters/code", data={"csrf": csrf(page, "/counters"), "name": "3"}).status_code == 403
