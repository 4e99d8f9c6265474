"""`events verify` and `events anchor`: what they print, write and send, and what they refuse."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from support.command import FULL_VISIT, run, transcript
from support.http_server import Site, serving
from support.record_cases import raw

from counter_listener.record import Head, open_record, read_head

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "key.pem"


@pytest.fixture
def store(tmp_path: Path, key: Path) -> Path:
    """A signed record of one visit."""
    store = tmp_path / "events.db"
    check(tmp_path, store, "first", "--key", key)
    return store


def check(folder: Path, store: Path, name: str, *options: object) -> None:
    """Records one visit more; each has other words."""
    lines = [*FULL_VISIT, (30.0, 32.0, f"第{len(name)}句")]
    words = ("--store", store, "--quiet", *options)
    result = run("check", transcript(folder / f"{name}.jsonl", lines), *words)
    assert result.exit_code == 0, result.stderr


def anchor_of(store: Path, *words: object) -> Head:
    result = run("events", "anchor", "--store", store, *words)
    assert result.exit_code == 0, result.stderr
    return read_head(result.stdout, "it")


def verified(store: Path, *words: object) -> tuple[int, str]:
    """The exit code of `events verify`, and all that it printed."""
    result = run("events", "verify", "--store", store, *words)
    return result.exit_code, result.stdout + result.stderr


def test_what_was_anchored_is_found_again_after_more_visits(store: Path, key: Path, tmp_path: Path) -> None:
    file = tmp_path / "anchor.json"
    written = run("events", "anchor", "--store", store, "-o", file)
    assert (written.exit_code, "anchored in" in written.stdout) == (0, True)
    check(tmp_path, store, "second", "--key", key)
    code, text = verified(store, "--against", file)
    assert code == 0
    assert "It still holds what was anchored on" in text
    assert "rows were added since" in text
    line = read_head(file.read_text(), "it").as_line()
    assert verified(store, "--against", line)[0] == 0
    again = run("events", "anchor", "--store", store, "-o", file)
    assert (again.exit_code, "never replaced" in again.stderr) == (4, True)
    assert read_head(file.read_text(), "it").as_line() == line


def test_an_older_copy_is_found_with_the_anchor_alone(store: Path, key: Path, tmp_path: Path) -> None:
    shutil.copy(store, tmp_path / "older.db")
    check(tmp_path, store, "second", "--key", key)
    line = anchor_of(store).as_line()
    shutil.copy(tmp_path / "older.db", store)
    code, text = verified(store)
    assert code == 0
    assert "Without an anchor this cannot show that an older copy was put back" in text
    code, text = verified(store, "--against", line)
    assert code == 4
    assert "an older copy was put back" in text


def test_a_record_without_a_signature_says_so_and_is_signed_for_its_anchor(tmp_path: Path) -> None:
    store, key = tmp_path / "plain.db", tmp_path / "key.pem"
    check(tmp_path, store, "first", "--key", "none")
    code, text = verified(store)
    assert code == 0
    assert "It is not signed." in text
    refused = run("events", "anchor", "--store", store, "--key", "none")
    assert (refused.exit_code, "must be signed" in refused.stderr) == (2, True)
    assert anchor_of(store, "--key", key).seq > 5
    assert "Signed on" in verified(store)[1]
    refused = run("check", transcript(tmp_path / "more.jsonl"), "--store", store, "--key", "none", "--quiet")
    assert (refused.exit_code, "nothing can be added without it" in refused.stderr) == (4, True)


def test_the_qr_code_can_be_read(store: Path) -> None:
    result = run("events", "anchor", "--store", store, "--qr")
    *drawn, line = result.stdout.splitlines()
    dark = np.array([[cell for mark in row for cell in MODULES[mark]] for row in drawn])
    dark = dark.reshape(len(drawn), -1, 2).transpose(0, 2, 1).reshape(2 * len(drawn), -1)
    image = np.where(np.kron(dark, np.ones((4, 4))), 0, 255).astype(np.uint8)
    (code,) = zxingcpp.read_barcodes(image)
    assert code.text == line
    assert max(map(len, drawn)) <= 80
    assert verified(store, "--against", code.text)[0] == 0


MODULES = {" ": (1, 1), "\u2580": (0, 1), "\u2584": (1, 0), "\u2588": (0, 0)}
"""The upper and the lower module of each character: 1 is dark, as a terminal shows it on black."""


def test_a_changed_record_is_not_anchored(store: Path) -> None:
    raw(store, "DROP TRIGGER events_no_update", "UPDATE events SET verdict = 'unknown' WHERE phrase = 'hello'")
    result = run("events", "anchor", "--store", store)
    assert result.exit_code == 4
    assert "was changed or damaged" in result.stderr
    assert result.stdout == ""


def test_an_empty_record_has_nothing_to_anchor(tmp_path: Path) -> None:
    with open_record(tmp_path / "empty.db"):
        pass
    result = run("events", "anchor", "--store", tmp_path / "empty.db")
    assert (result.exit_code, "holds no row yet" in result.stderr) == (4, True)


def test_a_new_key_breaks_earlier_anchors_and_is_told_in_the_record(store: Path, key: Path, tmp_path: Path) -> None:
    before = anchor_of(store).as_line()
    key.unlink()
    more = transcript(tmp_path / "more.jsonl", [(0.0, 1.0, "您好")])
    lost = run("check", more, "--store", store, "--key", key, "--quiet")
    assert lost.exit_code == 4
    assert "does not exist" in lost.stderr
    new = anchor_of(store, "--key", key, "--new-key")
    code, text = verified(store, "--against", before)
    assert code == 4
    assert "it is signed with the key" in text
    assert verified(store, "--against", new.as_line())[0] == 0
    assert "new key" in run("events", "--store", store).stdout
    assert run("check", more, "--store", store, "--key", key, "--quiet").exit_code == 0


def test_a_server_receives_it(store: Path) -> None:
    with serving(Site(b"stored")) as site:
        result = run("events", "anchor", "--store", store, "--send", f"{site.url}/counters/3?token=secret")
        refused = run("events", "anchor", "--store", store, "--send", site.url.replace("127.0.0.1", "bank.example"))
    assert (result.exit_code, refused.exit_code) == (0, 2)
    assert read_head(site.posted[0].decode(), "it") == anchor_of(store)
    assert "secret" not in result.stdout
    assert "has no encryption" in refused.stderr
    gone = run("events", "anchor", "--store", store, "--send", site.url)
    assert (gone.exit_code, "cannot be reached" in gone.stderr) == (4, True)


@pytest.mark.parametrize("given", ["no such file", "CL1.X", "{}", "events.db"])
def test_what_is_no_anchor_is_refused(store: Path, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.parent)
    code, text = verified(store, "--against", given)
    assert code == 4
    assert f"{given!r} is no anchor" in text or f"{given} is no anchor" in text
    assert len(text.splitlines()) == 1


def test_verifying_an_older_record_changes_no_byte_of_it(tmp_path: Path) -> None:
    store = tmp_path / "old.db"
    with closing(sqlite3.connect(store)) as connection:
        connection.executescript((FIXTURES / "record-0001.sql").read_text("utf-8"))
    before = store.read_bytes()
    code, text = verified(store)
    assert (code, "5 rows; the chain is intact" in text) == (0, True)
    assert store.read_bytes() == before
