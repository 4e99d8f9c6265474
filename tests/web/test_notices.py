"""Messages for people: what is told, when, to whom, and that no word of a visit is ever in one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.command import FULL_VISIT, RUDE_VISIT, run, transcript
from support.http_server import Site, serving
from support.pages_site import Clock, csrf, settings, signed_in
from support.record_cases import NOW
from support.sending import enrolled
from support.small_counter import SMALL_FILE

from counter_listener.domain import ConfigError
from counter_listener.record import open_record
from counter_listener.web.memory import Memory
from counter_listener.web.notices import Notices
from counter_listener.web.sending import check_addresses, check_server_file
from counter_listener.web.server_file import NotifyTable, ServerFile

ROOM, LITTLE = 100.0, 1.5
"""Gigabytes that are free."""
URL = "json://127.0.0.1:9/secret-of-the-hook"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()


class Outbox:
    """Takes messages, unless it is told not to."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.broken: set[str] = set()

    def __call__(self, messages: Any, title: str) -> list[str]:
        assert title
        self.taken += [(url, text) for url, text in messages.items() if url not in self.broken]
        return [url for url in messages if url in self.broken]

    def texts(self) -> list[str]:
        return [text for _, text in self.taken]


class Branch:
    """A record to which visits are added, and a server that looks at it."""

    def __init__(self, folder: Path, **notify: Any) -> None:
        self.folder, self.number, self.outbox = folder, 0, Outbox()
        self.given = ServerFile(
            address="https://pages.example.com/", notify=NotifyTable(**{"urls": [URL], "language": "en", **notify})
        )
        with open_record(folder / "events.db"):
            pass

    def visit(self, counter: str, at: str, lines: Any = RUDE_VISIT) -> None:
        """A visit whose words nobody else has said."""
        self.number += 1
        file = transcript(self.folder / f"{self.number}.jsonl", [*lines, (30.0, 31.0, f"第{self.number}个")])
        given = ("--store", self.folder / "events.db", "--key", "none", "--phrases", SMALL_FILE, "--counter", counter)
        assert run("check", file, *given, "--started", at.replace("T", " "), "--quiet").exit_code == 0

    def look(self, at: str, free: float = ROOM) -> list[str]:
        """The messages that are sent at a look of the server, which was started anew just before."""
        before = len(self.outbox.taken)
        notices = Notices(self.given, Memory(self.folder / "memory.json"), self.outbox)
        with open_record(self.folder / "events.db", create=False) as record:
            notices.step(record, free, local(at))
        return self.outbox.texts()[before:]

    def state(self) -> Any:
        return Notices(self.given, Memory(self.folder / "memory.json"), self.outbox).state()


def test_a_bad_hour_gives_one_message_and_what_was_before_gives_none(tmp_path: Path) -> None:
    branch = Branch(tmp_path, silent_hours=0.0)
    branch.visit("3", "2026-03-10T08:30")
    assert branch.look("2026-03-10T09:00") == []
    branch.visit("3", "2026-03-10T09:05")
    (first,) = branch.look("2026-03-10T09:10")
    assert first == "Offences: counter 3: 1\nPages: https://pages.example.com/"
    for counter in ("3", "3", "5"):
        branch.visit(counter, "2026-03-10T09:20")
        assert branch.look("2026-03-10T09:30") == []
    assert branch.state().waiting
    (second,) = branch.look("2026-03-10T10:10")
    assert second.startswith("Offences: counter 3: 2; counter 5: 1\n")
    assert branch.look("2026-03-10T12:00") == []


def test_in_quiet_time_everything_waits(tmp_path: Path) -> None:
    branch = Branch(tmp_path, silent_hours=0.0, quiet_days=["sunday"])
    branch.look("2026-03-06T19:00")
    branch.visit("3", "2026-03-06T20:30")
    assert branch.look("2026-03-06T21:00") == []
    assert branch.look("2026-03-08T12:00") == []
    assert len(branch.look("2026-03-09T08:00")) == 1


def test_a_silent_counter_is_told_of_once_and_the_night_does_not_count(tmp_path: Path) -> None:
    branch = Branch(tmp_path, offences=False, silent_hours=2.0)
    branch.visit("3", "2026-03-10T09:00", FULL_VISIT)
    branch.visit("5", "2026-03-10T11:30", FULL_VISIT)
    assert branch.look("2026-03-10T10:59") == []
    (text,) = branch.look("2026-03-10T11:40")
    assert text.startswith("No sign for 2 hours or longer: counter 3\n")
    (text,) = branch.look("2026-03-10T14:00")
    assert text.startswith("No sign for 2 hours or longer: counter 5\n")
    assert branch.look("2026-03-10T19:00") == []
    assert branch.look("2026-03-11T09:00") == []  # an hour of the new day
    (text,) = branch.look("2026-03-11T10:00")
    assert "counter 3; counter 5" in text
    assert branch.look("2026-04-10T12:00") == []  # closed


def test_a_counter_that_sends_its_record_here_is_silent_when_nothing_comes_from_it(tmp_path: Path) -> None:
    """Visits are not needed: whoever listens tells the server so."""
    branch = Branch(tmp_path, offences=False, silent_hours=1.0, quiet_from="00:00", quiet_to="00:00")
    with open_record(tmp_path / "events.db") as record:
        enrolled(record, "8")
    assert branch.look((NOW + timedelta(minutes=50)).isoformat()) == []
    (text,) = branch.look((NOW + timedelta(minutes=61)).isoformat())
    assert text.startswith("No sign for 1 hours or longer: counter 8\n")


def test_a_full_disk_is_told_of_once(tmp_path: Path) -> None:
    branch = Branch(tmp_path, offences=False, silent_hours=0.0, every_minutes=1)
    (text,) = branch.look("2026-03-10T09:00", LITTLE)
    assert text.startswith("Little room on the disk of the record: 1.5 GB are free")
    assert branch.look("2026-03-10T10:00", LITTLE) == []
    assert branch.look("2026-03-10T11:00", ROOM) == []
    assert len(branch.look("2026-03-10T12:00", LITTLE)) == 1


def test_what_one_address_does_not_take_is_tried_again_there_alone(tmp_path: Path) -> None:
    other = "json://127.0.0.1:9/another"
    branch = Branch(tmp_path, urls=[URL, other], silent_hours=0.0)
    branch.look("2026-03-10T08:00")
    branch.visit("3", "2026-03-10T09:00")
    branch.outbox.broken = {other}
    branch.look("2026-03-10T09:10")
    assert [url for url, _ in branch.outbox.taken] == [URL]
    assert branch.state().failed == ["json"]
    assert branch.look("2026-03-10T09:12") == []
    branch.outbox.broken = set()
    branch.look("2026-03-10T09:15")
    assert [url for url, _ in branch.outbox.taken] == [URL, other]
    assert branch.state().failed == []
    assert "secret-of-the-hook" not in (tmp_path / "memory.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", ["offences", "silent", "disk", "test"])
def test_no_word_of_a_visit_is_in_a_message(tmp_path: Path, kind: str, language: str) -> None:
    """Neither what was said, nor the title or id of a phrase, nor the name of a recording."""
    branch = Branch(
        tmp_path, language=language, offences=kind == "offences", silent_hours=1.0 if kind == "silent" else 0.0
    )
    branch.look("2026-03-10T08:00")
    branch.visit("A7", "2026-03-10T09:00")
    if kind == "test":
        assert Notices(branch.given, Memory(tmp_path / "memory.json"), branch.outbox).test() == []
        text = branch.outbox.texts()[0]
    else:
        (text,) = branch.look("2026-03-10T12:00", LITTLE if kind == "disk" else ROOM)
    assert ("A7" in text) == (kind in ("offences", "silent"))
    with open_record(tmp_path / "events.db", create=False) as record:
        rows = list(record.read())
    words = {str(row.heard) for row in rows if row.heard} | {str(row.phrase) for row in rows if row.phrase}
    words |= {str(json.loads(row.detail).get("title")) for row in rows if row.detail}
    words |= {said for _, _, said in RUDE_VISIT} | {"jsonl", str(tmp_path)}
    assert len(words) > 5
    shown = text.replace("https://pages.example.com/", "")
    assert not [word for word in words - {"None", ""} if word in shown]


def test_a_real_server_gets_what_is_said_and_no_more(tmp_path: Path) -> None:
    with serving(Site(b"{}")) as site:
        host = site.url.removeprefix("http://").partition("/")[0]
        branch = Branch(tmp_path, urls=[f"json://{host}/hook"], silent_hours=0.0)
        check_server_file(branch.given)
        notices = Notices(branch.given, Memory(tmp_path / "memory.json"))
        with open_record(tmp_path / "events.db", create=False) as record:
            notices.step(record, ROOM, local("2026-03-10T08:00"))
        branch.visit("3", "2026-03-10T09:00")
        with open_record(tmp_path / "events.db", create=False) as record:
            notices.step(record, ROOM, local("2026-03-10T09:10"))
        (posted,) = site.posted
    sent = json.loads(posted)
    assert sent["message"] == "Offences: counter 3: 1\nPages: https://pages.example.com/"
    assert sent["title"] == "Counter Listener"
    assert not sent.get("attachments")


def test_an_address_that_is_none_is_told_without_its_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="address 2 of the messages") as raised:
        check_addresses([URL, "nonsense://secret"])
    assert "secret" not in str(raised.value)
    (tmp_path / "urls").write_text(f"# who is told\n{URL}\n", encoding="utf-8")
    check_server_file(ServerFile(notify=NotifyTable(urls_file=str(tmp_path / "urls"))))
    for url in ("wecombot://0123456789abcdef0123456789abcdef", "dingtalk://abcdef0123456789", URL):
        check_addresses([url])


def test_without_an_address_nothing_is_looked_at(tmp_path: Path) -> None:
    branch = Branch(tmp_path, urls=[])
    assert branch.look("2026-03-10T09:00", LITTLE) == []
    assert not (tmp_path / "memory.json").exists()
    assert branch.state() is None


def test_the_system_page_shows_who_is_told_and_sends_a_test() -> None:
    with serving(Site(b"{}", ["good", "status:500"])) as site:
        host = site.url.removeprefix("http://").partition("/")[0]
        given = ServerFile(notify=NotifyTable(urls=[f"json://{host}/hook"], language="en"))
        client = signed_in(settings(server=given, clock=Clock()))
        page = client.get("/system").text
        assert "Send a test message" in page
        assert host not in page
        for said in (
            "The message was taken by every address.",
            "The message was not taken by 1 of the addresses: json",
        ):
            answer = client.post("/system/notify", data={"csrf": csrf(client, "/system")}, follow_redirects=True)
            assert said in answer.text
    assert json.loads(site.posted[0])["message"].startswith("This is a test.")
    other = signed_in(settings())
    assert other.post("/system/notify", data={"csrf": csrf(other, "/system")}).status_code == 404


def test_the_command_tries_the_addresses(tmp_path: Path) -> None:
    with serving(Site(b"{}", ["good", "status:500"])) as site:
        host = site.url.removeprefix("http://").partition("/")[0]
        (tmp_path / "server.toml").write_text(f"[notify]\nurls = ['json://{host}/hook']\n", encoding="utf-8")
        words = ("notify", "--settings", tmp_path / "server.toml")
        assert run(*words).exit_code == 0
        assert site.posted == []
        assert run(*words, "--test").exit_code == 0
        failed = run(*words, "--test")
        assert failed.exit_code == 4
        assert host not in failed.output
    (tmp_path / "server.toml").write_text("[notify]\n", encoding="utf-8")
    shown = run(*words)
    assert shown.exit_code == 2
    assert "names no address" in shown.stderr
