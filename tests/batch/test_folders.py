"""What a folder holds is checked, or counted and said."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from support.command import events, run, transcript
from support.recordings import encode, noise, ogg_pages, put, tone, wav
from support.small_counter import SMALL_FILE

from counter_listener.batch import CheckResult, LeftOut, expand_inputs
from counter_listener.batch.inputs import NO_FILES, NO_SOUND, NOT_FOLLOWED, UNFINISHED, input_path


def found(*names: Path) -> tuple[list[str], dict[str, list[str]]]:
    """The names of the inputs, and of what is left out by reason."""
    inputs, left_out = expand_inputs(map(str, names))
    return [input_path(item).name for item in inputs], {
        each.reason: [path.name for path in each.paths] for each in left_out
    }


def test_a_file_is_an_input_if_the_decoder_reads_it(tmp_path: Path) -> None:
    for name, codec in (("a.mpg", "mp2"), ("b.ts", "aac"), ("c.mp2", "mp2"), ("d.m4v", "aac"), ("e.caf", "pcm_s16le")):
        encode(tmp_path / name, codec, tone(1))
    for number, path in enumerate(sorted(tmp_path.iterdir())):
        path.rename(
            path.with_name([path.name.upper(), path.name, f"{number}", f"{number}.bak", f"{number}.xyz"][number])
        )
    put(tmp_path, b"\x02#!SILK_V3" + bytes(99), "z")
    put(tmp_path, b"not sound", "broken.WAV")
    transcript(tmp_path / "t.jsonl")
    names, left_out = found(tmp_path)
    assert names == ["2", "3.bak", "4.xyz", "A.MPG", "b.ts", "broken.WAV", "t.jsonl", "z"]
    assert left_out == {}


def test_what_is_no_sound_is_left_out_and_counted(tmp_path: Path) -> None:
    deep = tmp_path / "monday"
    deep.mkdir()
    encode(deep / "a.wav", "pcm_s16le", tone(1))
    for name, content in (
        ("notes.txt", b"hello"),
        ("b.jpg", b"\xff\xd8\xff\xe0" + noise(1)),
        ("._a.wav", bytes(99)),
        (".hidden", b""),
    ):
        put(deep, content, name)
    put(tmp_path, wav(tone(1)), "b.wav.part")
    (tmp_path / "link").symlink_to(deep, target_is_directory=True)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    names, left_out = found(tmp_path)
    assert names == ["a.wav"]
    assert left_out == {
        NO_SOUND: ["._a.wav", ".hidden", "b.jpg", "notes.txt"],
        UNFINISHED: ["b.wav.part"],
        NOT_FOLLOWED: ["link"],
        NO_FILES: ["gone"],
    }
    assert found(tmp_path, deep)[0] == ["a.wav"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    names, left_out = found(tmp_path)
    assert (names, left_out) == ([tmp_path.name], {NO_FILES: ["a.wav"]})


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights are not modes here")
def test_a_folder_without_rights_is_an_error() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, closed = Path(name), Path(name, "closed")
        encode(folder / "a.wav", "pcm_s16le", tone(1))
        closed.mkdir()
        folder.chmod(0o755)
        closed.chmod(0)
        root = os.geteuid() == 0
        if root:  # who may search everything
            os.seteuid(65_534)
        try:
            inputs, _ = expand_inputs([name])
        finally:
            if root:
                os.seteuid(0)
            closed.chmod(0o700)
    recording, failed = inputs
    assert recording == folder / "a.wav"
    assert isinstance(failed, CheckResult)
    assert f"{closed} cannot be searched (Permission denied)" in str(failed.error)


def test_a_pattern_also_searches_the_folders_that_match(tmp_path: Path) -> None:
    for day in ("monday", "tuesday"):
        (tmp_path / day).mkdir()
        encode(tmp_path / day / f"{day}.wav", "pcm_s16le", tone(1))
    put(tmp_path, b"hello", "notes.txt")
    names, left_out = found(tmp_path / "*day")
    assert (names, left_out) == (["monday.wav", "tuesday.wav"], {})
    assert found(tmp_path / "*.txt")[0] == ["notes.txt"]  # named by the user, so its error is told


def test_people_and_programs_are_told(tmp_path: Path) -> None:
    transcript(tmp_path / "a.jsonl")
    for number in range(7):
        put(tmp_path, b"hello", f"{number}.txt")
    shown = run("check", tmp_path, "--store", "none", "--phrases", SMALL_FILE)
    assert shown.exit_code == 0
    assert f"7 left out of {tmp_path} (no sound in them): 0.txt, 1.txt, 2.txt, 3.txt, 4.txt, …" in " ".join(
        shown.stdout.split()
    )
    assert "left out" not in run("check", tmp_path, "--store", "none", "--phrases", SMALL_FILE, "--quiet").output
    *_, last = events(
        run("check", tmp_path, "--store", "none", "--phrases", SMALL_FILE, "--format", "jsonl", "--quiet")
    )
    assert (last["source"], last["kind"], last["count"]) == (str(tmp_path), "left_out", 7)
    assert last["files"] == [str(tmp_path / f"{number}.txt") for number in range(7)]
    table = run(
        "check", tmp_path, "--store", "none", "--phrases", SMALL_FILE, "--format", "csv", "--quiet"
    ).stdout.splitlines()
    assert "7 left out (no sound in them): 0.txt, 1.txt, 2.txt, 3.txt, 4.txt" in table[-1]


def test_what_an_input_lost_is_told_and_summed_up(tmp_path: Path) -> None:
    put(tmp_path, wav(noise(4))[:-32_000], "a.wav")
    pages = ogg_pages(encode(tmp_path / "b.opus", "libopus", noise(7, 48_000), rate=48_000).read_bytes())
    put(tmp_path, b"".join(page for number, page in enumerate(pages) if number not in (3, 6)), "b.opus")
    shown = run("check", tmp_path, "--store", "none", "--phrases", SMALL_FILE)
    assert shown.exit_code == 3
    assert "a.wav: incomplete: the recording breaks off" in shown.stderr
    assert "b.opus: incomplete at 2 places: pages of the Ogg file are missing" in shown.stderr
    assert "2 inputs were read only in part; 0:03 of them is known to be lost." in shown.stdout


def test_the_result_of_what_is_left_out_names_the_first_few() -> None:
    folder = Path("f")
    event = LeftOut(folder, NO_SOUND, tuple(folder / str(number) for number in range(9))).result.events[0]
    assert event.detail["message"] == "9 left out (no sound in them): 0, 1, 2, 3, 4"
