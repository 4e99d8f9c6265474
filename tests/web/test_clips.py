"""Clips on the page of their visit: listed with what they are for, played in ranges to who may, noted, gone by date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.clip_cases import add_clip, seconds_of
from support.pages_record import fill
from support.pages_site import NOW, Clock, accounts, browser, settings, sign_in, signed_in

from counter_listener.record import (
    ClipKeys,
    clips_folder,
    kept_clips,
    make_clip_keys,
    open_record,
    parse_detail,
    renew_clip_keys,
)
from counter_listener.web.clips import ranged


class Site:
    """A record with a visit that was heard live, and a clip of it."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "events.db"
        self.visit = fill(folder)["live"]
        self.key_file, self.clock = folder / "clip-key.pem", Clock()
        self.keys: ClipKeys = make_clip_keys(self.key_file)
        self.settings = settings(
            self.store, key_file=folder / "key" / "key.pem", clip_key=self.key_file, clock=self.clock
        )
        with open_record(self.store, create=False) as record:
            self.uids = {row.uid: row for row in record.read(visit=self.visit) if row.verdict}
        self.uid = next(uid for uid, row in self.uids.items() if parse_detail(row.detail).get("title"))
        self.title = str(parse_detail(self.uids[self.uid].detail)["title"])
        self.add()
        self.client = signed_in(self.settings)

    def add(self, **more: Any) -> Path:
        return add_clip(self.store, self.visit, self.keys.public[0], NOW, verdicts=(self.uid,), **more)

    def page(self) -> str:
        return str(self.client.get(f"/visits/{self.visit}").text)

    def clip(self, number: int = 3_000, **headers: str) -> Any:
        return self.client.get(f"/visits/{self.visit}/clips/{number}", headers=headers)

    def accesses(self) -> list[dict[str, object]]:
        with open_record(self.store, create=False) as record:
            return [parse_detail(row.detail) for row in record.read(visit=self.visit) if row.kind == "access"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    with made.client:
        yield made


def test_a_clip_is_listed_with_what_it_is_kept_for_and_until_when(site: Site) -> None:
    page = site.page()
    assert "of its sound only the clips below are kept" in page
    section = page[page.index('id="clips"') : page.index("</section>", page.index('id="clips"'))]
    assert site.title in section
    assert "until" in section
    assert f'src="/visits/{site.visit}/clips/3000"' in section
    zh = site.client.get(f"/visits/{site.visit}?lang=zh").text
    assert "片段" in zh


def test_a_clip_is_played_in_ranges_and_noted_once(site: Site) -> None:
    whole = site.clip()
    assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/ogg")
    assert whole.headers["cache-control"] == "no-store"
    assert seconds_of(whole.content) == pytest.approx(2.0, abs=0.1)
    size = len(whole.content)
    for asked, first, last in (
        (f"bytes=0-{size}", 0, size),
        ("bytes=100-199", 100, 200),
        ("bytes=-50", size - 50, size),
    ):
        part = site.clip(range=asked)
        assert part.status_code == 206
        assert part.content == whole.content[first:last]
        assert part.headers["content-range"] == f"bytes {first}-{last - 1}/{size}"
    assert site.clip(range=f"bytes={size}-").status_code == 416
    for nonsense in ("bytes=-", "lines=1-2", "bytes=1-2,5-6"):
        assert site.clip(range=nonsense).status_code == 200
    heard = [each for each in site.accesses() if each["action"] == "heard"]
    assert [(each["by"], each["what"]) for each in heard] == [("me", "clip 3000")]


def test_ranges_of_nothing() -> None:
    assert ranged(b"", "bytes=0-", "audio/ogg").status_code == 416
    assert ranged(b"", None, "audio/ogg").status_code == 200


def test_what_cannot_be_played_says_why_in_one_sentence(site: Site, tmp_path: Path) -> None:
    path = site.add(start=9.0)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    foreign = make_clip_keys(tmp_path / "foreign.pem").public[0]
    add_clip(site.store, site.visit, foreign, NOW, start=12.0)
    page = site.page()
    assert page.count("<audio") == 1
    assert "this clip is damaged or was changed, so it cannot be played" in page
    assert "this clip is encrypted for another key, which is not here" in page
    for number in (9_000, 12_000, 99_000):
        assert site.clip(number).status_code == 404
    site.key_file.write_text("nothing")
    assert "holds no key of clips" in site.page()
    assert site.clip().status_code == 503


def test_a_key_that_was_lost_loses_the_clips_and_a_new_one_does_not(site: Site) -> None:
    renew_clip_keys(site.key_file)
    assert site.clip().status_code == 200
    site.key_file.unlink()
    assert site.clip().status_code == 404
    assert site.page().count("another key, which is not here") == 1


def test_a_clip_is_gone_at_its_date_also_before_it_is_swept(site: Site) -> None:
    site.clock.pass_time(days=7)
    client = signed_in(site.settings)
    assert 'id="clips"' not in client.get(f"/visits/{site.visit}").text
    assert client.get(f"/visits/{site.visit}/clips/3000").status_code == 404


def test_nobody_hears_a_clip_of_a_counter_that_is_not_theirs(site: Site, tmp_path: Path) -> None:
    kept = accounts(tmp_path, "anna")
    kept.add("cleo", "clerk", "correct horse", NOW, counter="9")
    kept.add("adam", "administrator", "correct horse", NOW)
    given = settings(site.store, clip_key=site.key_file, accounts=kept, clock=Clock(NOW))
    for name, status in (("anna", 200), ("cleo", 404), ("adam", 403)):
        client = browser(given)
        address = f"/visits/{site.visit}/clips/3000"
        assert client.get(address).status_code == 303, "nobody without sign-in"
        sign_in(client, name)
        assert client.get(address).status_code == status, name


def test_the_server_sweeps_by_itself(site: Site) -> None:
    from counter_listener.record import RecordPool
    from counter_listener.web.duties import Duties

    nobody: Any = None
    pool = RecordPool(str(site.store))
    duties = Duties(nobody, nobody, pool, site.clock)
    duties.sweep()
    assert left(site)
    site.clock.pass_time(days=7, minutes=-1)
    duties.sweep()
    assert left(site)
    site.clock.pass_time(hours=1)
    duties.sweep()
    assert not left(site)
    pool.close()


def left(site: Site) -> list[Any]:
    return kept_clips(clips_folder(site.store))
