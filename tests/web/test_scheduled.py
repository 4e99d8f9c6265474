"""Reports that the server makes by itself: when, what of, where to, and what happens when that fails."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from support.command import FULL_VISIT, RUDE_VISIT, run, transcript
from support.mail_box import AUTHORITY, MailBox, receiving
from support.small_counter import SMALL_FILE

from counter_listener.domain import ConfigError, ReportError
from counter_listener.web.memory import Memory
from counter_listener.web.moments import awake_since, covered, is_quiet, last_moment, next_moment
from counter_listener.web.scheduled import ScheduledReport
from counter_listener.web.server_file import JobsTable, NotifyTable, ReportTable, ServerFile, read_server_file

PASSWORD = "a-secret-of-the-test"  # noqa: S105 - for tests


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()


@pytest.mark.parametrize(
    ("table", "last", "following", "since", "until"),
    [
        ({}, "2026-03-09T07:00", "2026-03-16T07:00", "2026-03-02", "2026-03-09"),
        ({"day": "wednesday", "at": "23:30"}, "2026-03-04T23:30", "2026-03-11T23:30", "2026-02-25", "2026-03-04"),
        ({"every": "day", "at": "18:00"}, "2026-03-10T18:00", "2026-03-11T18:00", "2026-03-09", "2026-03-10"),
        ({"every": "month"}, "2026-03-01T07:00", "2026-04-01T07:00", "2026-02-01", "2026-03-01"),
    ],
    ids=["week", "week from Wednesday", "day", "month"],
)
def test_when_a_report_is_due_and_what_it_covers(
    table: dict[str, Any], last: str, following: str, since: str, until: str
) -> None:
    report, now = ReportTable(**table), local("2026-03-11T12:00")
    assert last_moment(report, now) == local(last)
    assert next_moment(report, now) == local(following)
    assert last_moment(report, next_moment(report, now)) == local(following)
    assert covered(report, local(last)) == (local(since), local(until))


def test_when_nobody_is_to_be_disturbed() -> None:
    night = NotifyTable()
    assert [is_quiet(night, local(f"2026-03-11T{hour}:00")) for hour in ("07", "08", "19", "20")] == [
        True,
        False,
        False,
        True,
    ]
    assert awake_since(night, local("2026-03-11T09:00")) == local("2026-03-11T08:00")
    assert awake_since(night, local("2026-03-11T07:00")) == local("2026-03-10T08:00")
    weekend = NotifyTable(quiet_days=["sunday"], quiet_from="00:00", quiet_to="00:00")
    assert is_quiet(weekend, local("2026-03-08T12:00"))
    assert not is_quiet(weekend, local("2026-03-09T12:00"))
    assert awake_since(weekend, local("2026-03-10T09:00")) == local("2026-03-09T00:00")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two visits of 2 March 2026, one of them rude."""
    folder = tmp_path_factory.mktemp("record")
    for name, lines in (("good", FULL_VISIT), ("rude", RUDE_VISIT)):
        transcript(folder / f"{name}.jsonl", lines)
        given = ("--store", folder / "events.db", "--key", "none", "--phrases", SMALL_FILE, "--counter", name)
        assert run("check", folder / f"{name}.jsonl", *given, "--started", "2026-03-02 09:00").exit_code == 0
    return folder / "events.db"


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


def here(function: Any, *arguments: object, patience: float) -> Any:
    """Runs it in this process."""
    assert patience
    return function(*arguments)


def server_of(record: Path, tmp_path: Path, text: str) -> ScheduledReport:
    (tmp_path / "server.toml").write_text(text, encoding="utf-8")
    given = read_server_file(tmp_path / "server.toml")
    return ScheduledReport(str(record), given, Memory(tmp_path / "memory.json"), here)


def mail_table(box: MailBox, authority: Path, **more: object) -> str:
    table = {"host": "localhost", "port": box.port, "sender": "pages@example.com", "ca_file": str(authority), **more}
    return "[mail]\n" + "".join(f"{name} = {value!r}\n" for name, value in table.items())


def test_a_report_is_put_into_a_folder_and_a_missed_moment_is_made_up_for_once(record: Path, tmp_path: Path) -> None:
    text = f"[report]\nfolder = '{tmp_path / 'reports'}'\nlanguage = 'en'\n"
    first = server_of(record, tmp_path, text)
    first.step(local("2026-03-02T12:00"))
    assert not (tmp_path / "reports").exists()  # what was due before anybody asked for it
    state = first.state(local("2026-03-02T12:00"))
    assert state
    assert (state.next, state.failed) == (local("2026-03-09T07:00"), None)
    later = server_of(record, tmp_path, text)  # it was off for three weeks
    later.step(local("2026-03-24T10:00"))
    names = ["report-2026-03-16-2026-03-22.en.html", "report-2026-03-16-2026-03-22.en.xlsx"]
    assert sorted(file.name for file in (tmp_path / "reports").iterdir()) == names
    later.step(local("2026-03-24T10:01"))
    server_of(record, tmp_path, text).step(local("2026-03-30T06:59"))
    assert len(list((tmp_path / "reports").iterdir())) == 2
    server_of(record, tmp_path, text).step(local("2026-03-30T07:00"))
    assert len(list((tmp_path / "reports").iterdir())) == 4


@pytest.mark.parametrize(("security", "language"), [("starttls", "zh"), ("tls", "en")])
def test_a_report_is_sent_over_tls_with_both_files(
    record: Path, tmp_path: Path, authority: Path, security: str, language: str
) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    with receiving(MailBox(user="pages", password=PASSWORD, implicit=security == "tls")) as box:
        mail = mail_table(box, authority, security=security, user="pages", password_file=str(tmp_path / "password"))
        text = f"[report]\nto = ['li@example.com', 'wang@example.com']\nlanguage = '{language}'\n{mail}"
        server_of(record, tmp_path, text).step(local("2026-03-02T12:00"))
        server_of(record, tmp_path, text).step(local("2026-03-09T07:00"))
    assert [message["To"] for message in box.messages] == ["li@example.com", "wang@example.com"]
    assert box.encrypted == [True, True]
    message = box.messages[0]
    assert "2026-03-02" in message["Subject"]
    assert ("柜台" in message["Subject"]) == (language == "zh")
    page, book = (part.get_payload(decode=True) for part in message.iter_attachments())
    assert isinstance(page, bytes)
    assert isinstance(book, bytes)
    assert ('lang="zh' in page.decode()) == (language == "zh")
    assert "rude.jsonl" not in page.decode()  # no visit and no evidence, unless it is asked for
    assert openpyxl.load_workbook(io.BytesIO(book)).sheetnames


def test_only_a_link_is_sent_where_no_files_are_wanted(record: Path, tmp_path: Path, authority: Path) -> None:
    with receiving(MailBox()) as box:
        mail = mail_table(box, authority)
        text = f"address = 'https://pages.example.com/'\n[report]\nto = ['li@example.com']\nattach = false\n{mail}"
        server_of(record, tmp_path, text).step(local("2026-03-02T12:00"))
        server_of(record, tmp_path, text).step(local("2026-03-09T07:00"))
    (message,) = box.messages
    assert "https://pages.example.com/" in message.get_content()
    assert not list(message.iter_attachments())


def test_a_failure_is_told_and_tried_again_and_nobody_gets_a_report_twice(
    record: Path, tmp_path: Path, authority: Path
) -> None:
    with receiving(MailBox(refuse=["wang@example.com"])) as box:
        mail = mail_table(box, authority)
        text = f"[report]\nto = ['li@example.com', 'wang@example.com', 'zhao@example.com']\nlanguage = 'en'\n{mail}"
        server_of(record, tmp_path, text).step(local("2026-03-02T12:00"))
        now = local("2026-03-09T07:00")
        server = server_of(record, tmp_path, text)
        with pytest.raises(ReportError, match="550 unknown here"):
            server.step(now)
        state = server.state(now)
        assert state
        assert "550 unknown here" in str(state.failed)
        server.step(now + timedelta(minutes=4))  # not yet
        assert [message["To"] for message in box.messages] == ["li@example.com"]
        box.refuse.clear()
        again = server_of(record, tmp_path, text)  # the server was started anew in between
        again.step(now + timedelta(minutes=5))
        assert [message["To"] for message in box.messages] == ["li@example.com", "wang@example.com", "zhao@example.com"]
        state = again.state(now)
        assert state
        assert state.failed is None


@pytest.mark.parametrize("fault", ["password", "full", "nobody", "certificate"])
def test_what_is_wrong_with_the_mail_is_one_sentence_without_the_password(
    record: Path, tmp_path: Path, authority: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    right = "another" if fault == "password" else PASSWORD
    with receiving(MailBox(user="pages", password=right, full=fault == "full")) as box:
        faults: dict[str, dict[str, object]] = {"nobody": {"port": 1}, "certificate": {"ca_file": ""}}
        given: dict[str, object] = {"user": "pages", "password_variable": "MAIL_PASSWORD", **faults.get(fault, {})}
        mail = mail_table(box, authority, **given)
        text = f"[report]\nto = ['li@example.com']\n{mail}"
        server_of(record, tmp_path, text).step(local("2026-03-02T12:00"))
        with pytest.raises(ReportError, match="The mail server localhost does not take the message") as raised:
            server_of(record, tmp_path, text).step(local("2026-03-09T07:00"))
    assert PASSWORD not in str(raised.value)
    assert PASSWORD not in (tmp_path / "memory.json").read_text(encoding="utf-8")
    assert box.messages == []


def test_a_folder_that_cannot_be_written_is_told(record: Path, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    server = server_of(record, tmp_path, f"[report]\nfolder = '{tmp_path / 'reports'}'\n")
    server.step(local("2026-03-02T12:00"))
    with pytest.raises(ReportError, match="reports cannot be written"):
        server.step(local("2026-03-09T07:00"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[report]\n", "'report' needs a 'folder', or addresses in 'to'."),
        ("[report]\nto = ['li@example.com']\n", "needs the table [mail]"),
        ("[report]\nfolder = 'a'\nat = '25:00'\n", "'report.at' must be a time such as"),
        ("[report]\nfolder = 'a'\nevery = 'year'\n", "'report.every' must be one of"),
        ("[reports]\n", "'reports' is no setting."),
        ("address = 'ftp://x'\n", "'address' must begin with https:// or http://."),
        ("[report]\nto = ['nobody']\n[mail]\nhost='m'\nsender='a@b'\n", "'report.to' has an address that is none."),
        ("[mail]\nhost='m'\nsender='a@b'\nuser='u'\n", "'mail.user' needs"),
        ("[mail]\nhost='m'\nsender='a@b'\nuser='u'\npassword_file='f'\nsecurity='none'\n", "'mail.security' must be"),
        ("[report]\nto = ['a@b']\nattach = false\n[mail]\nhost='m'\nsender='a@b'\n", "so that 'address' is needed."),
        ("[notify]\nsilent_hours = -1.0\n", "'notify.silent_hours' is too small."),
    ],
)
def test_settings_that_cannot_be_are_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "server.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        read_server_file(tmp_path / "server.toml")
    assert said in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path / "server.toml"))


def test_no_settings_mean_that_the_server_does_nothing_by_itself(record: Path, tmp_path: Path) -> None:
    server = ScheduledReport(str(record), ServerFile(), Memory(tmp_path / "memory.json"), here)
    server.step(local("2026-03-09T07:00"))
    assert server.state(local("2026-03-09T07:00")) is None
    assert not (tmp_path / "memory.json").exists()


@pytest.mark.parametrize("page", ["docs/it.md", "docs/zh/it.md"])
def test_the_example_in_the_docs_can_be_read_and_names_every_setting(tmp_path: Path, page: str) -> None:
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    (tmp_path / "server.toml").write_text(
        next(block for block in re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL) if "[report]" in block),
        encoding="utf-8",
    )
    given = read_server_file(tmp_path / "server.toml")
    named = {*given.jobs.model_fields_set, *given.notify.model_fields_set, "urls", "language"}
    assert named == {*JobsTable.model_fields, *NotifyTable.model_fields}
    assert given.report
    assert given.report.model_fields_set == set(ReportTable.model_fields)
