"""Practice: dialogues as data, what is found in an answer, progress that is one's own, nothing in the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bundled import matcher
from support.pages_site import NOW, csrf, settings, signed_in
from support.record_cases import raw
from support.review_site import ReviewSite
from support.small_counter import SMALL

from counter_listener.domain import bundled_folder
from counter_listener.record import Accounts, Practice, open_record
from counter_listener.web import practice
from counter_listener.web.dialogues import Dialogue, Turn, dialogues
from counter_listener.web.practice import judge_answer
from counter_listener.web.worker import Worker

BANK = bundled_folder("phrase_sets") / "bank-counter.toml"
DEPOSIT = dialogues("zh")[1]


@pytest.fixture
def _bank(monkeypatch: pytest.MonkeyPatch) -> None:
    """The phrase set is loaded once for all tests of a process, and in it; the browser's test uses the worker."""
    monkeypatch.setattr(practice, "loaded", lambda _file: matcher())
    monkeypatch.setattr(Worker, "run", lambda _self, function, *given: function(*given))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReviewSite]:
    made = ReviewSite(tmp_path_factory.mktemp("site"))
    with made.open:
        yield made


def test_ten_dialogues_ship_a_complaint_included() -> None:
    shipped = dialogues("zh")
    assert len(shipped) == 10
    assert len({each.title for each in shipped}) == 10
    assert any("complaint-apologise" in turn.expect for each in shipped for turn in each.turn)
    assert dialogues("xx") == ()
    assert dialogues("../zh") == ()


@pytest.mark.usefixtures("_bank")
@pytest.mark.parametrize("dialogue", dialogues("zh"), ids=lambda each: each.id)
def test_the_answer_that_a_dialogue_suggests_has_all_it_expects_and_nothing_wrong(dialogue: Dialogue) -> None:
    for turn in dialogue.turn:
        answer = judge_answer(BANK, turn, turn.say)
        assert answer.is_right, (turn.say, answer)
        assert answer.unknown == ()
        assert all(named.ways for named, _ in answer.expected)


@pytest.mark.usefixtures("_bank")
def test_what_is_missing_and_what_is_wrong_is_told_with_a_better_way() -> None:
    turn = DEPOSIT.turn[0]
    answer = judge_answer(BANK, turn, "存多少？在这里签字")
    assert [named.title for named in answer.missing] == ["问候语", "询问存款金额"] or answer.missing[
        0
    ].title == "问候语"
    assert answer.missing[0].ways[0] == "您好"
    assert [named.id for named in answer.broken] == ["request-please"]
    rude = judge_answer(BANK, turn, "您好，请问您存多少钱？下班了，明天再来")
    assert rude.missing == []
    assert [named.id for named in rude.forbidden] == ["off-duty"]
    assert not rude.is_right
    assert "请" in [named.title for named in rude.words]


def test_a_set_without_the_phrase_leaves_it_out(tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text(SMALL, encoding="utf-8")
    practice.loaded.cache_clear()
    answer = judge_answer(file, Turn(customer="你好", expect=("hello", "no-such"), say="您好"), "您好")
    assert (answer.is_right, answer.unknown) == (True, ("no-such",))


@pytest.mark.usefixtures("_bank")
def test_a_clerk_practises_and_sees_what_was_heard_and_missing(site: ReviewSite) -> None:
    zhao = site.person("zhao")
    listed = zhao.get("/practice").text
    assert "存款" in listed
    assert "处理投诉" in listed
    assert "Erase my progress" not in listed
    path = f"/practice/{DEPOSIT.id}"
    page = zhao.get(path)
    assert DEPOSIT.turn[0].customer in page.text
    assert "microphone=(self)" in page.headers["permissions-policy"]
    token = csrf(zhao, path)
    sent = {"csrf": token, "turn": "1", "text": "存多少<b>？"}
    part = zhao.post(f"{path}/answer", data=sent, headers={"hx-request": "true"})
    assert "<html" not in part.text
    assert "Not all of it yet" in part.text
    assert "问候语" in part.text
    assert "存多少&lt;b&gt;？" in part.text
    whole = zhao.post(f"{path}/answer", data={**sent, "text": DEPOSIT.turn[0].say})
    assert "<html" in whole.text
    assert "Well said" in whole.text
    assert "?turn=2" in whole.text
    assert "right: 1 of 6" in zhao.get("/practice").text
    for change in ({"text": " "}, {"text": "长" * 201}):
        assert zhao.post(f"{path}/answer", data={**sent, **change}).status_code == 422
    for wrong in (f"{path}?turn=7", f"{path}?turn=0", "/practice/none", "/practice/..%2fzh"):
        assert zhao.get(wrong).status_code == 404, wrong


@pytest.mark.usefixtures("_bank")
def test_progress_is_ones_own_and_can_be_erased_and_nothing_is_in_the_record(site: ReviewSite) -> None:
    zhao, li = site.person("zhao"), site.person("li")
    for who in (zhao, li):
        path = f"/practice/{DEPOSIT.id}"
        sent = {"csrf": csrf(who, path), "turn": "2", "text": "没听说过的话"}
        assert who.post(f"{path}/answer", data=sent).status_code == 200
    assert zhao.post("/practice/forget", data={"csrf": csrf(zhao, "/practice")}).status_code == 303
    assert "Your progress is erased." in zhao.get("/practice").text
    assert "Erase my progress" not in zhao.get("/practice").text
    assert "Erase my progress" in li.get("/practice").text
    with open_record(site.store) as record:
        seen = [json.loads(row.detail)["action"] for row in record.read() if row.kind == "access"]
    assert seen == ["signed_in", "signed_in"]
    assert site.settings.accounts
    for file in (site.store, site.settings.accounts.path):
        assert "没听说过的话".encode() not in file.read_bytes()


def test_progress_counts_tries_and_survives_an_older_file(tmp_path: Path) -> None:
    kept = Practice(tmp_path / "accounts.db")
    assert kept.of("li") == {}
    kept.forget("li")
    assert not (tmp_path / "accounts.db").exists()
    for right in (False, True):
        kept.add("li", "a", 1, right=right, now=NOW)
    kept.add("", "a", 1, right=False, now=NOW)
    assert {key: (one.tries, one.right, one.at) for key, one in kept.of("li").items()} == {("a", 1): (2, 1, NOW)}
    kept.forget("li")
    assert (kept.of("li"), len(kept.of(""))) == ({}, 1)
    raw(tmp_path / "accounts.db", "DROP TABLE practice")
    raw(tmp_path / "accounts.db", "ALTER TABLE accounts DROP COLUMN region")
    raw(tmp_path / "accounts.db", "PRAGMA user_version = 1")
    assert Accounts(tmp_path / "accounts.db").all() == []
    assert kept.of("") == {}


@pytest.mark.usefixtures("_bank")
def test_on_the_machine_itself_it_is_that_of_no_account(tmp_path: Path) -> None:
    with open_record(tmp_path / "events.db"):
        pass
    me = signed_in(settings(tmp_path / "events.db"))
    path = f"/practice/{DEPOSIT.id}"
    me.post(f"{path}/answer", data={"csrf": csrf(me, "/practice"), "turn": "1", "text": DEPOSIT.turn[0].say})
    assert list(Practice(tmp_path / "events.accounts.db").of("")) == [(DEPOSIT.id, 1)]
