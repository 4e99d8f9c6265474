"""Appeals, samples and how right the machine is, on the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.pages_site import PASSWORD, csrf
from support.review_site import ReviewSite, form_of, missed


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
