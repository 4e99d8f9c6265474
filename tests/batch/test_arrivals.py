"""When a file of a watched folder counts as whole, when it is tried again, and where it is moved to."""

from __future__ import annotations

from pathlib import Path

import pytest

from counter_listener.audio import is_whole
from counter_listener.batch import RETRIES, Arrivals, Mover
from counter_listener.batch.arrivals import Look, look_at

FIXTURES = Path(__file__).parents[1] / "fixtures"
A, B = Path("in/a.wav"), Path("in/b.wav")


def test_a_file_is_due_when_it_has_not_changed_for_long_enough() -> None:
    arrivals = Arrivals(settle=10.0)
    arrivals.see({A: Look(1, 1)}, [], 0.0)
    assert arrivals.due(9.9) == []
    arrivals.see({A: Look(2, 2)}, [], 9.9)
    assert arrivals.due(10.0) == []
    assert arrivals.next_moment() == 19.9
    assert arrivals.due(19.9) == [A]
    arrivals.done(A)
    assert arrivals.due(99.0) == []
    assert arrivals.next_moment() is None
    arrivals.see({A: Look(3, 3), B: Look(1, 1)}, [], 99.0)
    assert arrivals.waiting() == [A, B]


def test_a_file_that_fails_is_tried_again_a_known_number_of_times() -> None:
    arrivals, now = Arrivals(settle=10.0), 10.0
    arrivals.see({A: Look(1, 1)}, [], 0.0)
    for factor in RETRIES:
        assert arrivals.failed(A, now)
        assert arrivals.due(now + factor * 10.0 - 0.1) == []
        now += factor * 10.0
        assert arrivals.due(now) == [A]
    assert not arrivals.failed(A, now)
    assert arrivals.failed(A, now, forever=True)


def test_a_file_that_changes_has_all_its_tries_again() -> None:
    arrivals = Arrivals(settle=1.0)
    arrivals.see({A: Look(1, 1)}, [], 0.0)
    for _ in RETRIES:
        arrivals.failed(A, 1.0)
    arrivals.see({A: Look(2, 1)}, [], 5.0)
    assert arrivals.due(6.0) == [A]
    assert arrivals.failed(A, 6.0)


def test_what_is_in_a_folder_that_is_away_for_now_is_not_forgotten() -> None:
    arrivals = Arrivals(settle=1.0)
    arrivals.see({A: Look(1, 1)}, [], 0.0)
    arrivals.done(A)
    arrivals.see({}, [Path("in")], 1.0)
    arrivals.see({A: Look(1, 1)}, [], 2.0)
    assert arrivals.due(9.0) == []
    arrivals.see({}, [], 3.0)
    arrivals.see({A: Look(1, 1)}, [], 4.0)
    assert arrivals.due(9.0) == [A]


def test_a_look_finds_files_at_any_depth_and_says_which_folder_is_away(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.wav").write_bytes(b"12")
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "b.wav").touch()
    (tmp_path / "link.wav").symlink_to("nothing")
    looks, missing = look_at([tmp_path, tmp_path / "gone"], lambda path: path.name == "ours")
    assert [(path.name, look.size) for path, look in looks.items()] == [("a.wav", 2)]
    assert missing == [tmp_path / "gone"]


def test_a_file_is_moved_to_the_same_place_below_another_folder_and_never_over_another_file(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    for folder in (source / "deep", target / "deep"):
        folder.mkdir(parents=True)
    (source / "deep" / "a.wav").write_bytes(b"new")
    (target / "deep" / "a.wav").write_bytes(b"old")
    mover = Mover(target, [source])
    place = mover.place(source / "deep" / "a.wav")
    assert place == target / "deep" / "a (2).wav"
    assert mover.move(source / "deep" / "a.wav") == place
    assert [path.read_bytes() for path in (place, target / "deep" / "a.wav")] == [b"new", b"old"]
    (source / "deep" / "a.wav").write_bytes(b"old")  # as after a kill between the copy and the removal
    assert mover.move(source / "deep" / "a.wav") == target / "deep" / "a.wav"
    assert not (source / "deep" / "a.wav").exists()


def test_a_file_that_cannot_be_moved_stays_and_nothing_is_left_of_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "a.wav").write_bytes(b"new")

    def other_disk(_self: Path, _target: Path) -> Path:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "replace", other_disk)
    with pytest.raises(OSError, match="cross-device"):
        Mover(target, [source]).move(source / "a.wav")
    assert [file.name for file in source.iterdir()] == ["a.wav"]
    assert not list(target.iterdir())


def test_a_recording_is_not_whole_while_bytes_are_missing_that_its_header_declares(tmp_path: Path) -> None:
    whole = FIXTURES / "no-greeting.wav"
    assert is_whole(whole)
    cut = tmp_path / "cut.wav"
    cut.write_bytes(whole.read_bytes()[:-1000])
    assert not is_whole(cut)
    piped = bytearray(whole.read_bytes()[:-1000])
    piped[4:8] = b"\xff\xff\xff\xff"
    cut.write_bytes(piped)
    assert is_whole(cut)
