"""Clips beside a record: sealed for one key, complete or not at all, gone by their date, with their visit, by size."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.clip_cases import add_clip, seconds_of, tone
from support.record_cases import DAY, NOW, live, visit_events
from support.sending import Line, add_visits, enrolled, opened, send

from counter_listener.audio import opus_of
from counter_listener.domain import ClipError, RecordError
from counter_listener.record import (
    ClipKeys,
    KeptClip,
    Record,
    clip_sound,
    clips_folder,
    kept_clips,
    make_clip_keys,
    open_record,
    read_clip_keys,
    renew_clip_keys,
    sweep_clips,
)
from counter_listener.record.clips.sealing import MAGIC

VISIT = "live-1-1"


@pytest.fixture
def keys(tmp_path: Path) -> ClipKeys:
    return make_clip_keys(tmp_path / "keys" / "clip-key.pem")


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with open_record(tmp_path / "events.db") as opened_record:
        opened_record.append(visit_events(1), live(), NOW)
        yield opened_record


def only_clip(record: Record) -> KeptClip:
    [clip] = kept_clips(clips_folder(record.path))
    return clip


def test_a_clip_is_opus_and_opens_with_the_private_key_alone(record: Record, keys: ClipKeys, tmp_path: Path) -> None:
    path = add_clip(record.path, VISIT, keys.public[0], NOW, verdicts=("live-1:2",))
    clip = only_clip(record)
    assert clip.facts
    assert (clip.visit, clip.number, clip.facts.verdicts) == (VISIT, 3_000, ("live-1:2",))
    sound = clip_sound(clip, keys, NOW)
    assert sound.startswith(b"OggS")
    assert seconds_of(sound) == pytest.approx(2.0, abs=0.1)
    assert b"OggS" not in path.read_bytes(), "nothing of the sound is on the disk as it is"
    others = make_clip_keys(tmp_path / "other.pem")
    for given in (others, ClipKeys()):
        with pytest.raises(ClipError, match="another key, which is not here"):
            clip_sound(clip, given, NOW)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_clips_and_keys_are_for_their_owner_alone(record: Record, keys: ClipKeys, tmp_path: Path) -> None:
    path = add_clip(record.path, VISIT, keys.public[0], NOW)
    for each, mode in ((path, 0o600), (path.parent, 0o700), (tmp_path / "keys" / "clip-key.pem", 0o600)):
        assert each.stat().st_mode & 0o777 == mode, each


def test_no_byte_of_a_clip_can_be_changed_or_cut_off(record: Record, keys: ClipKeys) -> None:
    path = add_clip(record.path, VISIT, keys.public[0], NOW)
    whole = path.read_bytes()
    places = [*range(0, len(MAGIC) + 330, 7), len(whole) // 2, len(whole) - 1]
    damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in places]
    for content in [*damaged, *(whole[:at] for at in (0, 5, 30, 400, len(whole) - 1)), whole + b"x"]:
        path.write_bytes(content)
        clip = only_clip(record)
        with pytest.raises(ClipError) as caught:
            clip_sound(clip, keys, NOW)
        assert str(caught.value).count(".") <= 1
    path.write_bytes(whole)
    assert clip_sound(only_clip(record), keys, NOW)


def test_a_clip_is_bound_to_its_visit_and_its_date(record: Record, keys: ClipKeys) -> None:
    path = add_clip(record.path, VISIT, keys.public[0], NOW)
    moved = path.rename(path.with_name("live-1-2_000003000.clip"))
    with pytest.raises(ClipError, match="belongs to another visit"):
        clip_sound(only_clip(record), keys, NOW)
    moved.rename(path)
    path.write_bytes(path.read_bytes().replace(b"2024-05-27", b"2034-05-27"))
    with pytest.raises(ClipError, match="damaged or was changed"):
        clip_sound(only_clip(record), keys, NOW)
    add_clip(record.path, VISIT, keys.public[0], NOW)
    with pytest.raises(ClipError, match="the date of this clip has come"):
        clip_sound(only_clip(record), keys, NOW + 7 * DAY)


def test_a_new_key_leaves_older_clips_to_the_old_one(record: Record, tmp_path: Path) -> None:
    file = tmp_path / "clip-key.pem"
    first = make_clip_keys(file)
    add_clip(record.path, VISIT, first.public[0], NOW)
    both = renew_clip_keys(file)
    assert both.public[1:] == first.public
    assert make_clip_keys(file).public == both.public
    add_clip(record.path, VISIT, both.public[0], NOW, start=9.0)
    for clip in kept_clips(clips_folder(record.path)):
        assert clip_sound(clip, read_clip_keys(file), NOW)
    assert read_clip_keys(tmp_path / "none.pem") == ClipKeys()
    file.write_text("-----BEGIN PRIVATE KEY-----\nnothing\n-----END PRIVATE KEY-----\n")
    with pytest.raises(RecordError, match="holds no key of clips"):
        read_clip_keys(file)


def test_a_clip_goes_at_its_date_with_its_visit_and_for_room(record: Record, keys: ClipKeys) -> None:
    record.append(visit_events(2), live(), NOW)
    add_clip(record.path, VISIT, keys.public[0], NOW, days=1)
    add_clip(record.path, VISIT, keys.public[0], NOW + timedelta(hours=1), start=30)
    add_clip(record.path, "live-1-2", keys.public[0], NOW + timedelta(hours=2))
    add_clip(record.path, "live-1-9", keys.public[0], NOW)
    swept = sweep_clips(record.path, record.query, NOW + DAY)
    assert (swept.expired, swept.without_visit, swept.over_size) == (1, 1, 0)
    left = kept_clips(clips_folder(record.path))
    assert [(clip.visit, clip.number) for clip in left] == [(VISIT, 30_000), ("live-1-2", 3_000)]
    swept = sweep_clips(record.path, record.query, NOW + DAY, left[1].size)
    assert (swept.total, swept.over_size) == (1, 1)
    assert only_clip(record).visit == "live-1-2", "the oldest goes first"


def test_a_purge_takes_the_clips_of_its_visits_along(record: Record, keys: ClipKeys) -> None:
    record.append(visit_events(2), live(started=NOW + 9 * DAY), NOW + 9 * DAY)
    add_clip(record.path, VISIT, keys.public[0], NOW, days=300)
    add_clip(record.path, "live-1-2", keys.public[0], NOW, days=300)
    assert record.purge(NOW + DAY, NOW + 10 * DAY) == 3
    assert only_clip(record).visit == "live-1-2"


def test_a_purge_at_the_counter_takes_the_clips_at_the_server_along(keys: ClipKeys, tmp_path: Path) -> None:
    with opened(tmp_path, "counter") as counter, opened(tmp_path, "server") as server:
        add_visits(counter, 1)
        add_visits(counter, 2, days=9)
        line = Line(server, enrolled(server))
        send(counter, line)
        for visit in (VISIT, "live-1-2"):
            add_clip(server.path, visit, keys.public[0], NOW, days=300)
        counter.purge(NOW + DAY, NOW)
        send(counter, line)
        assert only_clip(server).visit == "live-1-2"


KILLED = """
import os, sys
from pathlib import Path
from counter_listener.record import clips_folder, keep_clip
from counter_listener.record.clips import folder
Path.replace = lambda *_: os._exit(9)
keep_clip(clips_folder(Path(sys.argv[1])), "live-1-1", Path(sys.argv[2]).read_bytes())
"""


def test_a_kill_before_a_clip_has_its_name_leaves_nothing(record: Record, keys: ClipKeys, tmp_path: Path) -> None:
    source = add_clip(record.path, VISIT, keys.public[0], NOW).rename(tmp_path / "clip")
    words = [sys.executable, "-c", KILLED, str(record.path), str(source)]
    assert subprocess.run(words, check=False, timeout=120).returncode == 9
    folder = clips_folder(record.path)
    [part] = folder.iterdir()
    assert part.suffix == ".part"
    assert kept_clips(folder) == []
    os.utime(part, (NOW.timestamp(), NOW.timestamp()))
    sweep_clips(record.path, record.query, NOW + timedelta(minutes=5))
    assert part.exists(), "somebody may still be writing it"
    sweep_clips(record.path, record.query, NOW + timedelta(minutes=11))
    assert not list(folder.iterdir())


def test_a_name_that_leads_elsewhere_is_not_written(record: Record, keys: ClipKeys) -> None:
    for name in ("../live-1-1", "", "a/b-1", "live-1-1\n", "x" * 300):
        with pytest.raises(ClipError, match="cannot be kept as a clip"):
            add_clip(record.path, VISIT, keys.public[0], NOW, name=name or "/")
    assert not list(clips_folder(record.path).parent.glob("*.clip"))
    assert len(opus_of(tone(1.0))) < 6_000
