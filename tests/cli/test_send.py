"""Counters send their records over TLS to a real server, which is killed, restarted and put back from a backup."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from support.command import program, run
from support.record_cases import NOW, live, visit_events
from support.serving import serving

from counter_listener.record import open_record
from counter_listener.record.schema import chain_tail

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@dataclass
class Branch:
    """The server of a branch, with a certificate of its own."""

    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def store(self) -> Path:
        return self.folder / "branch.db"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[str]]:
        words = ("--receive", "--cert", str(self.folder / "cert.pem"), "--key", str(self.folder / "branch.pem"))
        with serving(self.store, *words, port=self.port) as (process, link):
            assert link.startswith("https://")
            yield process

    def code(self, name: str, *words: str) -> str:
        added = run("counters", "add", name, "--store", self.store, *words)
        assert added.exit_code == 0, added.output
        return added.stdout.strip()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "cert.pem"))
    certificate = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
    (folder / "fingerprint").write_text(certificate.fingerprint(SHA256()).hex(":"))
    return folder


@pytest.fixture
def branch(tmp_path: Path, certificates: Path) -> Branch:
    (tmp_path / "cert.pem").write_bytes((certificates / "cert.pem").read_bytes())
    return Branch(tmp_path)


def counter_record(folder: Path, name: str, visits: int = 2) -> Path:
    folder.mkdir(exist_ok=True)
    with open_record(folder / "events.db", key_file=folder / "key.pem") as record, record.transaction():
        for visit in range(1, visits + 1):
            record.append(visit_events(visit), live(f"live-{name}"), NOW)
    return folder / "events.db"


def enrol(branch: Branch, store: Path, certificates: Path, name: str = "3") -> None:
    enrolled = run(
        *("enrol", "--server", branch.url, "--store", store, "--ca", certificates / "ca.pem"),
        typed=f"{branch.code(name)}\n",
    )
    assert enrolled.exit_code == 0, enrolled.output


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


@pytest.mark.parametrize("killed", ["sender", "server"])
def test_whoever_is_killed_in_the_middle_every_row_arrives_once(
    killed: str, branch: Branch, tmp_path: Path, certificates: Path
) -> None:
    store = counter_record(tmp_path / "counter", "3", visits=1_500)
    with branch.serving():
        enrol(branch, store, certificates)
    words = [sys.executable, "-m", "counter_listener", "send", "--store", str(store)]
    chance = random.Random(7)  # noqa: S311 - when to kill
    for _ in range(2):
        with branch.serving() as server:
            with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sender:
                received(branch, least=500 + len_received(branch))
                time.sleep(chance.uniform(0, 0.3))
                (sender if killed == "sender" else server).send_signal(signal.SIGKILL)
                if killed == "server":
                    sender.terminate()
            assert sender.returncode != 0 or len_received(branch) == 4_500
    with branch.serving():
        assert program("send", "--store", store).returncode == 0
    assert uids(branch.store) == uids(store)


def len_received(branch: Branch) -> int:
    with open_record(branch.store, create=False) as record:
        return record.query(lambda connection: chain_tail(connection)[0])


def received(branch: Branch, least: int) -> None:
    """Waits until the server holds so many rows."""
    until = time.monotonic() + 100
    while len_received(branch) < min(least, 4_500) and time.monotonic() < until:
        time.sleep(0.1)


def test_twenty_counters_send_at_once(branch: Branch, tmp_path: Path, certificates: Path) -> None:
    stores = [counter_record(tmp_path / f"counter-{number}", f"{number}", 5) for number in range(20)]
    with branch.serving(), ExitStack() as stack:
        for number, store in enumerate(stores):
            with open_record(store) as record:
                rows = [*record.read()]
            assert {row.counter for row in rows} == {"3"}
            enrol(branch, store, certificates, f"computer {number}")
            stack.callback(store.unlink)
        codes: list[int] = []

        def send(store: Path) -> None:
            codes.append(program("send", "--store", store).returncode)

        threads = [threading.Thread(target=send, args=(store,)) for store in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert codes == [0] * 20


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
