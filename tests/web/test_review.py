"""Reviews on the pages: a word on a verdict, the score that follows, two at once, the queue, a killed server."""

from __future__ import annotations

import re
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from support.pages_site import csrf
from support.review_site import ReviewSite, form_of, missed
from support.serving import serving

from counter_listener.record import open_record


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ReviewSite]:
    made = ReviewSite(tmp_path)
    with made.open:
        yield made


def test_a_verdict_is_overturned_and_the_score_follows(site: ReviewSite) -> None:
    li, path = site.person("li"), f"/visits/{site.visits['ungreeted']}"
    uid = missed(site).uid
    form = form_of(li.get(path).text, uid)
    sent = {**form, "decision": "heard", "reason": "said_otherwise", "note": "他说的是早上好"}
    page = li.post(f"{path}/reviews", data=sent, headers={"hx-request": "true"})
    assert page.status_code == 200
    assert "li overturned it" in page.text
    assert "said in other words" in page.text
    assert "他说的是早上好" in page.text
    score = re.search(r'id="visit-score">(.*?)</p>', page.text, re.DOTALL)
    assert score
    assert "100.0" in score[1]
    assert "<s>" in score[1], "the score before stands beside it"
    (row,) = site.rows("ungreeted")
    assert row.score == 100


def test_what_makes_no_sense_is_told_beside_it_and_writes_nothing(site: ReviewSite) -> None:
    li, path = site.person("li"), f"/visits/{site.visits['ungreeted']}"
    form = form_of(li.get(path).text, missed(site).uid)
    for sent in (
        {"decision": "heard"},
        {"decision": "forbidden", "reason": "other"},
        {"decision": "note"},
        {"decision": ""},
    ):
        page = li.post(f"{path}/reviews", data={**form, **sent}, headers={"hx-request": "true"})
        assert page.status_code == 422, sent
        assert 'role="alert"' in page.text
    whole = {"csrf": form["csrf"], "after": form["after"], "decision": "missed", "observe": "no-such", "at": "1:x"}
    assert li.post(f"{path}/reviews", data=whole).status_code == 422
    assert site.rows("ungreeted") == []
    assert li.post("/visits/none-1/reviews", data={**form, "decision": "uphold"}).status_code == 404


def test_two_people_do_not_overwrite_each_other(site: ReviewSite) -> None:
    li, wang, path = site.person("li"), site.person("wang"), f"/visits/{site.visits['ungreeted']}"
    uid = missed(site).uid
    forms = [form_of(each.get(path).text, uid) for each in (li, wang)]
    assert li.post(f"{path}/reviews", data={**forms[0], "decision": "uphold"}).status_code == 303
    late = wang.post(f"{path}/reviews", data={**forms[1], "decision": "heard", "reason": "misheard"})
    assert late.status_code == 409
    assert "li reviewed the same in the meantime" in late.text
    assert len(site.rows("ungreeted")) == 1
    again = {**form_of(late.text, uid), "decision": "heard", "reason": "misheard"}
    assert wang.post(f"{path}/reviews", data=again).status_code == 303
    assert len(site.rows("ungreeted")) == 2


def test_what_only_eyes_see_and_what_was_missed_is_entered(site: ReviewSite) -> None:
    li, path = site.person("li"), f"/visits/{site.visits['full']}"
    page = li.get(path).text
    observed = {
        "csrf": form_of(page)["csrf"],
        "after": form_of(page)["after"],
        "observe": "see-smile",
        "decision": "heard",
    }
    assert li.post(f"{path}/reviews", data=observed).headers["location"].endswith("#people")
    known = re.search(r'<option value="(forbidden-[^"]+|[^"]+)">', page[page.index('name="observe"><option') :])
    assert known
    entered = {**observed, "decision": "missed", "observe": known[1], "at": "1:05", "note": "在最后"}
    assert li.post(f"{path}/reviews", data=entered).status_code == 303
    rows = site.rows("full")
    assert [row.phrase for row in rows] == ["see-smile", known[1]]
    assert rows[1].at == 65
    assert "so it was" in li.get(path).text


def test_who_may_only_look_sees_no_form_and_the_history(site: ReviewSite) -> None:
    li, path = site.person("li"), f"/visits/{site.visits['ungreeted']}"
    sent = {**form_of(li.get(path).text, missed(site).uid), "decision": "uphold", "note": "没说"}
    li.post(f"{path}/reviews", data=sent)
    for name in ("zhao", "qian"):
        client = site.person(name)
        page = client.get(path).text
        assert "没说" in page
        assert 'name="decision"' not in page
        assert client.post(f"{path}/reviews", data={**sent, "csrf": csrf(client, "/visits")}).status_code == 403


def test_the_queue_asks_every_fault_once_and_goes_on(site: ReviewSite) -> None:
    li = site.person("li")
    asked, page = [], li.get("/review").text
    while "Nothing is left" not in page:
        form = form_of(page)
        asked.append(form["event"])
        page = li.post("/review", data={**form, "decision": "uphold"}, headers={"hx-request": "true"}).text
        assert page.lstrip().startswith('<section id="card"')
        assert len(asked) < 30
    assert len(asked) == len(set(asked)) >= 4
    with open_record(site.store) as record:
        assert record.verify().broken is None
    assert "Nothing is left" in site.person("wang").get("/review").text


def test_what_is_skipped_comes_again_and_an_old_word_can_be_changed(site: ReviewSite) -> None:
    li = site.person("li")
    first = li.get("/review?source=all").text
    skip = re.search(r'hx-get="([^"]+)"', first)
    assert skip
    second = li.get(skip[1].replace("&amp;", "&"), headers={"hx-request": "true"}).text
    assert form_of(second)["event"] != form_of(first)["event"]
    answer = li.post("/review", data={**form_of(second), "decision": "uphold"}, headers={"hx-request": "true"}).text
    back = re.search(r'<a href="([^"]+)" data-key="b"', answer)
    assert back
    again = li.get(back[1].replace("&amp;", "&")).text
    assert form_of(again)["event"] == form_of(second)["event"]
    assert form_of(li.get("/review?source=all").text)["event"] == form_of(first)["event"]
    for nonsense in ("?item=x/y", "?item=../end", f"?item={site.visits['full']}/nope"):
        assert li.get("/review" + nonsense).status_code == 404
    assert li.get("/review?after=x/y&source=z&verdict=w").status_code == 200


@pytest.mark.slow  # beside the one of test_people_rows
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_an_acknowledged_review_outlives_a_server_that_is_killed(site: ReviewSite) -> None:
    path = f"/visits/{site.visits['ungreeted']}"
    with serving(site.store, "--key", str(site.store.parent / "key" / "key.pem")) as (process, link):
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        base = link.partition("/sign-in")[0]
        opener.open(link, timeout=60).close()
        with opener.open(base + path, timeout=60) as answer:
            form = form_of(answer.read().decode(), missed(site).uid)
        data = urllib.parse.urlencode({**form, "decision": "uphold", "note": "听过了"}).encode()
        with opener.open(base + path + "/reviews", data, timeout=60) as answer:
            assert answer.status == 200
        process.kill()
        process.wait(60)
    assert len(site.rows("ungreeted")) == 1
    with open_record(site.store) as record:
        assert record.verify().broken is None
