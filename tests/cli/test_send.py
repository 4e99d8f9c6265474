"""Counters send their records over TLS to a real server, which is killed, restarted and put back from a backup."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from support.branch import Branch, enrol, make_certificates
from support.command import run
from support.record_cases import NOW, live, visit_events

from counter_listener.record import (
    Poster,
    ServerExchange,
    Trust,
    counter_state,
    enrol_here,
    open_record,
    send_to_server,
)
from counter_listener.record.schema import chain_tail

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def branch(tmp_path: Path, certificates: Path) -> Branch:
    (tmp_path / "cert.pem").write_bytes((certificates / "cert.pem").read_bytes())
    return Branch(tmp_path)


def counter_record(folder: Path, name: str, visits: int = 2) -> Path:
    folder.mkdir(exist_ok=True)
    origin = replace(live(f"live-{name}"), counter=name)
    with open_record(folder / "events.db", key_file=folder / "key.pem") as record, record.transaction():
        record.append([event for visit in range(1, visits + 1) for event in visit_events(visit)], origin, NOW)
    return folder / "events.db"


def uids(store: Path) -> list[str]:
    with open_record(store, create=False) as record:
        assert record.verify().broken is None
        return [row.uid for row in record.read() if row.stream.startswith("live-") and "@" not in row.stream]


def test_a_counter_is_enrolled_sends_and_proves_its_record_by_the_receipt(
    branch: Branch, tmp_path: Path, certificates: Path
) -> None:
    store = counter_record(tmp_path / "counter", "3")
    assert run("send", "--store", store).exit_code == 2
    code = branch.code("3", "--branch", "West")
    with branch.serving():
        wrong = run("enrol", "--server", branch.url, "--store", store, "--code", code)
        assert (wrong.exit_code, "not trusted" in wrong.output) == (4, True)
        words = ("enrol", "--server", branch.url, "--store", store, "--ca", certificates / "ca.pem", "--code")
        assert "Enrolled at" in run(*words, code).output
        used = run(*words, code)
        assert (used.exit_code, len(used.output.splitlines())) == (4, 1)
        assert "refuses: this code is not valid" in used.output
        kept = store.with_name("events.server.json")
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        sent = run("send", "--store", store)
        assert (sent.exit_code, sent.output) == (0, "6 rows were sent; the server holds all 6.\n")
        assert run("send", "--store", store).output == "0 rows were sent; the server holds all 6.\n"
        logged = json.loads(run("send", "--store", store, "--log-format", "json").output)
        assert (logged["event"], logged["rows"], logged["held"]) == ("sent", 0, 6)
        assert run("send", "--store", store, "--to", "https://other").exit_code == 2
        pinned = (certificates / "fingerprint").read_text()
        assert run(*words[:5], "--fingerprint", pinned, "--code", branch.code("3")).exit_code == 0
        assert run("send", "--store", store).exit_code == 0
        assert run(*words[:5], "--fingerprint", "00" * 32, "--code", branch.code("3")).exit_code == 4
        kept.write_text(json.dumps({**json.loads(kept.read_text()), "token": "cc_other"}))
        unknown = run("send", "--store", store)
        assert (unknown.exit_code, "token" in unknown.output) == (4, True)
    assert uids(branch.store) == uids(store)
    proved = run("events", "verify", "--store", store, "--against", store.with_name("events.receipt.json"))
    assert (proved.exit_code, "A server holds it up to row 6" in proved.output) == (0, True)
    printed = run("counters", "receipt", "3", "--store", branch.store, "--key", branch.folder / "branch.pem")
    (tmp_path / "receipt.json").write_text(printed.stdout)
    assert run("events", "verify", "--store", store, "--against", tmp_path / "receipt.json").exit_code == 0
    listed = run("counters", "list", "--store", branch.store).output
    assert "3  West  -  20" in listed
    assert "6 rows  record is whole" in listed
    away = run("send", "--store", store)
    assert (away.exit_code, len(away.output.splitlines())) == (4, 1)


@pytest.mark.parametrize("killed", ["sender", pytest.param("server", marks=pytest.mark.slow)])
def test_whoever_is_killed_in_the_middle_every_row_arrives_once(
    killed: str, branch: Branch, tmp_path: Path, certificates: Path
) -> None:
    store = counter_record(tmp_path / "counter", "3", visits=300)  # two batches
    with branch.serving() as server:
        enrol(branch, store, certificates)
        words = [sys.executable, "-m", "counter_listener", "send", "--store", str(store)]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sender:
            received(branch, least=500)
            (sender if killed == "sender" else server).send_signal(signal.SIGKILL)
            if killed == "server":
                sender.terminate()
    with branch.serving():
        assert run("send", "--store", store).exit_code == 0
    assert uids(branch.store) == uids(store)


def len_received(branch: Branch) -> int:
    with open_record(branch.store, create=False) as record:
        return record.query(lambda connection: chain_tail(connection)[0])


def received(branch: Branch, least: int) -> None:
    """Waits until the server holds so many rows."""
    until = time.monotonic() + 100
    while len_received(branch) < least and time.monotonic() < until:
        time.sleep(0.02)


@pytest.mark.slow
def test_twenty_counters_send_at_once(branch: Branch, tmp_path: Path, certificates: Path) -> None:
    names = [f"{number}" for number in range(20)]
    stores = {name: counter_record(tmp_path / f"counter-{name}", name, 5) for name in names}
    trust = Trust(str(certificates / "ca.pem"))
    sent: list[int] = []

    def send(name: str) -> None:
        server = enrol_here(stores[name], branch.url, codes[name], trust, "en")
        with open_record(stores[name]) as record, Poster(server.trust) as poster:
            exchange = ServerExchange(server, poster, lambda: NOW)
            sent.extend(send_to_server(exchange, record, counter_state(record, None)).added for _ in range(2))

    codes = {name: branch.code(name) for name in names}
    with branch.serving():
        threads = [threading.Thread(target=send, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(sent) == [0] * 20 + [15] * 20
    assert sorted(uids(branch.store)) == sorted(uid for store in stores.values() for uid in uids(store))


@pytest.mark.slow
def test_it_goes_on_until_it_is_told_to_stop_through_a_server_that_was_away(
    branch: Branch, tmp_path: Path, certificates: Path
) -> None:
    store = counter_record(tmp_path / "counter", "3")
    with branch.serving():
        enrol(branch, store, certificates)
    words = [sys.executable, "-m", "counter_listener", "send", "--store", str(store), "--every", "1", "--until-eof"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as sender:
        assert sender.stdin
        assert sender.stdout
        assert sender.stderr
        assert "cannot be reached" in sender.stderr.readline()
        busy = run("send", "--store", store)
        assert (busy.exit_code, "Another `send` runs" in busy.output) == (73, True)
        with branch.serving():
            assert "6 rows were sent" in sender.stdout.readline()
            with open_record(store, key_file=store.with_name("key.pem")) as record:
                record.append(visit_events(9), live("live-3"), NOW)
            assert "3 rows were sent" in sender.stdout.readline()
        sender.stdin.close()
        assert sender.wait(timeout=60) == 0
    assert uids(branch.store) == uids(store)


def test_a_stick_brings_records_to_another_one(tmp_path: Path) -> None:
    stores = [counter_record(tmp_path / name, name) for name in ("3", "4")]
    words = ("record", "merge", *stores, "--into", tmp_path / "all.db", "--key", tmp_path / "all.pem")
    assert run(*words).output == "".join(f"{store}: 6 rows were added\n" for store in stores)
    assert run(*words).output == "".join(f"{store}: 0 rows were added\n" for store in stores)
    assert uids(tmp_path / "all.db") == [uid for store in stores for uid in uids(store)]
    itself = run("record", "merge", stores[0], "--into", stores[0], "--key", tmp_path / "3" / "key.pem")
    assert (itself.exit_code, len(itself.output.splitlines())) == (2, 1)
    assert run("record", "merge", stores[0], "--into", "https://127.0.0.1:1").exit_code == 2


def test_a_record_of_an_earlier_version_is_merged_from_a_stick_that_is_only_read(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    old = stick / "3.db"
    with closing(sqlite3.connect(old)) as database:
        database.executescript((FIXTURES / "record-0001.sql").read_text(encoding="utf-8"))
    before = old.read_bytes()
    old.chmod(0o444)
    stick.chmod(0o555)
    try:
        words = ("record", "merge", old, "--into", tmp_path / "all.db", "--key", tmp_path / "all.pem")
        merged = run(*words)
        assert merged.exit_code == 0, merged.output
        assert "0 rows" not in merged.output
        assert "0 rows" in run(*words).output
    finally:
        stick.chmod(0o755)
    assert old.read_bytes() == before, "whoever wrote it still opens it"
    assert [each.name for each in stick.iterdir()] == ["3.db"]
