"""Appeals, samples and how right the machine is, on the pages."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.pages_site import PASSWORD, Clock, csrf
from support.review_site import ReviewSite, form_of, missed

from counter_listener.domain import BOM
from counter_listener.record import MARKED, AppealRequest, assignments, open_appeal, open_record


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ReviewSite]:
    made = ReviewSite(tmp_path)
    assert made.settings.accounts
    made.settings.accounts.add("sun", "supervisor", PASSWORD, made.settings.clock())
    with made.open:
        yield made


def test_a_clerk_disputes_and_a_different_person_decides(site: ReviewSite) -> None:
    clerk, boss, path = site.person("zhao"), site.person("sun"), f"/visits/{site.visits['ungreeted']}"
    sent = {"csrf": csrf(clerk, "/visits"), "event": missed(site).uid, "note": "我说了早上好"}
    assert clerk.post(f"{path}/appeals", data={**sent, "note": " "}).status_code == 422
    assert clerk.post(f"{path}/appeals", data=sent).status_code == 303
    assert clerk.post(f"/visits/{site.visits['full']}/appeals", data=sent).status_code == 404
    assert "我说了早上好" in clerk.get("/appeals").text
    form = form_of(boss.get("/appeals").text)
    decided = {**form, "outcome": "heard", "note": "确实说了"}
    assert boss.post("/appeals/decide", data=decided).status_code == 303
    assert boss.post("/appeals/decide", data=decided).status_code == 409
    assert "确实说了" in clerk.get("/appeals?show=all").text
    assert "the verdict was overturned" in clerk.get(path).text
    assert "Of 1 verdicts" in boss.get("/machine").text


def test_what_was_marked_at_the_counter_is_listed_as_such(site: ReviewSite) -> None:
    visit, boss = site.visits["ungreeted"], site.person("sun")
    request = AppealRequest(visit, "counter 3", MARKED, missed(site).uid, at_counter=True)
    with open_record(site.store, key_file=site.store.parent / "key" / "key.pem") as record:
        open_appeal(record, request, site.settings.clock())
    assert "marked at the counter" in boss.get("/appeals").text
    assert "marked at the counter" in boss.get(f"/visits/{visit}").text
    assert "在柜台标记为判错" in boss.get("/appeals", headers={"accept-language": "zh"}).text
    form = form_of(boss.get("/appeals").text)
    assert boss.post("/appeals/decide", data={**form, "outcome": "heard"}).status_code == 303


def test_a_sample_is_drawn_assigned_and_worked_off(site: ReviewSite) -> None:
    boss = site.person("sun")
    form = {"csrf": csrf(boss, "/samples"), "name": "一月", "since": "2026-01-01", "until": "2026-01-31", "seed": "7"}
    assert boss.post("/samples", data={**form, "reviewer": "zhao"}).status_code == 422
    assert boss.post("/samples", data={**form, "since": "x", "reviewer": "li"}).status_code == 422
    assert boss.post("/samples", data={**form, "reviewer": "li", "offences": "yes"}).status_code == 303
    page = boss.get("/samples").text
    assert "一月" in page
    li = site.person("li")
    found = re.search(r"(\d+) visits? of yours", li.get("/review").text)
    assert found
    left = int(found[1])
    answer = li.get("/review").text
    for _ in range(100):
        if "Nothing is left" in answer:
            break
        fields = {**form_of(answer), "decision": "uphold"}
        answer = li.post("/review", data=fields, headers={"hx-request": "true"}).text
    assert f"li {left} / {left}" in boss.get("/samples").text


def test_who_gives_a_second_opinion_sees_nothing_of_the_first_before_hers(site: ReviewSite) -> None:
    boss, visit = site.person("sun"), site.visits["ungreeted"]
    form = {"csrf": csrf(boss, "/samples"), "name": "一月", "since": "2026-01-01", "until": "2026-01-31", "seed": "7"}
    drawn = {**form, "reviewer": ["li", "wang"], "per_week": "50", "passes": "100", "twice": "100"}
    assert boss.post("/samples", data=drawn).status_code == 303
    with open_record(site.store) as record:
        (second,) = {each.account for each in record.query(assignments) if each.visit == visit and each.blind}
    first = next(name for name in ("li", "wang") if name != second)
    path, uid = f"/visits/{visit}", missed(site).uid
    li, wang = site.person(first), site.person(second)
    sent = {"decision": "heard", "reason": "said_otherwise", "note": "他说的是早上好"}
    assert li.post(f"{path}/reviews", data={**form_of(li.get(path).text, uid), **sent}).status_code == 303
    told = ("before the review", "reviewed</em>", f"{first} overturned it", "他说的是早上好")
    assert all(text in li.get(path).text + li.get("/visits").text for text in told)
    for page in (path, "/visits", "/visits?reviewed=yes", "/review"):
        assert not [text for text in told if text in wang.get(page).text], page
    for client, after in ((li, "100.0"), (wang, "")):
        rows = csv.DictReader(io.StringIO(client.get("/visits/export.csv").text.removeprefix(BOM)))
        assert {row["score_after"] for row in rows if row["id"] == visit} == {after}
    page = wang.get(path).text
    whole = {name: form_of(page)[name] for name in ("csrf", "after")} | {"decision": "uphold"}
    assert wang.post(f"{path}/reviews", data=whole).status_code == 303
    assert all(text in wang.get(path).text + wang.get("/visits").text for text in told)


def test_how_long_a_verdict_can_be_disputed_is_a_setting(site: ReviewSite) -> None:
    path = f"/visits/{site.visits['ungreeted']}"
    sent = {"event": missed(site).uid, "note": "我说了早上好"}
    clock = site.settings.clock
    assert isinstance(clock, Clock)
    clock.pass_time(days=8)
    clerk = site.person("zhao")
    late = clerk.post(f"{path}/appeals", data={**sent, "csrf": csrf(clerk, "/visits")})
    assert late.status_code == 422
    assert "the time for an appeal ended" in late.text
    assert f"{path}/appeals" not in clerk.get(path).text
    site.settings = replace(site.settings, appeals=timedelta(days=9))
    clerk = site.person("zhao")
    assert f"{path}/appeals" in clerk.get(path).text
    assert clerk.post(f"{path}/appeals", data={**sent, "csrf": csrf(clerk, "/visits")}).status_code == 303
