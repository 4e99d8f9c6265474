"""The API: what programs read and write with a token, and what they are told when something is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.pages_site import NOW, accounts, browser, csrf, program, settings, signed_in
from support.review_site import ReviewSite, missed

from counter_listener.record import SamplePlan, assignments, draw, open_record
from counter_listener.web.api.models import VisitsAsked
from counter_listener.web.refused import MOST_REFUSED
from counter_listener.web.visit_query import read_query


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ReviewSite]:
    made = ReviewSite(tmp_path)
    with made.open:
        yield made


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReviewSite]:
    """One for tests whose requests are all refused."""
    made = ReviewSite(tmp_path_factory.mktemp("unchanged"))
    with made.open:
        yield made


@pytest.fixture(scope="module")
def reviewer(unchanged: ReviewSite) -> Any:
    return unchanged.program("li")


def read(client: Any, path: str, status: int = 200) -> Any:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_document_describes_the_api_and_none_of_the_pages() -> None:
    client = browser(settings())
    document = read(client, "/openapi.json")
    assert set(document["paths"]) == {
        *("/visits", "/visits/{visit}", "/visits/{visit}/reviews", "/events", "/reviews", "/figures", "/machine"),
    }
    assert document["servers"] == [{"url": "/api/v1"}]
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["security"] == [{"HTTPBearer": []}]
            assert operation["description"]
            assert {"200", "201"} & set(operation["responses"])
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description") or name in ("HTTPValidationError", "ValidationError"), name
    assert client.get("/api/v1/docs").status_code == 404
    assert client.get("/api/v1/docs").json() == {
        "error": "There is nothing here, or the account of this token may not see it."
    }


def test_visits_are_listed_filtered_sorted_and_paged_as_on_the_page(site: ReviewSite) -> None:
    li = site.program("li")
    page = read(li, "/visits?size=3")
    assert (page["total"], page["pages"], len(page["visits"])) == (8, 3, 3)
    found = [visit["visit"] for number in (1, 2, 3) for visit in read(li, f"/visits?size=3&page={number}")["visits"]]
    assert sorted(found) == sorted(site.visits.values())
    (offended, _hostile) = sorted(read(li, "/visits?verdict=forbidden")["visits"], key=lambda each: each["counter"])
    assert offended["visit"] == site.visits["rude"]
    assert offended["faults"][0]["verdict"] == "forbidden"
    assert offended["faults"][0]["title"] == "你自己看"
    assert offended["recording"].endswith("三号柜台 #1 100%.wav")
    assert read(li, "/visits?counter=4")["total"] == 1
    assert read(li, "/visits?since=2026-01-16&until=2026-01-15")["total"] == 0
    scores = [visit["score"] for visit in read(li, "/visits?sort=score&way=up")["visits"]]
    assert scores == sorted(scores)


def test_the_filter_has_the_fields_of_the_page() -> None:
    some = {"since": "2026-01-01", "until": "2026-01-02", "counter": "3", "result": "failed", "verdict": "unknown"}
    some |= {
        "branch": "东风路",
        "region": "华南",
        "phrase": "hello",
        "outcome": "service",
        "least": "1",
        "most": "99",
        "reviewed": "no",
        "file": "a",
        "q": "b",
    }
    assert set(some) == set(VisitsAsked.model_fields) - {"sort", "way", "page", "size"}
    asked = VisitsAsked.model_validate(some).model_dump(exclude_none=True)
    assert read_query({name: str(value) for name, value in asked.items()}).filter == read_query(some).filter


@pytest.mark.parametrize(
    "path",
    [
        "/visits?page=0",
        "/visits?size=100000",
        "/visits?since=yesterday",
        "/visits?colour=blue",
        "/visits?least=nan",
        "/visits?verdict=nice",
        "/events?after=-1",
        "/events?after=99999999999999999999",
        "/figures?days=2",
        "/figures?since=0000-00-00",
        "/machine?days=x&days=y",
    ],
)
def test_a_field_that_is_not_right_is_named_in_one_sentence(reviewer: Any, path: str) -> None:
    told = read(reviewer, path, 422)
    assert set(told) == {"error"}
    assert path.partition("?")[2].partition("=")[0] in told["error"]
    chinese = reviewer.get(f"/api/v1{path}", headers={"accept-language": "zh-CN"})
    assert "字段" in chinese.json()["error"]


def test_a_visit_comes_with_its_events_and_reviews(site: ReviewSite) -> None:
    li, id_ = site.program("li"), site.visits["ungreeted"]
    visit = read(li, f"/visits/{id_}")
    assert visit["summary"]["visit"] == id_
    with open_record(site.store) as record:
        rows = [row for row in record.read(visit=id_) if row.kind != "access"]
    assert [event["seq"] for event in visit["events"]] == [row.seq for row in rows]
    assert [event["chain"] for event in visit["events"]] == [row.chain for row in rows]
    assert visit["last"] == rows[-1].seq
    greeting = next(event for event in visit["events"] if event["verdict"] == "not_heard")
    assert (greeting["phrase"], greeting["detail"]["title"]) == ("hello", "问候语")
    assert (greeting["verdict_now"], greeting["replaced"]) == ("not_heard", False)
    assert read(li, "/visits/none-1", 404)["error"]
    assert read(li, "/visits/..%2f..%2fetc%2fpasswd", 404)["error"]


def test_a_review_is_written_and_whoever_is_late_is_told_so(site: ReviewSite) -> None:
    li, wang, path = site.program("li"), site.program("wang"), f"/visits/{site.visits['ungreeted']}"
    uid, last = missed(site).uid, read(li, path)["last"]
    sent = {"action": "overturn", "event": uid, "verdict": "heard", "reason": "misheard", "after": last}
    written = li.post(f"/api/v1{path}/reviews", json={**sent, "note": "说了早上好"})
    assert written.status_code == 201
    review = written.json()
    assert (review["by"], review["was"], review["verdict"], review["note"]) == (
        "li",
        "not_heard",
        "heard",
        "说了早上好",
    )
    late = wang.post(f"/api/v1{path}/reviews", json=sent)
    assert late.status_code == 409
    assert late.json() == {"error": "li reviewed the same in the meantime; look at it again."}
    assert len(site.rows("ungreeted")) == 1
    seen = read(wang, path)
    assert seen["reviews"] == [review]
    assert seen["summary"]["score_after"] == 100
    assert next(event for event in seen["events"] if event["uid"] == uid)["verdict_now"] == "heard"
    assert read(wang, f"{path}/reviews")["reviews"] == [review]
    assert read(wang, "/reviews")["reviews"] == [review]
    again = wang.post(
        f"/api/v1{path}/reviews", json={**sent, "action": "uphold", "verdict": None, "after": seen["last"]}
    )
    assert again.status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"action": "erase"},
        {"action": "overturn"},
        {"after": None},
        {"after": -1},
        {"event": "no-such:1"},
        {"by": "somebody else"},
        {"action": "note", "note": " "},
        {"action": "note", "note": "长" * 3000},
        {"action": "observe", "event": None, "phrase": "see-smile", "verdict": "broken"},
        {"action": "observe", "event": None, "phrase": "\ud800", "verdict": "heard"},
        {"action": "observe", "event": None, "phrase": "see-smile", "verdict": "heard", "at": 1e300},
    ],
)
def test_a_review_that_makes_no_sense_writes_nothing(
    unchanged: ReviewSite, reviewer: Any, change: dict[str, Any]
) -> None:
    site, li, path = unchanged, reviewer, f"/visits/{unchanged.visits['ungreeted']}"
    sent = {"action": "uphold", "event": missed(site).uid, "after": 10**6, **change}
    answer = li.post(f"/api/v1{path}/reviews", content=json.dumps(sent), headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert set(answer.json()) == {"error"}
    assert site.rows("ungreeted") == []
    assert li.post(f"/api/v1{path}/reviews", content=b"\xff{").status_code == 422


def test_all_events_are_read_part_by_part(site: ReviewSite) -> None:
    qian = site.program("qian")
    parts: list[list[dict[str, Any]]] = []
    after, more = 0, True
    while more:
        part = read(qian, f"/events?size=7&after={after}")
        parts, after, more = [*parts, part["events"]], part["last"], part["more"]
    with open_record(site.store) as record:
        rows = [row.seq for row in record.read() if row.kind != "access"]
    assert [event["seq"] for part in parts for event in part] == rows
    assert all(len(part) == 7 for part in parts[:-1])
    assert read(qian, f"/events?after={after}") == {"events": [], "last": after, "more": False}


def test_the_token_of_a_clerk_sees_its_own_counter_alone(site: ReviewSite) -> None:
    zhao, li = site.program("zhao"), site.program("li")
    for visit in (site.visits["ungreeted"], site.visits["full"]):
        read_last = read(li, f"/visits/{visit}")["last"]
        assert (
            li.post(f"/api/v1/visits/{visit}/reviews", json={"action": "uphold", "after": read_last}).status_code == 201
        )
    for query, counters in (("?", ["4"]), ("?counter=3", [])):
        visits = [site.visits["ungreeted"]] if counters else []
        assert [each["visit"] for each in read(zhao, f"/visits{query}")["visits"]] == visits
        assert {each["counter"] for each in read(zhao, f"/events{query}")["events"]} == {*counters}
        assert [each["visit"] for each in read(zhao, f"/reviews{query}")["reviews"]] == visits
        assert [each["counter"] for each in read(zhao, f"/figures{query}&days=all")["by_counter"]] == counters
    for path in ("", "/reviews"):
        assert read(zhao, f"/visits/{site.visits['full']}{path}", 404)["error"]


def test_figures_are_those_of_the_overview(site: ReviewSite) -> None:
    li = site.program("li")
    figures = read(li, "/figures?days=all")
    assert figures["totals"]["visits"] == 8
    assert figures["totals"]["pass_share"]["n"] == 8
    assert sum(each["visits"] for each in figures["by_counter"]) == 8
    assert sum(each["visits"] for each in figures["by_day"]) == 7, "the start of one is not known"
    assert {"verdict": "not_heard", "phrase": "hello", "title": "问候语", "visits": 2} in figures["faults"]
    assert figures["before"] is None
    assert read(li, "/figures?since=0679-07-25")["before"] is None, "the time before it begins before the year 1"
    last = read(li, f"/visits/{site.visits['ungreeted']}")["last"]
    sent = {"action": "overturn", "event": missed(site).uid, "verdict": "heard", "reason": "misheard", "after": last}
    li.post(f"/api/v1/visits/{site.visits['ungreeted']}/reviews", json=sent)
    machine = read(li, "/machine")
    assert (machine["reviewed"], machine["changed"]) == (1, 1)
    (hello,) = (each for each in machine["phrases"] if each["phrase"] == "hello")
    assert (hello["verdict"], hello["upheld"]["value"], hello["upheld"]["n"]) == ("not_heard", 0, 1)


def test_who_read_what_is_in_the_record(site: ReviewSite) -> None:
    li = site.program("li")
    for path in ("/visits?counter=4&page=1", "/visits?counter=4&page=2", "/events", "/events?after=9", "/figures"):
        read(li, path)
    read(li, f"/visits/{site.visits['rude']}")
    with open_record(site.store) as record:
        noted = [row.detail for row in record.read() if row.kind == "access"]
    assert len(noted) == 4
    assert '"action": "exported", "by": "li", "what": "/api/v1/visits?counter=4"' in noted[0]
    assert '"action": "seen", "by": "li"' in noted[3]


def test_a_revoked_token_is_refused_at_once(site: ReviewSite) -> None:
    li = site.program("li")
    assert site.settings.tokens
    read(li, "/visits")
    (token,) = site.settings.tokens.tokens("li")
    site.settings.tokens.end_token(token.id, NOW)
    assert "needs a token" in read(li, "/visits", 401)["error"]


def test_who_tries_tokens_is_told_to_wait_and_a_right_one_still_works(tmp_path: Path) -> None:
    given = settings(tokens=accounts(tmp_path, "li"))
    guesser, li = browser(given), program(given, "li")
    guesser.headers["authorization"] = "Bearer cl_guess"
    for _ in range(MOST_REFUSED):
        read(guesser, "/visits", 401)
    refused = guesser.get("/api/v1/visits")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "900")
    guesser.headers["authorization"] = li.headers["authorization"]
    read(guesser, "/visits")
    given.clock.pass_time(minutes=16)  # type: ignore[attr-defined]
    guesser.headers["authorization"] = "Bearer cl_guess"
    read(guesser, "/visits", 401)


def test_second_opinions_are_given_without_sight_of_the_first(site: ReviewSite) -> None:
    plan = SamplePlan(
        "一月", 7, NOW - timedelta(days=30), NOW + timedelta(days=1), ("li", "wang"), "sun", offences=True, twice=1.0
    )
    with open_record(site.store, key_file=site.settings.key_file) as record:
        draw(record, plan, NOW)
        drawn = {name: record.query(partial(assignments, account=name)) for name in ("li", "wang")}
    second, visit = next((name, each.visit) for name, mine in drawn.items() for each in mine if each.blind)
    first, path = "wang" if second == "li" else "li", f"/visits/{visit}"
    one, two = site.program(first), site.program(second)
    sent = {"action": "uphold", "after": read(one, path)["last"]}
    assert one.post(f"/api/v1{path}/reviews", json=sent).status_code == 201
    for hidden in (read(two, path), read(two, f"{path}/reviews"), read(two, "/reviews")):
        assert hidden["reviews"] == []
    assert read(two, path)["summary"]["reviewed"] is False
    listed = {each["visit"]: each["reviewed"] for each in read(two, "/visits")["visits"]}
    assert not listed[visit]
    assert two.post(f"/api/v1{path}/reviews", json=sent).status_code == 201
    assert [each["by"] for each in read(two, "/reviews")["reviews"]] == [first, second]


def test_tokens_are_made_and_revoked_on_the_system_page(tmp_path: Path) -> None:
    kept = accounts(tmp_path, "li")
    given = settings(tokens=kept)
    boss = signed_in(given)
    token = csrf(boss, "/system")
    refused = boss.post("/system/tokens", data={"csrf": token, "account": "nobody"})
    assert refused.status_code == 422
    assert "there is no account nobody" in refused.text
    made = boss.post("/system/tokens", data={"csrf": token, "account": "li", "title": "<b>月报"})
    found = re.search(r"<code>(cl_[\w-]+)</code>", made.text)
    assert found
    assert "&lt;b&gt;月报" in made.text
    assert found[1] not in boss.get("/system").text
    client = browser(given)
    client.headers["authorization"] = f"Bearer {found[1]}"
    read(client, "/visits")
    (one,) = kept.tokens()
    assert boss.post("/system/tokens/revoke", data={"csrf": token, "number": one.id}).status_code == 303
    assert "The token is revoked." in boss.get("/system").text
    read(client, "/visits", 401)
    assert boss.post("/system/tokens/revoke", data={"csrf": token, "number": 99}).status_code == 422
    assert "tokens" not in signed_in(settings()).get("/system").text, "a demo has none"
