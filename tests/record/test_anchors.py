"""Signed heads and anchors: the key and its file, both forms of an anchor, and how it reaches a server."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from support.http_server import Site, serving
from support.record_cases import DAY, NOW, ROOT, connection_of, live, recorded_as, visit_events

from counter_listener.domain import RecordError, SendError, UsageError
from counter_listener.record import Head, anchor_upload, fingerprint, open_record, posting, read_head
from counter_listener.record.signing import SigningKey, is_signature_valid, open_key

HEX = "0123456789abcdef"


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text(HEX, min_size=count, max_size=count)


HEADS = st.builds(
    Head,
    record=digits(32),
    seq=st.integers(1, 2**63 - 1),
    chain=digits(64),
    signed=st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='microseconds')}+00:00"),
    key=digits(64),
    signature=digits(128),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "record.db"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "here" / "key.pem"


@pytest.fixture
def head(path: Path, key_file: Path) -> Head:
    with open_record(path, key_file=key_file) as record:
        record.append(visit_events(1), live(), NOW)
        found = record.head(NOW)
    assert found is not None
    return found


@given(HEADS)
def test_an_anchor_is_read_as_it_was_written(head: Head) -> None:
    assert read_head(head.as_json(), "it") == head
    assert read_head(head.as_line(), "it") == head
    assert read_head(f"\n {head.as_line().lower()} \n", "it") == head


@settings(max_examples=50)
@given(HEADS, st.data())
def test_a_damaged_anchor_is_refused_in_one_sentence(head: Head, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([head.as_json(), head.as_line()]))
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from(["", "x", "0", ".", "\u4e00", "}"])) + text[at + 1 :]
    with suppress(RecordError):  # a changed digit makes another anchor
        assert read_head(changed, "it").seq > 0
    for nothing in ("", "{}", "[]", "null", "CL1", "CL1......", "CL2" + head.as_line()[3:], "[" * 5000):
        with pytest.raises(RecordError, match="no anchor"):
            read_head(nothing, "it")


def test_every_change_is_signed_in_its_own_transaction(path: Path, key_file: Path) -> None:
    recording, origin = recorded_as(1)
    seqs = []
    with open_record(path, key_file=key_file) as record:
        record.append(visit_events(1), live(), NOW)
        seqs.append(record.head(NOW))
        record.append([], live(), NOW)
        record.add_recording(recording, visit_events(1), origin, NOW + DAY)
        record.add_recording(recording, visit_events(1), origin, NOW + DAY)
        seqs.append(record.head(NOW))
        with record.transaction():
            for number in (2, 3):
                recording, origin = recorded_as(number, NOW + 2 * DAY)
                record.add_recording(recording, visit_events(1), origin, NOW + DAY)
        seqs.append(record.head(NOW))
        assert record.purge(NOW + DAY, NOW + DAY) == 7
        seqs.append(record.head(NOW))
        assert record.purge(NOW + DAY, NOW + DAY) == 0
        found = record.verify()
    heads = [one for one in seqs if one]
    assert [one.seq for one in heads] == [3, 7, 15, 16]
    assert all(map(is_signature_valid, heads))
    assert len({(one.record, one.key) for one in heads}) == 1
    assert (found.broken, found.head) == (None, heads[-1])


def test_a_change_that_is_undone_leaves_the_signature_of_what_was_before(path: Path, key_file: Path) -> None:
    with open_record(path, key_file=key_file) as record:
        record.append(visit_events(1), live(), NOW)
        before = record.head(NOW)
        with suppress(KeyError), record.transaction():
            record.append(visit_events(2), live(), NOW)
            raise KeyError
        assert record.head(NOW) == before
        record.append(visit_events(2), live(), NOW)
        assert record.verify().broken is None


def test_a_record_is_signed_from_when_it_has_a_key_and_never_without_it_again(
    path: Path, key_file: Path, tmp_path: Path
) -> None:
    with open_record(path) as record:
        record.append(visit_events(1), live(), NOW)
        assert record.head(NOW) is None
        assert (record.verify().broken, record.verify().head) == (None, None)
    with open_record(path, key_file=key_file) as record:
        record.append(visit_events(2), live(), NOW)
    with open_record(path) as record:
        for refused in (record.require_key, lambda: record.append(visit_events(3), live(), NOW)):
            with pytest.raises(RecordError, match="nothing can be added without it"):
                refused()
    other = tmp_path / "other.pem"
    with pytest.raises(RecordError, match="does not exist"), open_record(path, key_file=other):
        pass
    open_key(other, create=True)
    with pytest.raises(RecordError, match=r"and .*other.pem holds the key"), open_record(path, key_file=other):
        pass
    with open_record(path) as record:
        assert record.verify().rows == 6


def test_a_new_key_is_told_in_the_record_and_by_an_earlier_anchor(path: Path, head: Head, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    with open_record(path) as record:
        changed = record.change_key(other, NOW + DAY)
        assert record.change_key(other, NOW + DAY).seq == changed.seq, "the same key again"
        *_, row = record.read()
        record.append(visit_events(2), live(), NOW)
        found = record.verify(head)
    assert (row.kind, row.visit) == ("key", None)
    assert json.loads(row.detail) == {"key": fingerprint(changed.key), "replaces": fingerprint(head.key)}
    assert found.broken is not None
    assert fingerprint(head.key) in str(found.broken.wrong)
    with open_record(path, create=False) as record:
        assert record.verify().broken is None
        assert record.verify(changed).broken is None


def test_an_anchor_outlives_a_purge_and_a_backup(path: Path, key_file: Path, head: Head, tmp_path: Path) -> None:
    with open_record(path, key_file=key_file) as record:
        record.append(visit_events(1), live("live-2", NOW + 2 * DAY), NOW + 2 * DAY)
        last = record.head(NOW)
        record.append(visit_events(2), live("live-1"), NOW)
        assert record.purge(NOW + DAY, NOW) == 6
        record.backup(tmp_path / "backup.db")
    assert last is not None
    with open_record(tmp_path / "backup.db", create=False) as record:
        purged, kept = record.verify(head), record.verify(last)
        assert (purged.broken, purged.anchor_purged) == (None, True)
        assert (kept.broken, kept.anchor_purged) == (None, False)


def test_an_anchor_with_a_signature_of_something_else_is_refused(path: Path, head: Head) -> None:
    with open_record(path) as record:
        for forged in (replace(head, seq=1), replace(head, chain="0" * 64), replace(head, record="0" * 32)):
            with pytest.raises(RecordError, match="the anchor is forged or damaged"):
                record.verify(forged)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM head", "UPDATE head SET signature = 'x'", "UPDATE head SET seq = 'x'"]
)
@pytest.mark.usefixtures("head")
def test_a_damaged_signature_is_found(path: Path, statement: str) -> None:
    with open_record(path) as record:
        with connection_of(record).begin():
            connection_of(record).exec_driver_sql(statement)
        found = None
        with suppress(RecordError):
            found = record.verify()
        assert found is None or found.broken is not None


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_a_key_is_for_its_owner_alone(key_file: Path) -> None:
    key = open_key(key_file, create=True)
    assert [each.stat().st_mode & 0o777 for each in (key_file, key_file.parent, key_file.parent.parent)] == [
        *(0o600, 0o700, 0o700)
    ]
    assert [each.name for each in key_file.parent.iterdir()] == ["key.pem"]
    assert open_key(key_file, create=False).public == key.public
    assert key.public not in repr(SigningKey) + repr(key.private)


def test_programs_that_make_a_key_at_the_same_time_have_the_same_one(key_file: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from counter_listener.record.signing import open_key;"
        "sys.stdin.readline(); print(open_key(Path(sys.argv[1]), create=True).public)"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(key_file)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"go\n")
        child.stdin.flush()
    assert len({child.communicate(timeout=60)[0] for child in children}) == 1
    assert [each.name for each in key_file.parent.iterdir()] == ["key.pem"]


def pem(key: object, password: bytes | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a key",
        pem(generate_private_key(SECP256R1())),
        pem(Ed25519PrivateKey.generate(), b"secret"),
        pem(Ed25519PrivateKey.generate())[:60],
        b"\xff" * 20_000,
    ],
    ids=["empty", "text", "another kind", "with a password", "cut off", "bytes"],
)
def test_a_file_that_holds_no_key_is_refused_and_kept(key_file: Path, path: Path, content: bytes) -> None:
    key_file.parent.mkdir(parents=True)
    key_file.write_bytes(content)
    with pytest.raises(RecordError, match="holds no Ed25519 private key"), open_record(path, key_file=key_file):
        pass
    assert key_file.read_bytes() == content


def test_a_key_that_openssl_made_is_used(key_file: Path, path: Path) -> None:
    key_file.parent.mkdir(parents=True)
    key_file.write_bytes(pem(Ed25519PrivateKey.generate()))
    with open_record(path, key_file=key_file) as record:
        record.append(visit_events(1), live(), NOW)
        assert record.verify().broken is None


def test_a_key_in_a_place_that_cannot_be_written(tmp_path: Path, path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match="cannot be used"), open_record(path, key_file=tmp_path / "file" / "key.pem"):
        pass


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "TIMEOUTS", (2, 0.5))
    monkeypatch.setattr(posting, "BACKOFF", 0.01)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.usefixtures("quick")
def test_an_anchor_is_sent_as_json_and_again_where_the_server_is_busy(head: Head) -> None:
    with serving(Site(b"stored", ["status:503", "good"])) as site:
        anchor_upload.send_anchor(f"{site.url}/anchors", head)
    assert [read_head(body.decode(), "it") for body in site.posted] == [head, head]
    assert site.requests[1]["path"] == "/anchors"
    assert site.requests[1]["Content-Type"] == "application/json"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("answers", "said", "sent"),
    [
        (["status:404"], "the server answers 404", 1),
        (["status:401"], "the server answers 401", 1),
        (["status:500"], "the server answers 500", 3),
        (["hang-up"], "cannot be reached", 3),
        (["redirect"], "redirects to", 1),
    ],
)
def test_a_server_that_does_not_take_it(head: Head, answers: list[str], said: str, sent: int) -> None:
    with serving(Site(b"", answers, redirect_to="http://elsewhere.invalid/x?token=secret")) as site:
        with pytest.raises(SendError, match=said) as caught:
            anchor_upload.send_anchor(site.url.replace("http://", "http://user:secret@"), head)
        assert len(site.posted) == sent
    assert "secret" not in str(caught.value)


@pytest.mark.usefixtures("quick")
def test_only_a_server_whose_certificate_is_trusted_receives_it(
    head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(Site(b"stored"), context) as site:
        with pytest.raises(SendError, match=r"certificate of https://127.0.0.1.* is not trusted"):
            anchor_upload.send_anchor(site.url, head)
        assert site.posted == []
        authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
        anchor_upload.send_anchor(site.url, head)
        assert len(site.posted) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://server.bank/anchors", "has no encryption"),
        ("http://127.0.0.1.evil.example/", "has no encryption"),
        ("ftp://server.bank/", "not a usable URL"),
        ("server.bank", "not a usable URL"),
        ("https://", "not a usable URL"),
        ("https://[", "not a usable URL"),
        ("https://user:secret@:99999999/", "not a usable URL"),
    ],
)
def test_a_url_that_cannot_be_used(head: Head, url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        anchor_upload.send_anchor(url, head)
    assert "secret" not in str(caught.value)
