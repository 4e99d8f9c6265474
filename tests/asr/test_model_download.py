"""Downloads, from a real server that cuts the line, lies, stalls and serves the wrong file."""

from __future__ import annotations

import hashlib
import random
import ssl
from pathlib import Path

import pytest
import trustme
from support.http_server import Site, part_of, serving

from counter_listener.asr.model_download import fetch
from counter_listener.asr.transfer import Patience, Wanted, plain
from counter_listener.domain.errors import ModelError, UsageError

CONTENT = random.Random(7).randbytes(300_000)  # noqa: S311 - no secret
OTHER = random.Random(8).randbytes(300_000)  # noqa: S311 - no secret
QUICK = Patience(connect=2, read=0.4, retries=3, backoff=0.02, enough=40_000)
FILE = "model.zip"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def wanted(site: Site, *, verified: bool = True, size: int = len(CONTENT)) -> Wanted:
    return Wanted(
        f"{site.url}/{FILE}",
        FILE,
        size,
        exact=verified,
        sha256=hashlib.sha256(CONTENT).hexdigest() if verified else None,
    )


def fetched(site: Site, folder: Path, *, verified: bool = True, proxy: str | None = None) -> bytes:
    told: list[tuple[int, int | None]] = []
    file = fetch(wanted(site, verified=verified), folder, lambda *now: told.append(now), proxy, QUICK)
    assert [one.name for one in folder.iterdir()] == [FILE], "a part was left behind"
    assert not told or told[-1][0] == file.stat().st_size
    return file.read_bytes()


def refusal(site: Site, folder: Path, *, verified: bool = True, proxy: str | None = None) -> str:
    with pytest.raises(ModelError) as refused:
        fetch(wanted(site, verified=verified), folder, lambda *_: None, proxy, QUICK)
    told = str(refused.value)
    assert "\n" not in told
    assert not (folder / FILE).exists()
    for way in ("another machine", "carry the folder", "--mirror URL"):
        assert way in told
    return told


@pytest.mark.parametrize(
    ("manners", "ranges"),
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
def test_a_file_comes_whole_over_a_bad_line(manners: list[str], ranges: list[str | None], tmp_path: Path) -> None:
    with serving(Site(CONTENT, manners)) as site:
        assert fetched(site, tmp_path) == CONTENT
        assert site.ranges() == ranges


def test_what_came_is_kept_and_the_next_run_goes_on_from_there(tmp_path: Path) -> None:
    with serving(Site(CONTENT, ["cut:16384", "status:503"])) as site:
        told = refusal(site, tmp_path)
        assert "503" in told
        assert part_of(tmp_path) == CONTENT[:16384]
        site.manners.append("good")
        assert fetched(site, tmp_path) == CONTENT
        assert site.ranges()[-1] == "bytes=16384-"


def test_a_line_that_brings_next_to_nothing_is_given_up(tmp_path: Path) -> None:
    with serving(Site(CONTENT, ["cut:7"])) as site:
        told = refusal(site, tmp_path)
        assert "broke again and again; the 28 bytes that came are kept" in told
        assert len(site.asked) == 1 + QUICK.retries


def test_a_server_that_ignores_ranges_and_cuts_is_given_up(tmp_path: Path) -> None:
    with serving(Site(CONTENT, ["cut-ignore-range:196608"])) as site:
        assert "broke again and again" in refusal(site, tmp_path)
        assert len(site.asked) <= 2 + 2 * QUICK.retries


@pytest.mark.parametrize("manners", [["good"], ["cut:16384", "good"]])
def test_a_wrong_file_is_refused_and_nothing_of_it_kept(manners: list[str], tmp_path: Path) -> None:
    with serving(Site(OTHER, manners)) as site:
        assert "another file than model.zip (its SHA-256 differs" in refusal(site, tmp_path)
        assert list(tmp_path.iterdir()) == []
        assert len(site.asked) <= 3


def test_a_part_of_another_file_is_thrown_away_and_fetched_again(tmp_path: Path) -> None:
    (tmp_path / f"{FILE}.part").write_bytes(OTHER[:5000])
    with serving(Site(CONTENT)) as site:
        assert fetched(site, tmp_path) == CONTENT
        assert site.ranges() == ["bytes=5000-", None]


def test_a_part_of_the_right_length_is_believed_only_if_its_checksum_is_right(tmp_path: Path) -> None:
    part = tmp_path / f"{FILE}.part"
    with serving(Site(CONTENT)) as site:
        part.write_bytes(CONTENT)
        assert fetched(site, tmp_path) == CONTENT
        assert site.asked == []
        (tmp_path / FILE).unlink()
        part.write_bytes(OTHER)
        assert fetched(site, tmp_path) == CONTENT


def test_without_a_checksum_only_the_same_file_is_gone_on_with(tmp_path: Path) -> None:
    with serving(Site(CONTENT, ["cut:16384", "status:404"])) as site:
        assert "404" in refusal(site, tmp_path, verified=False)
        site.content, site.tag, site.manners = OTHER, '"two"', ["good"]
        assert fetched(site, tmp_path, verified=False) == OTHER
        assert site.asked[-1]["If-Range"] == '"one"'


def test_without_a_validator_an_unverified_file_begins_again(tmp_path: Path) -> None:
    (tmp_path / f"{FILE}.part").write_bytes(OTHER[:5000])
    with serving(Site(CONTENT, tag="W/weak")) as site:
        assert fetched(site, tmp_path, verified=False) == CONTENT
        assert site.ranges() == [None]


def test_an_archive_that_is_there_and_right_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(CONTENT)
    with serving(Site(OTHER)) as site:
        assert fetched(site, tmp_path) == CONTENT
        assert fetch(wanted(site, verified=False), tmp_path, lambda *_: None, None, QUICK).read_bytes() == OTHER


@pytest.mark.parametrize("verified", [True, False])
def test_a_file_without_end_does_not_fill_the_disk(verified: bool, tmp_path: Path) -> None:  # noqa: FBT001
    with serving(Site(CONTENT, ["endless"])) as site:
        assert "larger than 300,000 bytes" in refusal(site, tmp_path, verified=verified)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("manner", "told", "requests"),
    [
        ("web-page", "gives a web page, not a file", 1),
        ("redirect", "from one address to the next", 6),
        ("status:404", "the server says 404 Not Found", 1),
        ("status:403", "the server says 403 Forbidden", 1),
        ("status:500", "the server says 500", 1 + QUICK.retries),
        ("hang-up", "cannot be reached", 1 + QUICK.knocks),
        ("no-such-range", "answers, but sends nothing", 1 + QUICK.retries),
    ],
)
def test_what_cannot_be_had_is_told_in_one_sentence(manner: str, told: str, requests: int, tmp_path: Path) -> None:
    with serving(Site(CONTENT, [manner])) as site:
        assert told in refusal(site, tmp_path)
        assert len(site.asked) == requests


def test_a_redirect_is_followed(tmp_path: Path) -> None:
    with serving(Site(CONTENT)) as there, serving(Site(b"", ["redirect"], elsewhere=f"{there.url}/x.zip")) as site:
        assert fetched(site, tmp_path) == CONTENT


def test_without_a_network_the_three_ways_by_hand_are_told(tmp_path: Path) -> None:
    with serving(Site(CONTENT)) as site:
        pass  # and now nobody listens there
    assert f"{site.url}/{FILE} cannot be reached; there is no network here" in refusal(site, tmp_path)
    site.url = "http://no-such-host.invalid"
    assert "cannot be reached" in refusal(site, tmp_path)


def test_a_proxy_is_used_and_its_password_never_shown(tmp_path: Path) -> None:
    with serving(Site(CONTENT)) as proxy:
        asked = Site(b"", url="http://models.invalid")
        through = proxy.url.replace("http://", "http://user:secret@")
        assert fetched(asked, tmp_path, proxy=through) == CONTENT
        assert proxy.asked[0]["path"] == "http://models.invalid/model.zip"
        assert "Proxy-Authorization" in proxy.asked[0]
    (tmp_path / FILE).unlink()
    told = refusal(asked, tmp_path, proxy=through)
    assert "The proxy cannot be reached" in told
    assert "secret" not in told
    assert plain("http://user:secret@host:1/x.zip?key=secret") == "http://host:1/x.zip"


@pytest.mark.parametrize("proxy", ["nonsense://x", "http://", "socks5://127.0.0.1:1"])
def test_a_proxy_that_is_none_is_bad_usage(proxy: str, tmp_path: Path) -> None:
    asked = Site(b"", url="http://models.invalid")
    with pytest.raises((UsageError, ModelError)) as refused:
        fetch(wanted(asked), tmp_path, lambda *_: None, proxy, QUICK)
    assert "proxy" in str(refused.value).lower()  # SOCKS with PySocks or without


@pytest.mark.parametrize("host", ["[", "a b", "%zz", "..", "", "a" * 100 + ".com", "x:99999", "x:abc"])
def test_a_url_that_is_none_is_bad_usage(host: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no URL that can be used; write http://HOST:PORT"):
        fetch(wanted(Site(b"", url=f"http://{host}")), tmp_path, lambda *_: None, None, QUICK)


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
        site.manners, site.elsewhere = ["redirect"], f"{plain_site.url}/{FILE}"
        assert "without encryption" in refusal(site, tmp_path / "unverified", verified=False)
