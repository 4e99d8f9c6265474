"""`setup`: a counter is set up in one go, asked or by options, again and again, with a real microphone and server."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.command import run, transcript
from support.listening import FIXTURES
from support.serving import serving
from support.virtual_microphone import MISSING, WHY_NOT, Sound, virtual_sound

from counter_listener.record import read_server

SILENT = ("setup", "--non-interactive")
COMMAND = [sys.executable, "-m", "counter_listener", "setup", "--lang", "en"]


def settings(file: Path) -> dict[str, object]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def test_settings_are_written_explained_and_a_second_time_nothing_changes(tmp_path: Path) -> None:
    file = tmp_path / "new" / "counter.toml"
    words = (*SILENT, "--config", file, "--counter", "3", "--language", "zh", "--channel", "2")
    done = run(*words, "--lang", "en")
    assert done.exit_code == 0
    assert "was written" in done.stdout
    assert "counter-listener listen" in done.stdout, "the next step is told"
    text = file.read_text(encoding="utf-8")
    assert {"counter": "3", "language": "zh", "channel": 2}.items() <= settings(file).items()
    assert text.count("\n# ") > 10
    assert "holds these settings already" in run(*words, "--lang", "en").stdout
    assert file.read_text(encoding="utf-8") == text


def test_what_somebody_wrote_beside_the_settings_stays(tmp_path: Path) -> None:
    file = tmp_path / "counter.toml"
    file.write_text('# our branch\ncounter = "old" # of 2024\nmemory_limit = 900\n', encoding="utf-8")
    assert run(*SILENT, "--config", file, "--counter", "7").exit_code == 0
    assert file.read_text(encoding="utf-8") == '# our branch\ncounter = "7" # of 2024\nmemory_limit = 900\n'


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--code", "ABCD-EFGH"), 2, "--server"),
        (("--server", "https://bank.invalid"), 2, "--code"),
        (("--server", "ftp://bank.invalid", "--code", "ABCD-EFGH"), 2, "https://"),
        (("--server", "http://127.0.0.1:9", "--code", "ABCD-EFGH"), 4, "127.0.0.1"),
        (("--channel", "99"), 2, "channel"),
        (("--server", "https://bank.invalid", "--code", "A", "--store", "none"), 2, "store"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence_and_nothing_is_written(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "counter.toml"
    store = () if "--store" in words else ("--store", tmp_path / "events.db")
    refused = run(*SILENT, "--config", file, *store, *words, "--lang", "en")
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (code, 1), refused.stderr
    assert said in refused.stderr
    assert not file.exists()


def test_a_settings_file_that_is_none_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "counter.toml"
    file.write_text("counter = [", encoding="utf-8")
    refused = run(*SILENT, "--config", file, "--counter", "3")
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (2, 1)
    assert file.read_text(encoding="utf-8") == "counter = ["


def test_a_counter_is_made_known_to_a_real_server_once(tmp_path: Path) -> None:
    server = tmp_path / "server.db"
    assert run("check", transcript(tmp_path / "one.jsonl"), "--store", server).exit_code == 0
    code = run("counters", "add", "3", "--store", server).stdout.strip()
    with serving(server, "--receive") as (_, link):
        url = link.partition("/sign-in")[0]
        file, store = tmp_path / "counter.toml", tmp_path / "here" / "events.db"
        words = (*SILENT, "--config", file, "--store", store, "--counter", "3", "--server", url, "--code", code)
        done = run(*words)
        assert done.exit_code == 0, done.stderr
        known = read_server(store)
        assert known is not None
        assert (known.url, known.counter) == (url, "3")
        assert run(*words).exit_code == 0, "the code is used up, but the counter is known"
        assert read_server(store) == known


@pytest.fixture(scope="module")
def sound() -> Iterator[Sound]:
    """A microphone at a counter."""
    with virtual_sound() as sound:
        sound.plug_in("counter")
        yield sound


def asked(sound: Sound, file: Path, *words: str, typed: str = "") -> tuple[int, str, str]:
    """Exit code and output of `setup` as a process of its own; once it asks for a greeting, a visit is played."""
    command = [*COMMAND, "--config", str(file), "--store", str(file.with_name("events.db")), *words]
    env = {**os.environ, **sound.hearing("counter"), "PYTHONUTF8": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with ExitStack() as stack, subprocess.Popen(command, env=env, encoding="utf-8", **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(typed)
        process.stdin.close()
        told = []
        for line in process.stdout:
            told.append(line)
            if "Say a greeting" in line:
                player = stack.enter_context(sound.play("counter", FIXTURES / "full-marks.wav"))
                stack.callback(player.kill)  # it has heard enough long before the end of the visit
        return process.wait(300), "".join(told), process.stderr.read()


@pytest.mark.slow  # test_listen_page and test_listen hear somebody every day
@pytest.mark.skipif(bool(MISSING), reason=WHY_NOT)
def test_a_person_is_asked_step_by_step_and_is_heard(sound: Sound, tmp_path: Path) -> None:
    file = tmp_path / "counter.toml"
    code, told, error = asked(sound, file, "--microphone", "pulse", typed="en\n3\n\n")
    assert code == 0, told + error
    assert {"counter": "3", "language": "en", "device": "pulse"}.items() <= settings(file).items()
    assert "Recognised:" in told
    assert "✓" in told
    assert sorted(each.name for each in tmp_path.iterdir()) == ["counter.toml"], "nothing was recorded"


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=WHY_NOT)
def test_the_microphone_is_chosen_by_its_level(sound: Sound, tmp_path: Path) -> None:
    file = tmp_path / "counter.toml"
    code, told, error = asked(sound, file, "--no-test", typed="en\n\n3\n\n")
    assert code == 0, told + error
    assert settings(file)["device"] in {"pulse", "default"}
    assert " dB" in told


@pytest.mark.skipif(bool(MISSING), reason=WHY_NOT)
def test_a_microphone_that_is_not_there_is_refused_by_name(sound: Sound, tmp_path: Path) -> None:
    file = tmp_path / "counter.toml"
    code, _, error = asked(sound, file, "--non-interactive", "--microphone", "Studio 9000")
    assert (code, len(error.splitlines())) == (3, 1)
    assert "Studio 9000" in error
    assert not file.exists()
