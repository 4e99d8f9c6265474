"""Downloads, from a real server that cuts the line, lies, stalls and serves the wrong file."""

from __future__ import annotations

import hashlib
import random
import ssl
from pathlib import Path

import pytest
import trustme
from support.http_server import Site, partial_download, serving

from counter_listener.asr import TransferProgress, model_download
from counter_listener.asr.model_download import FIRST_RETRIES, Download
from counter_listener.domain import ModelError, UsageError, url_without_secrets

CONTENT = random.Random(7).randbytes(300_000)  # noqa: S311 - no secret
OTHER = random.Random(8).randbytes(300_000)  # noqa: S311 - no secret
RETRIES = 3
FILE = "model.zip"


@pytest.fixture(autouse=True)
def quick_and_without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {"TIMEOUTS": (2, 0.4), "RETRIES": RETRIES, "BACKOFF": 0.02, "PROGRESS_BYTES": 40_000}
    for name, value in quick.items():
        monkeypatch.setattr(model_download, name, value)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def download(
    site: Site,
    folder: Path,
    *,
    verified: bool = True,
    proxy: str | None = None,
    progress: TransferProgress = lambda *_: None,
) -> Path:
    sha256 = hashlib.sha256(CONTENT).hexdigest() if verified else None
    url = f"{site.url}/{FILE}"
    return Download(url, folder, FILE, len(CONTENT), verified, sha256, progress, proxy).fetch()


def fetched(site: Site, folder: Path, *, verified: bool = True, proxy: str | None = None) -> bytes:
    """The content of a complete download, whose progress ends at its size."""
    calls: list[tuple[int, int | None]] = []
    file = download(site, folder, verified=verified, proxy=proxy, progress=lambda *call: calls.append(call))
    assert [entry.name for entry in folder.iterdir()] == [FILE], "a part was left behind"
    assert not calls or calls[-1][0] == file.stat().st_size
    return file.read_bytes()


def refusal(site: Site, folder: Path, *, verified: bool = True, proxy: str | None = None) -> str:
    """The message of a failed download, which names the other ways."""
    with pytest.raises(ModelError) as refused:
        download(site, folder, verified=verified, proxy=proxy)
    message = str(refused.value)
    assert "\n" not in message
    assert not (folder / FILE).exists()
    for way in ("another machine", "copy the folder", "--mirror URL"):
        assert way in message
    return message


@pytest.mark.parametrize(
    ("answers", "ranges"),
    [
        (["good"], [None]),
        (["cut:65536", "good"], [None, "bytes=65536-"]),
        (["cut:65536"] * 4 + ["good"], [None, *(f"bytes={n * 65536}-" for n in (1, 2, 3, 4))]),
        (["stall:16384", "good"], [None, "bytes=16384-"]),
        (["short:16384", "good"], [None, "bytes=16384-"]),
        (["long:1000"], [None]),
        (["cut:1", "good"], [None, "bytes=1-"]),
        (["cut:16384", "ignore-range"], [None, "bytes=16384-"]),
        (["cut:16384", "wrong-range", "good"], [None, "bytes=16384-", None]),
        (["cut:16384", "no-such-range", "good"], [None, "bytes=16384-", None]),
        (["status:503", "status:429", "good"], [None, None, None]),
        (["hang-up", "good"], [None, None]),
    ],
)
def test_a_file_arrives_complete_over_a_bad_connection(
    answers: list[str], ranges: list[str | None], tmp_path: Path
) -> None:
    with serving(Site(CONTENT, answers)) as site:
        assert fetched(site, tmp_path) == CONTENT
        assert site.ranges() == ranges


def test_received_bytes_are_kept_and_the_next_run_continues(tmp_path: Path) -> None:
    with serving(Site(CONTENT, ["cut:16384", "status:503"])) as site:
        message = refusal(site, tmp_path)
        assert "503" in message
        assert partial_download(tmp_path) == CONTENT[:16384]
        site.answers.append("good")
        assert fetched(site, tmp_path) == CONTENT
        assert site.ranges()[-1] == "bytes=16384-"


def test_a_connection_that_brings_hardly_anything_is_given_up(tmp_path: Path) -> None:
    with serving(Site(CONTENT, ["cut:7"])) as site:
        message = refusal(site, tmp_path)
        assert "broke repeatedly; the 28 bytes received are kept" in message
        assert len(site.requests) == 1 + RETRIES


def test_a_server_that_ignores_ranges_and_cuts_is_given_up(tmp_path: Path) -> None:
    with serving(Site(CONTENT, ["cut-ignore-range:196608"])) as site:
        assert "broke repeatedly" in refusal(site, tmp_path)
        assert len(site.requests) <= 2 + 2 * RETRIES


@pytest.mark.parametrize("answers", [["good"], ["cut:16384", "good"]])
def test_a_wrong_file_is_refused_and_deleted(answers: list[str], tmp_path: Path) -> None:
    with serving(Site(OTHER, answers)) as site:
        assert "another file than model.zip (its SHA-256 differs" in refusal(site, tmp_path)
        assert list(tmp_path.iterdir()) == []
        assert len(site.requests) <= 3


def test_a_part_of_another_file_is_deleted_and_downloaded_again(tmp_path: Path) -> None:
    (tmp_path / f"{FILE}.part").write_bytes(OTHER[:5000])
    with serving(Site(CONTENT)) as site:
        assert fetched(site, tmp_path) == CONTENT
        assert site.ranges() == ["bytes=5000-", None]


def test_a_part_of_the_right_length_is_accepted_only_with_the_right_checksum(tmp_path: Path) -> None:
    part = tmp_path / f"{FILE}.part"
    with serving(Site(CONTENT)) as site:
        part.write_bytes(CONTENT)
        assert fetched(site, tmp_path) == CONTENT
        assert site.requests == []
        (tmp_path / FILE).unlink()
        part.write_bytes(OTHER)
        assert fetched(site, tmp_path) == CONTENT


def test_without_a_checksum_only_the_same_file_is_continued(tmp_path: Path) -> None:
    with serving(Site(CONTENT, ["cut:16384", "status:404"])) as site:
        assert "404" in refusal(site, tmp_path, verified=False)
        site.content, site.tag, site.answers = OTHER, '"two"', ["good"]
        assert fetched(site, tmp_path, verified=False) == OTHER
        assert site.requests[-1]["If-Range"] == '"one"'


def test_without_a_validator_an_unverified_file_begins_again(tmp_path: Path) -> None:
    (tmp_path / f"{FILE}.part").write_bytes(OTHER[:5000])
    with serving(Site(CONTENT, tag="W/weak")) as site:
        assert fetched(site, tmp_path, verified=False) == CONTENT
        assert site.ranges() == [None]


def test_an_intact_archive_is_not_downloaded_again(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(CONTENT)
    with serving(Site(OTHER)) as site:
        assert fetched(site, tmp_path) == CONTENT
        assert download(site, tmp_path, verified=False).read_bytes() == OTHER


@pytest.mark.parametrize("verified", [True, False])
def test_a_file_without_end_does_not_fill_the_disk(verified: bool, tmp_path: Path) -> None:  # noqa: FBT001
    with serving(Site(CONTENT, ["endless"])) as site:
        assert "larger than 300,000 bytes" in refusal(site, tmp_path, verified=verified)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "message", "requests"),
    [
        ("web-page", "returns a web page instead of a file", 1),
        ("redirect", "redirects too many times", 6),
        ("status:404", "the server answers 404 Not Found", 1),
        ("status:403", "the server answers 403 Forbidden", 1),
        ("status:500", "the server answers 500", 1 + RETRIES),
        ("hang-up", "cannot be reached", 1 + FIRST_RETRIES),
        ("no-such-range", "answers, but sends nothing usable", 1 + RETRIES),
    ],
)
def test_a_failed_download_is_reported_in_one_sentence(
    answer: str, message: str, requests: int, tmp_path: Path
) -> None:
    with serving(Site(CONTENT, [answer])) as site:
        assert message in refusal(site, tmp_path)
        assert len(site.requests) == requests


def test_a_redirect_is_followed(tmp_path: Path) -> None:
    with serving(Site(CONTENT)) as target, serving(Site(b"", ["redirect"], redirect_to=f"{target.url}/x.zip")) as site:
        assert fetched(site, tmp_path) == CONTENT


def test_without_a_network_the_message_names_the_other_ways(tmp_path: Path) -> None:
    with serving(Site(CONTENT)) as site:
        pass  # now nothing listens there
    assert f"{site.url}/{FILE} cannot be reached; there is no network here" in refusal(site, tmp_path)
    site.url = "http://no-such-host.invalid"
    assert "cannot be reached" in refusal(site, tmp_path)


def test_a_proxy_is_used_and_its_password_never_shown(tmp_path: Path) -> None:
    with serving(Site(CONTENT)) as proxy:
        asked = Site(b"", url="http://models.invalid")
        through = proxy.url.replace("http://", "http://user:secret@")
        assert fetched(asked, tmp_path, proxy=through) == CONTENT
        assert proxy.requests[0]["path"] == "http://models.invalid/model.zip"
        assert "Proxy-Authorization" in proxy.requests[0]
    (tmp_path / FILE).unlink()
    message = refusal(asked, tmp_path, proxy=through)
    assert "The proxy cannot be reached" in message
    assert "secret" not in message
    assert url_without_secrets("http://user:secret@host:1/x.zip?key=secret") == "http://host:1/x.zip"


@pytest.mark.parametrize("proxy", ["nonsense://x", "http://", "socks5://127.0.0.1:1"])
def test_an_invalid_proxy_is_a_usage_error(proxy: str, tmp_path: Path) -> None:
    asked = Site(b"", url="http://models.invalid")
    with pytest.raises((UsageError, ModelError)) as refused:
        download(asked, tmp_path, proxy=proxy)
    assert "proxy" in str(refused.value).lower()  # SOCKS with PySocks or without


@pytest.mark.parametrize("host", ["[", "a b", "%zz", "..", "", "a" * 100 + ".com", "x:99999", "x:abc"])
def test_an_invalid_url_is_a_usage_error(host: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not a usable URL; write http://HOST:PORT"):
        download(Site(b"", url=f"http://{host}"), tmp_path)


def test_an_untrusted_certificate_is_refused_until_its_authority_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    folder = tmp_path / "downloads"
    folder.mkdir()
    with serving(Site(CONTENT), tls) as site, serving(Site(OTHER)) as plain_site:
        assert "REQUESTS_CA_BUNDLE" in refusal(site, folder)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        assert fetched(site, folder) == CONTENT
        site.answers, site.redirect_to = ["redirect"], f"{plain_site.url}/{FILE}"
        assert "without encryption" in refusal(site, tmp_path / "unverified", verified=False)
