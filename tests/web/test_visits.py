"""Visits on the pages: who sees which, what a visit shows, its sound in ranges, what is taken away, hostile names."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from support.pages_record import HOSTILE, fill
from support.pages_site import PASSWORD, accounts, browser, settings, sign_in, signed_in

from counter_listener.audio import probe
from counter_listener.record import open_record

PAGES = (
    *("/", "/?days=all", "/visits", "/visits?verdict=forbidden", "/review", "/review?source=all"),
    *("/appeals", "/samples", "/machine", "/manner?days=all", "/system"),
)
BUDGET = 300_000
"""Bytes of a page, without charts and libraries."""


class Site:
    """A record, its visits by what is special about them, and a browser on the machine itself."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "events.db"
        self.visits = fill(folder)
        self.settings = settings(self.store, key_file=folder / "key" / "key.pem")
        self.client = signed_in(self.settings)

    def get(self, what: str, more: str = "", **headers: str) -> Any:
        return self.client.get(f"/visits/{self.visits[what]}{more}", headers=headers)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    with made.client:
        yield made


def test_the_list_holds_every_visit_with_what_is_wrong(site: Site) -> None:
    page = site.client.get("/visits").text
    assert "8 visits" in page
    for visit in site.visits.values():
        assert f"/visits/{visit}" in page
    assert "你自己看" in page
    assert "问候语" in page


def test_the_filter_is_in_the_address_and_htmx_gets_the_results_alone(site: Site) -> None:
    whole = site.client.get("/visits?counter=4").text
    assert "1 visit<" in whole
    part = site.client.get("/visits?counter=4", headers={"hx-request": "true"}).text
    assert part.lstrip().startswith('<section id="results"')
    assert part.strip() in whole
    nonsense = site.client.get("/visits?since=yesterday&verdict=bad&least=x&page=-3&sort=evil&way=1")
    assert nonsense.status_code == 200
    assert "Part of the filter could not be read" in nonsense.text
    assert site.client.get("/visits?q=nothing-of-the-kind").text.count("No visit matches.") == 1


def test_a_visit_tells_what_was_heard_what_not_and_when_it_was_due(site: Site) -> None:
    page = site.get("ungreeted").text
    assert "not heard" in page
    assert "It was due from" in page
    assert "请问您要办理什么业务" in page
    assert "pass mark 80.0" in page
    rude = site.get("rude").text
    assert rude.index("你自己看") < rude.index("问候语"), "what costs most comes first"
    assert "三号柜台 #1 100%.wav" in rude


@pytest.mark.parametrize(
    ("what", "reason"),
    [("gone", "no longer where it was checked"), ("changed", "has changed since"), ("live", "heard live")],
)
def test_where_there_is_no_sound_it_is_told_why(site: Site, what: str, reason: str) -> None:
    assert reason in site.get(what).text
    assert "<audio" not in site.get(what).text
    assert site.get(what, "/audio").status_code == 404
    assert site.get(what, "/peaks.json").status_code == 404


def test_the_sound_is_the_file_itself_in_ranges(site: Site) -> None:
    content = (site.store.parent / "sounds" / "full.wav").read_bytes()
    whole = site.get("full", "/audio")
    assert whole.headers["content-type"] == "audio/wav"
    assert whole.content == content
    part = site.get("full", "/audio", range="bytes=1000-1999")
    assert (part.status_code, part.content) == (206, content[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(content)}"
    assert site.get("full", "/audio", range="bytes=-5").content == content[-5:]
    assert site.get("full", "/audio", range=f"bytes={len(content)}-").status_code == 416
    assert site.get("full", "/audio", range="bytes=9-1").status_code in (200, 400, 416)
    assert site.get("full", "/audio", range="lines=1-2").status_code in (200, 400)


def test_what_browsers_cannot_play_becomes_opus_of_the_same_length(site: Site) -> None:
    answer = site.get("alaw", "/audio")
    assert answer.headers["content-type"] == "audio/ogg"
    assert answer.content.startswith(b"OggS")
    assert b"OpusHead" in answer.content[:100]
    played = site.store.parent / "played.ogg"
    played.write_bytes(answer.content)
    seconds = probe(site.store.parent / "sounds" / "telephone.wav").seconds
    assert probe(played).seconds == pytest.approx(seconds, abs=0.1)


def test_the_waveform_is_as_long_as_the_recording_and_as_loud_as_its_words(site: Site) -> None:
    told = site.get("ungreeted", "/peaks.json").json()
    seconds = probe(site.store.parent / "sounds" / "ungreeted.wav").seconds
    assert len(told["values"]) / told["per_second"] == pytest.approx(seconds, abs=0.2)
    assert max(told["values"]) > 20
    assert all(0 <= value <= 100 for value in told["values"])


def test_the_closest_words_are_found_in_the_recording(site: Site) -> None:
    page = site.get("ungreeted", "/near").text
    assert "Why not" in page
    assert "looked for" in page
    assert "evidence" in page


@pytest.mark.parametrize(
    "id_",
    [
        *(
            "no-such-1",
            "../../etc/passwd",
            "..%2f..%2fetc%2fpasswd",
            "%2e%2e%2f",
            "....//",
            "\x00",
            "%00",
            "a" * 5000,
        ),
        *("' OR 1=1 --", "<script>", "%ff%fe", "people", "purge", "-1", "*", "%"),
    ],
)
def test_an_id_that_is_none_leads_nowhere(site: Site, id_: str) -> None:
    for more in ("", "/audio", "/peaks.json", "/near"):
        answer = site.client.get(f"/visits/{quote(id_, safe='%')}{more}")
        assert answer.status_code in (303, 404), answer.url
        assert "root:" not in answer.text


def test_a_clerk_sees_the_visits_of_one_counter_and_of_no_other(site: Site, tmp_path: Path) -> None:
    kept = accounts(tmp_path, "li")
    kept.add("wang", "clerk", PASSWORD, site.settings.clock(), counter="4")
    with browser(settings(site.store, accounts=kept)) as client:
        sign_in(client, "wang")
        page = client.get("/visits").text
        assert "1 visit<" in page
        assert site.visits["ungreeted"] in page
        assert "/visits/" not in client.get("/visits?counter=3").text
        assert client.get(f"/visits/{site.visits['ungreeted']}").status_code == 200
        for more in ("", "/audio", "/peaks.json", "/near"):
            assert client.get(f"/visits/{site.visits['full']}{more}").status_code == 404, more
        assert client.get("/visits/export.csv").text.count("\n") == 2
        assert "柜台" not in client.get("/?days=all").text
        assert "你自己看" not in client.get("/?days=all").text


def test_csv_and_spreadsheet_hold_what_the_filter_finds(site: Site) -> None:
    answer = site.client.get("/visits/export.csv?verdict=forbidden")
    assert answer.content.startswith(b"\xef\xbb\xbf"), "for Excel"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["id"] for row in rows} == {site.visits["rude"], site.visits["hostile"]}
    assert all("forbidden:" in row["faults"] for row in rows)
    sheet = site.client.get("/visits/export.xlsx?verdict=forbidden&lang=zh")
    with zipfile.ZipFile(io.BytesIO(sheet.content)) as book:
        text = book.read("xl/sharedStrings.xml").decode()
    assert "你自己看" in text
    assert "忌语" in text
    assert site.visits["full"] not in text


def test_who_exported_what_is_in_the_record(site: Site) -> None:
    for form in ("csv", "xlsx"):
        assert site.client.get(f"/visits/export.{form}?verdict=broken").status_code == 200
    with open_record(site.store) as record:
        noted = [json.loads(row.detail) for row in record.read() if row.kind == "access"]
    exported = [(each["by"], each["what"]) for each in noted if each["action"] == "exported"]
    by = noted[0]["by"]
    for form in ("csv", "xlsx"):
        assert exported.count((by, f"/visits/export.{form}?verdict=broken")) == 1


class Tags(HTMLParser):
    """The tags of a page that could run a script, and the addresses that it names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (tag == "script" and not (given.get("src") or "").startswith("/static/")) or tag in ("iframe", "object"):
            self.found.append(tag)
        self.found += [name for name in given if name.startswith("on")]
        if tag == "img":
            self.found.append(tag)
        self.addresses += [value for name, value in attrs if name in ("href", "src", "action") and value]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_names_and_words_stay_words(site: Site, lang: str) -> None:
    hostile = quote(HOSTILE, safe="")
    paths = [*PAGES, f"/visits/{site.visits['hostile']}", f"/visits?q={hostile}&phrase={hostile}&counter={hostile}"]
    for path in [*paths, f"/?counter={hostile}&days={hostile}", f"/sign-in?to={hostile}"]:
        page = site.client.get(path + ("&" if "?" in path else "?") + f"lang={lang}")
        assert page.status_code in (200, 303), path
        tags = Tags()
        tags.feed(page.text)
        assert tags.found == [], path
        assert all(address.startswith(("/", "#", "?")) for address in tags.addresses), path
    assert "{{7*7}}" in site.get("hostile").text, "it is no template"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_heavy(site: Site, path: str) -> None:
    assert len(site.client.get(path).content) < BUDGET


def test_who_saw_and_heard_a_visit_is_in_the_record(site: Site) -> None:
    site.get("full")
    site.get("full", "/audio")
    with open_record(site.store) as record:
        rows = [row for row in record.read(visit=site.visits["full"]) if row.kind == "access"]
        assert record.verify().broken is None
    assert {'"action": "seen"' in row.detail or '"action": "heard"' in row.detail for row in rows} == {True}
    assert all('"by": "me"' in row.detail for row in rows)
    assert len(rows) == 2, "once an hour"


def test_an_empty_record_says_what_to_do(tmp_path: Path) -> None:
    with open_record(tmp_path / "events.db"):
        pass
    with signed_in(settings(tmp_path / "events.db")) as client:
        for path in ("/", "/?days=all", "/visits", "/system"):
            assert client.get(path).status_code == 200, path
        assert "counter-listener check" in client.get("/?days=all").text


def test_a_record_that_is_gone_is_told_in_a_sentence(tmp_path: Path) -> None:
    with signed_in(settings(tmp_path / "none.db")) as client:
        answer = client.get("/visits")
    assert answer.status_code == 503
    assert "does not exist" in answer.text
    assert "Traceback" not in answer.text


def test_the_overview_tells_the_worst_in_plain_words(site: Site) -> None:
    page = site.client.get("/?days=all&lang=zh").text
    assert "共 8 次服务，" in page
    assert "漏说最多的是" in page
    assert "服务忌语 2 处" in page
    assert f"/visits/{site.visits['rude']}" in page or f"/visits/{site.visits['hostile']}" in page
    assert site.client.get("/?days=1").status_code == 200
    assert site.client.get("/?since=2026-01-01&until=2026-01-31").status_code == 200


def test_the_system_page_verifies_the_record(site: Site) -> None:
    token = re.search(r'name="csrf" value="([^"]+)"', site.client.get("/system").text)
    assert token
    assert site.client.post("/system/verify", data={"csrf": token[1]}).status_code == 303
    deadline = time.monotonic() + 60
    while "being verified" in (page := site.client.get("/system").text) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "rows are as they were written" in site.client.get("/system").text, page
