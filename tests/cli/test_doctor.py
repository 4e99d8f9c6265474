"""The checks of `doctor`, the lock of a counter, and the notifications to systemd, on this machine as it is."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.bundled import matcher
from support.command import run

from counter_listener.audio import Device, find_device, peak_level
from counter_listener.cli.commands import doctor
from counter_listener.domain import BusyError, Event, MicrophoneError
from counter_listener.live import notify, watchdog_seconds
from counter_listener.phrases import READINGS, iter_templates, split_units
from counter_listener.record import Origin, lock_counter, open_key, open_record

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
ORIGIN = Origin("live-1", "live", "3", NOW, "set", "0" * 64, "model")


def record(path: Path, recorded: datetime = NOW) -> Path:
    with open_record(path) as store:
        store.append([Event("gap", 1.0, detail={"seconds": 1.0, "reason": "x"})], ORIGIN, recorded)
    return path


def check_record(location: Path, key_file: Path | None = None) -> dict[str, doctor.Finding]:
    """The findings on a record, by their subjects."""
    return {finding.subject: finding for finding in doctor.check_record(str(location), NOW, key_file)}


def test_a_library_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_libraries().state == "ok"
    monkeypatch.setitem(sys.modules, "vosk", None)
    finding = doctor.check_libraries()
    assert (finding.state, finding.text) == ("wrong", "cannot be loaded: vosk")
    assert finding.remedy


def test_an_intact_record_has_only_good_findings(tmp_path: Path) -> None:
    found = check_record(record(tmp_path / "events.db"))
    assert {finding.state for finding in found.values()} == {"ok"}
    assert "1 rows, and the chain is intact" in found["store"].text


def test_a_changed_record_is_detected(tmp_path: Path) -> None:
    path = record(tmp_path / "events.db")
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TRIGGER events_no_update")
        raw.execute("UPDATE events SET kind = 'phrase'")
    raw.close()
    finding = check_record(path)["store"]
    assert finding.state == "wrong"
    assert "row 1" in finding.text
    assert finding.remedy


def test_a_record_of_the_future_shows_a_wrong_clock(tmp_path: Path) -> None:
    path = record(tmp_path / "events.db", NOW + timedelta(days=2))
    with open_record(path) as store:
        later = Origin("live-2", "live", "3", NOW + timedelta(days=2), "set", "0" * 64, "model")
        store.append([Event("gap", 1.0, detail={"seconds": 1.0, "reason": "x"})], later, NOW + timedelta(days=2))
    assert check_record(path)["record's time"].state == "wrong"


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_the_right_of_others_to_read_is_told_and_doctor_takes_it_from_them(tmp_path: Path) -> None:
    path, key = record(tmp_path / "events.db"), tmp_path / "keys" / "key.pem"
    open_key(key, create=True)
    stored = tmp_path / "events.db.transcripts" / "x.jsonl"
    stored.parent.mkdir(0o755)
    stored.touch(0o644)
    for shared in (path, key):
        shared.chmod(0o664)
    told = run("events", "--store", path)
    assert told.exit_code == 0
    assert f"Warning: other users may read {path}" in told.stderr
    found = [one for one in doctor.check_record(str(path), NOW, key) if one.subject == "rights"]
    assert [one.state for one in found] == ["ok", *["warning"] * 4]
    modes = [each.stat().st_mode & 0o777 for each in (path, key, stored.parent, stored)]
    assert modes == [0o600, 0o600, 0o700, 0o600]
    assert [one.state for one in doctor.check_record(str(path), NOW, key) if one.subject == "rights"] == ["ok"]
    assert run("events", "--store", path).stderr == ""


def test_a_key_beside_its_record_or_damaged_is_told(tmp_path: Path) -> None:
    path = record(tmp_path / "events.db")
    assert check_record(path, tmp_path / "key.pem")["key"].state == "ok"
    open_key(tmp_path / "key.pem", create=True)
    finding = check_record(path, tmp_path / "key.pem")["key"]
    assert (finding.state, "move it" in finding.remedy) == ("warning", True)
    (tmp_path / "key.pem").write_text("x")
    assert check_record(path, tmp_path / "key.pem")["key"].state == "wrong"


def test_a_record_that_does_not_exist_yet_is_not_a_fault(tmp_path: Path) -> None:
    found = check_record(tmp_path / "a" / "events.db")
    assert {finding.state for finding in found.values()} == {"ok"}
    assert not (tmp_path / "a").exists()


def test_a_clock_that_is_years_behind_or_was_set_is_detected() -> None:
    assert doctor.check_clock(NOW, NOW + timedelta(seconds=3), 3.0).state == "ok"
    assert doctor.check_clock(NOW, NOW + timedelta(hours=1), 3.0).state == "warning"
    assert doctor.check_clock(NOW.replace(year=1999), NOW.replace(year=1999), 0.0).state == "wrong"


def test_phrases_that_a_model_cannot_recognise_are_named() -> None:
    finding = doctor.check_vocabulary(matcher(), frozenset({"你"}))
    assert finding.state == "wrong"
    assert "问候语" in finding.text
    phrases = matcher().phrases
    texts = [text for _, _, text in iter_templates(phrases)]
    texts += [*phrases.rules.values(), *(word for words in phrases.lists.values() for word in words)]
    vocabulary = frozenset({*READINGS, *(unit for text in texts for unit in split_units(text))})
    assert doctor.check_vocabulary(matcher(), vocabulary).state == "ok"


def test_every_wrong_line_has_a_remedy_and_the_exit_code_is_1(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    settings = ("--device", "none such", "--model", model, "--phrases", "nope", "--store", tmp_path / "e.db")
    shown = run("doctor", *settings, "--seconds", 1)
    assert shown.exit_code == 1
    wrong = [line for line in shown.output.splitlines() if line.startswith("✗")]
    assert len(wrong) >= 3
    assert all(" -> " in line for line in wrong)
    assert {"phrase set:", "model:"} <= {" ".join(line.split()[1:3]).partition(":")[0] + ":" for line in wrong}
    for what in ("Python", "libraries", "rights", "room", "store", "clock"):
        assert f"✓ {what}:" in shown.output


def devices(*names: str, host: str = "ALSA") -> list[Device]:
    return [Device(name, host, 2, 48_000.0, index == 0, index) for index, name in enumerate(names)]


def test_a_microphone_is_found_by_its_name_only() -> None:
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
    location = str(tmp_path / "events.db")
    code = (
        "import time; from counter_listener.record import lock_counter\n"
        f"with lock_counter({location!r}, '3'): print('held', flush=True); time.sleep(100)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(BusyError, match="already listens at counter '3'"), lock_counter(location, "3"):
        pass
    with lock_counter(location, "4"), lock_counter(str(tmp_path / "other.db"), "3"):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with lock_counter(f"sqlite:///{location}", "3"):
        pass


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd is for Linux")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # sdnotify leaves its socket unclosed
def test_systemd_is_notified_if_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify("READY=1")
        assert manager.recv(100) == b"READY=1"
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")
    assert watchdog_seconds({"WATCHDOG_USEC": "60000000"}) == 30.0
    assert watchdog_seconds({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}) == 30.0
    assert watchdog_seconds({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}) is None
    assert watchdog_seconds({}) is None
