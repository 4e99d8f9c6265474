"""`listen` with clips, through a real (virtual) microphone: what is kept after the visit opens with the key."""

from __future__ import annotations

import random
import time
import wave
from array import array
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.clip_cases import add_clip, seconds_of
from support.command import run
from support.listening import FIXTURES, begun, closed, listening, stretched
from support.record_cases import NOW, live, visit_events
from support.small_counter import SMALL
from support.virtual_microphone import MISSING, WHY_NOT, virtual_sound

from counter_listener.audio import read_recording
from counter_listener.record import clip_sound, clips_folder, kept_clips, make_clip_keys, open_record, read_clip_keys

START = 180.0


def with_room_noise(file: Path, after: float, target: Path) -> None:
    """Writes a recording with some seconds of a quiet room after it, so that its visit closes."""
    rng = random.Random(7)  # noqa: S311 - for noise
    noise = array("h", (rng.randint(-12, 12) for _ in range(round(after * 16_000)))).tobytes()
    with wave.open(str(target), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(b"".join(part for part in read_recording(file) if isinstance(part, bytes)) + noise)


@pytest.mark.skipif(bool(MISSING), reason=WHY_NOT)
def test_listen_keeps_the_clips_of_a_visit_that_was_heard(tmp_path: Path) -> None:
    config, key = tmp_path / "counter.toml", tmp_path / "settings" / "clip-key.pem"
    config.write_text('[clips]\nkeep = "all"\n', encoding="utf-8")
    phrases = tmp_path / "small.toml"
    phrases.write_text(SMALL.replace("quiet = 20", "quiet = 2").replace("idle = 120", "idle = 3"), encoding="utf-8")
    with_noise = tmp_path / "visit.wav"
    with_room_noise(FIXTURES / "refusal-without-sorry.wav", 4.0, with_noise)
    with virtual_sound() as sound:
        sound.plug_in("desk")
        heard = {**sound.hearing("desk"), "COUNTER_LISTENER_CLIP_KEY": str(key)}
        options = ("--config", config, "--phrases", phrases, "--counter", "3", "--no-screen")
        with listening(tmp_path / "events.db", heard, *options) as one:
            one.wait_for(begun, START)
            player = sound.play("desk", with_noise)
            rows = one.wait_for(closed(1), 90)
            until = time.monotonic() + stretched(20)
            while not kept_clips(clips_folder(one.store)) and time.monotonic() < until:
                time.sleep(0.25)
            assert player.wait(stretched(90)) == 0
            _, _, err = one.stop()
    assert "keeping clips" in err
    keys = read_clip_keys(key)
    clips = kept_clips(clips_folder(one.store))
    assert clips
    for clip in clips:
        assert clip.facts
        assert b"OggS" not in clip.path.read_bytes()
        length = seconds_of(clip_sound(clip, keys, datetime.now(UTC)))
        assert length == pytest.approx(clip.facts.end - clip.facts.start, abs=0.15)
        verdicts = {row.uid for row in rows if row.verdict}
        assert set(clip.facts.verdicts) <= verdicts
    assert not [file for file in clips_folder(one.store).iterdir() if file.suffix != ".clip"]


def test_the_commands_list_remove_and_show_the_key(tmp_path: Path) -> None:
    store, key = tmp_path / "events.db", tmp_path / "clip-key.pem"
    shown = run("clips", "key", "--clip-key", key)
    public = shown.stdout.strip()
    assert len(public) == 64
    assert "in use" in shown.stderr
    assert run("clips", "key", "--clip-key", key).stdout.strip() == public
    now = datetime.now(UTC)
    with open_record(store) as record:
        record.append(visit_events(1), live(started=now), now)
    add_clip(store, "live-1-1", public, now)
    add_clip(store, "live-1-1", public, now, start=9.0).write_bytes(b"nothing")
    listed = run("clips", "list", "--store", store, "--clip-key", key)
    assert "damaged" in listed.stdout
    assert "2 clips" in listed.stderr
    assert "[" not in listed.stdout
    assert "[" in run("clips", "list", "--store", store, "--clip-key", tmp_path / "none.pem").stdout
    new = run("clips", "key", "--new", "--clip-key", key)
    assert new.stdout.strip() != public
    assert "older" in new.stderr
    assert run("clips", "purge", "--store", store).exit_code == 2
    assert "1 clip removed" in run("clips", "purge", "--store", store, "--before", "2020-01-01", "--yes").stdout
    assert "1 clip removed" in run("clips", "purge", "--store", store, "--yes").stdout
    assert "0 clips" in run("clips", "list", "--store", store).stderr
    key.write_text("nothing")
    broken = run("clips", "key", "--clip-key", key)
    assert (broken.exit_code, broken.stderr.count("\n")) == (4, 1)
    assert key.name in broken.stderr


def test_purge_tells_of_the_clips_that_went_along(tmp_path: Path) -> None:
    store = tmp_path / "events.db"
    with open_record(store) as record:
        record.append(visit_events(1), live(), NOW)
    add_clip(store, "live-1-1", make_clip_keys(tmp_path / "k.pem").public[0], NOW, days=9_000)
    shown = run("purge", "--before", "2025-01-01", "--yes", "--store", store, "--key", "none")
    assert shown.stdout.strip() == "3 rows removed, and 1 clip."
    assert not list(clips_folder(store).iterdir())
