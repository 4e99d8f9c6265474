"""The server as a process: it listens, says where, speaks HTTPS, ends by Ctrl-C; and what it refuses to do."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import trustme
from support.command import program, run
from support.serving import serving

from counter_listener.domain import ConfigError
from counter_listener.record import open_record
from counter_listener.web import Address, bind
from counter_listener.web.serving import check_certificate

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with open_record(tmp_path / "events.db"):
        pass
    return tmp_path / "events.db"


def fetch(link: str, context: ssl.SSLContext | None = None) -> str:
    jar = urllib.request.HTTPCookieProcessor()
    opener = urllib.request.build_opener(jar, urllib.request.HTTPSHandler(context=context))
    with opener.open(link, timeout=60) as answer:
        return str(answer.read().decode())


@needs_signals
@pytest.mark.parametrize(
    "ending",
    [pytest.param(signal.SIGTERM, id="SIGTERM"), pytest.param(signal.SIGINT, id="SIGINT", marks=pytest.mark.slow)],
)
def test_it_serves_until_it_is_told_to_stop(store: Path, ending: signal.Signals) -> None:
    with serving(store) as (process, link):
        assert link.startswith("http://127.0.0.1:")
        assert "Overview" in fetch(link)
        process.send_signal(ending)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Stopped." in said
    assert "Traceback" not in said


def test_it_speaks_https_with_a_certificate(store: Path, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "cert.pem"))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with serving(store, "--cert", str(tmp_path / "cert.pem")) as (_process, link):
        assert link.startswith("https://")
        assert "Overview" in fetch(link, context)
        with pytest.raises(OSError):  # noqa: PT011 - as the connection ends
            fetch(link.replace("https://", "http://"))


@pytest.mark.parametrize("words", [["--host", "10.1.2.3"], ["--name", "counter.bank"], ["--behind-proxy"]])
def test_others_are_let_in_with_accounts_and_https_only(store: Path, words: list[str]) -> None:
    refused = run("serve", "--store", store, "--port", "0", *words)
    assert refused.exit_code == 2
    assert len(refused.output.splitlines()) == 1
    assert "HTTPS" in refused.output or "accounts add" in refused.output


@pytest.mark.slow
def test_behind_a_proxy_an_account_signs_in_under_a_known_name(store: Path) -> None:
    words = ("accounts", "add", "wang", "--role", "supervisor", "--store", store)
    added = program(*words, input="correct horse\n")
    assert (added.returncode, added.stdout) == (0, "Added: wang  supervisor\n")
    assert run(*words, typed="correct horse\n").exit_code == 2
    with serving(store, "--behind-proxy", "--name", "counter.bank") as (_process, link):
        assert link.endswith("/"), "no link signs in by itself"
        port = link.rstrip("/").rpartition(":")[2]
        page = fetch(f"http://127.0.0.1:{port}/")
    assert 'name="password"' in page


def test_accounts_are_listed_changed_and_closed(store: Path) -> None:
    assert "no account yet" in run("accounts", "list", "--store", store).output
    for name, more in (("li", ("--role", "clerk", "--counter", "3")), ("wang", ("--role", "administrator"))):
        assert run("accounts", "add", name, *more, "--store", store, typed="correct horse\n").exit_code == 0
    assert run("accounts", "list", "--store", store).output == "li  clerk  counter 3\nwang  administrator\n"
    closed = run("accounts", "change", "li", "--close", "--store", store)
    assert closed.output == "Changed: li  clerk  counter 3  closed\n"
    for words in (
        ("change", "wang", "--close"),
        ("change", "nobody", "--role", "auditor"),
        ("add", "x", "--role", "clerk"),
    ):
        refused = run("accounts", *words, "--store", store)
        assert refused.exit_code == 2
        assert len(refused.output.splitlines()) == 1


def test_a_token_is_made_used_listed_and_revoked(store: Path) -> None:
    added = run("accounts", "add", "wang", "--role", "auditor", "--store", store, typed="correct horse\n")
    assert added.exit_code == 0
    assert "no token yet" in run("accounts", "token", "list", "--store", store).output
    made = run("accounts", "token", "add", "wang", "--title", "月报", "--store", store)
    secret = made.stdout.strip()
    assert secret.startswith("cl_")
    assert "cannot be shown again" in made.stderr
    with serving(store) as (_process, link):
        place = urllib.parse.urlsplit(link)
        asked = urllib.request.Request(
            f"http://{place.netloc}/api/v1/visits", headers={"authorization": f"Bearer {secret}"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310 - our own server
            assert json.load(answer)["total"] == 0
        assert run("accounts", "token", "list", "wang", "--store", store).output.startswith("1  wang  月报  used ")
        assert "revoked" in run("accounts", "token", "revoke", "1", "--store", store).output
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(asked, timeout=60)  # noqa: S310
    for words in (("add", "nobody"), ("revoke", "7")):
        refused = run("accounts", "token", *words, "--store", store)
        assert refused.exit_code == 2
        assert len(refused.output.splitlines()) == 1


def test_what_cannot_be_served_is_told_in_one_sentence(store: Path, tmp_path: Path) -> None:
    missing = run("serve", "--store", tmp_path / "none.db", "--port", "0")
    assert missing.exit_code == 4
    assert "does not exist" in missing.output
    assert run("serve", "--store", store, "--demo").exit_code == 2
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = run("serve", "--store", store, "--port", taken.getsockname()[1])
    assert busy.exit_code == 2
    assert "give another --port" in busy.output


@pytest.mark.parametrize("host", ["no.such.host.invalid", "300.1.1.1", "::x", "a" * 300])
def test_an_address_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        bind(Address(host, 0))


@pytest.mark.parametrize("content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nx"])
def test_a_certificate_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cert.pem").write_bytes(content)
    for path in (tmp_path / "cert.pem", tmp_path / "missing.pem", tmp_path):
        with pytest.raises(ConfigError, match="cannot be used as certificate"):
            check_certificate(Address("127.0.0.1", 0, cert=path))


@pytest.mark.parametrize(
    ("address", "is_local", "names", "url"),
    [
        (Address("127.0.0.1", 0), True, {"127.0.0.1", "localhost", "[::1]"}, "http://127.0.0.1:5/"),
        (Address("::1", 0), True, {"127.0.0.1", "localhost", "[::1]"}, "http://[::1]:5/"),
        (Address("0.0.0.0", 0, Path("c")), False, set(), "https://127.0.0.1:5/"),  # noqa: S104 - to compare
        (Address("10.0.0.7", 0), False, {"10.0.0.7"}, "http://10.0.0.7:5/"),
        (Address("0.0.0.0", 0, Path("c"), names=("Web.Bank",)), False, {"web.bank", "0.0.0.0"}, "https://Web.Bank:5/"),  # noqa: S104
        (Address("127.0.0.1", 0, behind_proxy=True), False, {"127.0.0.1", "localhost", "[::1]"}, "http://127.0.0.1:5/"),
    ],
)
def test_who_can_reach_an_address_and_under_which_names(
    address: Address,
    is_local: bool,  # noqa: FBT001 - a case
    names: set[str],
    url: str,
) -> None:
    assert address.is_local == is_local
    assert address.known_names() == names
    assert address.url(5) == url


@pytest.mark.slow  # beside test_scheduled
@needs_signals
def test_it_does_by_itself_what_its_settings_ask_for_and_logs_json(store: Path, tmp_path: Path) -> None:
    """A report whose moment was missed, made in a process beside it; a message that nobody takes; health."""
    reports = tmp_path / "reports"
    (tmp_path / "server.toml").write_text(
        f"[report]\nfolder = '{reports}'\nlanguage = 'en'\n[notify]\nurls = ['json://127.0.0.1:1/hook']\n",
        encoding="utf-8",
    )
    Path(f"{store}.server.json").write_text('{"report": {"done": "2026-01-05T07:00:00+00:00"}}', encoding="utf-8")
    with serving(store, "--settings", str(tmp_path / "server.toml"), "--log-format", "json") as (process, said):
        deadline = time.monotonic() + 120
        while not (reports.is_dir() and len(list(reports.glob("*.xlsx"))) == 1) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert len(list(reports.iterdir())) == 2, err
    assert "key=" not in said + out + err
    assert json.loads(err.splitlines()[-1])["event"] == "stopped"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[report]\n", "'report' needs a 'folder'"),
        ("[notify]\nurls = ['nonsense://secret']\n", "is none that apprise knows"),
        ("[metrics]\ntoken_file = 'none'\n", "none does not exist"),
    ],
)
def test_settings_that_cannot_be_used_stop_it_in_one_sentence(
    store: Path, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "server.toml").write_text(text, encoding="utf-8")
    shown = run("serve", "--store", store, "--port", "0", "--settings", tmp_path / "server.toml")
    assert shown.exit_code == 2
    assert said in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
    assert "secret" not in shown.stderr
