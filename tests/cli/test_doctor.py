"""The doctor, the lock and systemd's notices, on this machine as it is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.command import run

from counter_listener.audio.microphone import Device, find_device, peak_level
from counter_listener.cli import readiness as doctor
from counter_listener.domain.errors import BusyError, MicrophoneError
from counter_listener.domain.types import Event
from counter_listener.live.notify import notify, watchdog_seconds
from counter_listener.matching.matcher import prepare_matcher
from counter_listener.phrases.phrase_file import SLOT, find_phrase_set, iter_wordings, read_phrase_set
from counter_listener.record.lock import lock_counter
from counter_listener.record.rows import Origin
from counter_listener.record.store import open_record

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
ORIGIN = Origin("live-1", "live", "3", NOW, "set", "0" * 64, "model")


def record(path: Path, recorded: datetime = NOW) -> Path:
    with open_record(path) as store:
        store.append([Event("gap", 1.0, detail={"seconds": 1.0, "reason": "x"})], ORIGIN, recorded)
    return path


def of(found: list[doctor.Finding], what: str) -> doctor.Finding:
    return next(one for one in found if one.what == what)


def test_a_library_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.libraries().state == "ok"
    monkeypatch.setitem(sys.modules, "vosk", None)
    found = doctor.libraries()
    assert (found.state, found.said) == ("wrong", "cannot be loaded: vosk")
    assert found.cure


def test_a_record_that_is_whole_is_found_well(tmp_path: Path) -> None:
    found = list(doctor.store(tmp_path, str(record(tmp_path / "events.db")), NOW))
    assert {one.state for one in found} == {"ok"}
    assert "1 rows, whole" in of(found, "store").said


def test_a_record_that_was_changed_is_found_out(tmp_path: Path) -> None:
    import sqlite3

    path = record(tmp_path / "events.db")
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TRIGGER events_no_update")
        raw.execute("UPDATE events SET kind = 'phrase'")
    raw.close()
    found = list(doctor.store(path, str(path), NOW))
    assert of(found, "store").state == "wrong"
    assert "row 1" in of(found, "store").said
    assert of(found, "store").cure


def test_a_record_of_the_future_shows_a_wrong_clock(tmp_path: Path) -> None:
    path = record(tmp_path / "events.db", NOW + timedelta(days=2))
    with open_record(path) as store:
        later = Origin("live-2", "live", "3", NOW + timedelta(days=2), "set", "0" * 64, "model")
        store.append([Event("gap", 1.0, detail={"seconds": 1.0, "reason": "x"})], later, NOW + timedelta(days=2))
    assert of(list(doctor.store(path, str(path), NOW)), "record's time").state == "wrong"


def test_a_record_that_others_may_read_is_a_warning_with_its_cure(tmp_path: Path) -> None:
    path = record(tmp_path / "events.db")
    path.chmod(0o644)
    rights = of(list(doctor.store(path, str(path), NOW)), "rights")
    assert os.name != "posix" or (rights.state, rights.cure) == ("warning", f"chmod 600 {path}")


def test_a_record_that_is_not_there_yet_is_no_fault(tmp_path: Path) -> None:
    found = list(doctor.store(tmp_path, str(tmp_path / "a" / "events.db"), NOW))
    assert {one.state for one in found} == {"ok"}
    assert not (tmp_path / "a").exists()


def test_a_clock_that_is_years_behind_or_was_set_is_found_out() -> None:
    assert doctor.time(NOW, NOW + timedelta(seconds=3), 3.0).state == "ok"
    assert doctor.time(NOW, NOW + timedelta(hours=1), 3.0).state == "warning"
    assert doctor.time(NOW.replace(year=1999), NOW.replace(year=1999), 0.0).state == "wrong"


def test_words_that_a_model_cannot_hear_are_told() -> None:
    matcher = prepare_matcher(read_phrase_set(find_phrase_set("bank-counter"))[0])
    assert doctor.spelling(matcher, frozenset({"你"})).state == "wrong"
    assert "问候语" in doctor.spelling(matcher, frozenset({"你"})).said
    spelt = frozenset(piece for _, _, wording in iter_wordings(matcher.phrases) for piece in SLOT.split(wording)[::2])
    assert doctor.spelling(matcher, spelt).state == "ok"


def test_every_line_that_is_wrong_has_a_cure_and_the_exit_code_tells(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    words = (
        "--device",
        "none such",
        "--model",
        model,
        "--phrases",
        "nope",
        "--store",
        tmp_path / "e.db",
        "--seconds",
        1,
    )
    shown = run("doctor", *words)
    assert shown.exit_code == 1
    wrong = [line for line in shown.output.splitlines() if line.startswith("✗")]
    assert len(wrong) >= 3
    assert all(" -> " in line for line in wrong)
    assert {"phrase set:", "model:"} <= {" ".join(line.split()[1:3]).partition(":")[0] + ":" for line in wrong}
    for what in ("Python", "libraries", "rights", "room", "store", "clock"):
        assert f"✓ {what}:" in shown.output


def devices(*names: str, host: str = "ALSA") -> list[Device]:
    return [Device(name, host, 2, 48_000.0, index == 0, index) for index, name in enumerate(names)]


def test_a_microphone_is_found_by_its_name_and_never_by_chance() -> None:
    listed = [
        *devices("Built-in", "USB Audio", "USB Audio 2"),
        Device("USB Audio", "Windows WASAPI", 1, 48e3, default=False, index=7),
    ]
    assert find_device("", listed).name == "Built-in"
    assert find_device("usb audio", listed).host == "Windows WASAPI"
    assert find_device("USB Audio, ALSA", listed).index == 1
    assert find_device("built", listed).index == 0
    with pytest.raises(MicrophoneError, match="Several"):
        find_device("audio", devices("USB Audio", "HD Audio"))
    with pytest.raises(MicrophoneError, match="there are 'Built-in'"):
        find_device("1", devices("Built-in"))
    with pytest.raises(MicrophoneError, match="no microphone"):
        find_device("", [])
    cut = [
        *devices("Microphone (Realtek High Definit", host="MME"),
        *devices("Microphone (Realtek High Definition Audio)"),
    ]
    assert find_device("Realtek", cut).host == "ALSA"


def test_the_level_is_the_peak() -> None:
    assert peak_level(b"") == peak_level(bytes(100)) == -96.0
    assert peak_level((-32768).to_bytes(2, "little", signed=True)) == 0.0
    assert peak_level((3277).to_bytes(2, "little")) == pytest.approx(-20, abs=0.01)


def test_a_counter_of_a_record_has_one_listener_and_its_lock_dies_with_it(tmp_path: Path) -> None:
    place = str(tmp_path / "events.db")
    code = (
        "import sys, time; from counter_listener.lock import only_listener\n"
        f"with only_listener({place!r}, '3'): print('held', flush=True); time.sleep(100)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(BusyError, match="already listens at counter '3'"), lock_counter(place, "3"):
        pass
    with lock_counter(place, "4"), lock_counter(str(tmp_path / "other.db"), "3"):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with lock_counter(f"sqlite:///{place}", "3"):
        pass


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd is for Linux")
def test_systemd_is_told_where_it_asks(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        notify({"NOTIFY_SOCKET": str(tmp_path / "notify")}, "READY=1")
        assert manager.recv(100) == b"READY=1"
    notify({"NOTIFY_SOCKET": str(tmp_path / "gone")}, "READY=1")
    notify({}, "READY=1")
    assert watchdog_seconds({"WATCHDOG_USEC": "60000000"}) == 30.0
    assert watchdog_seconds({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}) == 30.0
    assert watchdog_seconds({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}) is None
    assert watchdog_seconds({}) is None
