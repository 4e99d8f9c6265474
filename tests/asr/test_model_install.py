"""Installing and removing: a model is installed completely or not at all, whatever interrupts it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from support.command import run
from support.http_server import Site, partial_download, serving

from counter_listener.asr.model_check import has_all_checksums, verify_model
from counter_listener.asr.model_files import CHECKSUMS, available_models, find_model
from counter_listener.asr.model_storage import ORIGIN
from counter_listener.cli.options import DEFAULT_MODEL
from counter_listener.domain import bundled_folder

BUNDLED = bundled_folder("models") / DEFAULT_MODEL
NAME = "small-cn-0.22"
ARCHIVE = f"vosk-model-{NAME}.zip"


def packed(folder: Path = BUNDLED, name: str = f"vosk-model-{NAME}") -> bytes:
    """A model packed as its makers do: one folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            archive.write(file, f"{name}/{file.relative_to(folder).as_posix()}")
    return buffer.getvalue()


CONTENT = packed()
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own; gives the folder of models in it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "counter-listener" / "models"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    file = tmp_path / "copied.zip"
    file.write_bytes(CONTENT)
    return file


def entries(home: Path) -> list[str]:
    """The entries of the folder of models, except the lock and an empty folder of downloads."""
    names = sorted(entry.name for entry in home.iterdir()) if home.exists() else []
    return [
        name for name in names if name != ".lock" and not (name == ".downloads" and not list((home / name).iterdir()))
    ]


def refusal(*words: object, code: int = 2) -> str:
    result = run("models", *words)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_a_known_model_is_fetched_by_name_and_used(home: Path) -> None:
    with serving(Site(CONTENT, ["cut:1000000", "good"])) as site:
        mirror = site.url.replace("http://", "http://user:secret@")
        done = run("models", "install", NAME, "--mirror", mirror, "--sha256", DIGEST.upper())
        assert done.exit_code == 0, done.output
        assert "Authorization" in site.requests[0]
        assert [request["path"] for request in site.requests] == [f"/{ARCHIVE}"] * 2
        assert entries(home) == [NAME]
        again = run("models", "install", f"vosk-model-{NAME}", "--mirror", site.url)
        assert "is already installed and complete; nothing was done" in again.stdout
        assert len(site.requests) == 2
    assert find_model(NAME) == find_model(f"vosk-model-{NAME}") == home / NAME
    assert has_all_checksums(home / NAME)
    origin = json.loads((home / NAME / ORIGIN).read_text(encoding="utf-8"))
    assert (origin["source"], origin["sha256"], origin["verified"]) == (f"{site.url}/{ARCHIVE}", DIGEST, "given")


def test_a_server_that_serves_another_file_installs_nothing(home: Path) -> None:
    with serving(Site(CONTENT[:-1] + b"x")) as site:
        assert "another file than" in refusal("install", NAME, "--mirror", site.url, "--sha256", DIGEST)
    assert entries(home) == []


def test_a_model_without_a_known_checksum_is_not_even_requested(home: Path) -> None:
    with serving(Site(CONTENT)) as site:
        message = refusal("install", "cn-0.22", "--mirror", site.url)
        assert "No checksum of vosk-model-cn-0.22.zip is known" in message
        assert "--accept-unverified" in message
        assert site.requests == []
    assert entries(home) == []


def test_an_archive_without_a_known_checksum_is_refused_unless_accepted(archive: Path, home: Path) -> None:
    message = refusal("install", archive)
    assert DIGEST in message
    assert "--accept-unverified" in message
    assert "damaged or another file" in refusal("install", archive, "--sha256", "0" * 64)
    assert "64 hexadecimal digits" in refusal("install", archive, "--sha256", "abc")
    assert entries(home) == []
    assert run("models", "install", archive, "--accept-unverified").exit_code == 0
    assert entries(home) == [NAME]
    assert "not verified by a checksum" in run("models", "list").stdout
    assert "nothing shows that it is what its makers published" in run("models", "verify", NAME).stdout


def test_an_archive_by_an_official_name_must_be_the_official_one(archive: Path, home: Path) -> None:
    official = archive.rename(archive.with_name(ARCHIVE))
    message = refusal("install", official, "--accept-unverified")
    assert "damaged or another file" in message
    assert "3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba" in message
    assert entries(home) == []


def test_a_folder_is_copied_whole(tmp_path: Path, home: Path) -> None:
    source = tmp_path / "vosk-model-mine-1.0"
    shutil.copytree(BUNDLED, source)
    (source / CHECKSUMS).unlink()
    (source / "README").write_text("more than a model needs", encoding="utf-8")
    assert run("models", "install", source).exit_code == 0
    shutil.rmtree(source)
    assert (home / "mine-1.0" / "README").read_text(encoding="utf-8") == "more than a model needs"
    assert run("models", "verify", "mine-1.0").exit_code == 0
    listed = {line.split("  ")[1] for line in (home / "mine-1.0" / CHECKSUMS).read_text().splitlines()}
    files = {
        file.relative_to(home / "mine-1.0").as_posix() for file in (home / "mine-1.0").rglob("*") if file.is_file()
    }
    assert listed == files - {CHECKSUMS}


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, home: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "is not a model's folder: am/final.mdl is missing" in refusal("install", tmp_path / "empty")
    half = tmp_path / "half"
    shutil.copytree(BUNDLED, half)
    (half / "graph" / "Gr.fst").unlink()
    assert "a folder has none" in refusal("install", half, "--sha256", DIGEST)
    assert f"{half} is not a usable model: incomplete" in refusal("install", half)
    linked = tmp_path / "linked"
    shutil.copytree(BUNDLED, linked)
    (linked / "more").symlink_to(tmp_path, target_is_directory=True)
    assert "is a link to a folder" in refusal("install", linked)
    assert "overlaps the folder of installed models" in refusal("install", tmp_path)
    assert entries(home) == []


def test_what_libvosk_cannot_load_is_not_installed_though_its_own_list_fits(tmp_path: Path, home: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(BUNDLED, broken)
    (broken / "am/final.mdl").write_bytes((broken / "am/final.mdl").read_bytes()[:100_000])
    digest = hashlib.sha256((broken / "am/final.mdl").read_bytes()).hexdigest()
    lines = (broken / CHECKSUMS).read_text().splitlines()
    kept = [f"{digest}  am/final.mdl" if line.endswith("am/final.mdl") else line for line in lines]
    (broken / CHECKSUMS).write_text("\n".join(kept) + "\n")
    verify_model(broken)
    assert "libvosk cannot load this model" in refusal("install", broken)
    assert entries(home) == []


@pytest.mark.parametrize("what", ["no-such-model", "x" * 5000, "a/b/c.zip", ""])
def test_an_unknown_name_is_refused_with_the_known_ones(what: str) -> None:
    assert "known are small-cn-0.22, cn-0.22, cn-kaldi-multicn-0.15, small-en-us-0.15" in refusal("install", what)


def test_the_bundled_model_is_neither_installed_over_nor_removed(archive: Path, home: Path) -> None:
    assert "ships with the program; there is nothing to install" in refusal("install", DEFAULT_MODEL)
    assert "is the bundled model's name" in refusal("install", archive, "--accept-unverified", "--name", DEFAULT_MODEL)
    assert "ships with the program and cannot be removed" in refusal("remove", DEFAULT_MODEL, "--yes")
    assert entries(home) == []


@pytest.mark.parametrize("name", ["../evil", "a/b", "NUL", ".hidden", "a.", "模型", ""])
def test_a_name_that_is_not_valid_on_every_system_is_refused(name: str, archive: Path, home: Path) -> None:
    message = refusal("install", archive, "--accept-unverified", "--name", name) if name else ""
    assert "choose a name" in message or not name
    assert entries(home) == []


@pytest.mark.slow  # installs four times
def test_another_model_of_that_name_is_replaced_only_on_request(archive: Path, tmp_path: Path, home: Path) -> None:
    assert run("models", "install", archive, "--accept-unverified", "--name", "mine").exit_code == 0
    same = run("models", "install", archive, "--accept-unverified", "--name", "mine")
    assert "is already installed and complete" in same.stdout
    other = tmp_path / "mine"
    shutil.copytree(BUNDLED, other)
    (other / "README").write_text("another", encoding="utf-8")
    assert "add --replace" in refusal("install", other)
    assert not (home / "mine" / "README").exists()
    assert run("models", "install", other, "--replace").exit_code == 0
    assert (home / "mine" / "README").exists()
    assert entries(home) == ["mine"]


def test_a_damaged_model_is_replaced_by_installing_it_again(archive: Path, home: Path) -> None:
    words = ("models", "install", archive, "--accept-unverified")
    assert run(*words).exit_code == 0
    (home / NAME / "graph" / "words.txt").write_text("damaged", encoding="utf-8")
    assert "is damaged (its checksum differs); install the model again" in refusal("verify", NAME)
    assert run(*words).exit_code == 0
    assert run("models", "verify", NAME).exit_code == 0


def test_a_disk_that_is_too_small_is_reported_before_anything_is_written(tmp_path: Path, home: Path) -> None:
    huge = tmp_path / "huge"
    shutil.copytree(BUNDLED, huge)
    with (huge / "am" / "more").open("wb") as file:
        file.truncate(1 << 43)  # holes: 8 TB that take no room
    message = refusal("install", huge)
    assert "MB free, and 8,388,7" in message
    assert entries(home) == []


def test_a_folder_that_cannot_be_written_is_reported(archive: Path, home: Path) -> None:
    home.parent.mkdir(parents=True)
    home.write_text("a file, where the folder should be", encoding="utf-8")
    assert f"{home} cannot be written" in refusal("install", archive, "--accept-unverified")


def test_a_model_is_removed_only_by_name_and_with_consent(archive: Path, home: Path) -> None:
    assert run("models", "install", archive, "--accept-unverified").exit_code == 0
    assert "add --yes" in refusal("remove", NAME)
    for name in ("no-such-model", "..", ".", "", ".lock", str(home / NAME)):
        assert "No model" in refusal("remove", name, "--yes")
    assert entries(home) == [NAME]
    assert run("models", "remove", NAME, "--yes").stdout == f"{NAME} is removed.\n"
    assert entries(home) == []
    assert NAME not in available_models()


def test_what_is_listed_and_where_it_is(archive: Path, home: Path) -> None:
    shown = run("models", "list").stdout.splitlines()
    assert shown[0].split()[:4] == [DEFAULT_MODEL, "bundled,", "in", "use"]
    assert any(line.startswith("small-cn-0.22         known") and "43.9 MB" in line for line in shown)
    assert "    CER 23.54 % SpeechIO-02, 38.29 % SpeechIO-06, 17.15 % THCHS" in shown
    assert any("no checksum" in line for line in shown)
    assert max(map(len, shown)) <= 80
    assert run("models", "path").stdout.strip() == str(home)
    assert run("models", "path", DEFAULT_MODEL).stdout.strip() == str(BUNDLED)
    assert "models install small-cn-0.22" in refusal("path", NAME)
    assert run("models", "install", archive, "--sha256", DIGEST).exit_code == 0
    line = next(line for line in run("models", "list").stdout.splitlines() if line.startswith(NAME))
    assert "installed" in line
    assert "Apache-2.0" in line


def program(home: Path, *words: object) -> subprocess.Popen[str]:
    environment: dict[str, Any] = {**os.environ, "XDG_DATA_HOME": str(home.parent.parent)}
    command = [sys.executable, "-m", "counter_listener", "models", *map(str, words)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        start_new_session=True,
    )


def until(true: Any, seconds: float = 20) -> None:
    for _ in range(int(seconds * 50)):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it never came")


@pytest.mark.parametrize("how", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)])
def test_an_interrupted_install_leaves_no_half_model_and_goes_on_later(how: signal.Signals, home: Path) -> None:
    with serving(Site(CONTENT, ["slow:200", "good"])) as site:
        words = ("install", NAME, "--mirror", site.url, "--sha256", DIGEST)
        first = program(home, *words)
        until(lambda: list(home.glob(".downloads/*.part")) and len(partial_download(home / ".downloads")) > 100_000)
        first.send_signal(how)
        _, message = first.communicate(timeout=20)
        assert entries(home) == [".downloads"]
        if how == signal.SIGINT:
            assert first.returncode == 130
            assert message.startswith("Interrupted; nothing was installed.")
        kept = len(partial_download(home / ".downloads"))
        assert run("models", *words).exit_code == 0
        assert site.ranges() == [None, f"bytes={kept}-"]
    assert entries(home) == [NAME]


def test_a_kill_while_unpacking_leaves_nothing_that_counts_as_a_model(archive: Path, home: Path) -> None:
    first = program(home, "install", archive, "--accept-unverified")
    until(lambda: list(home.glob(".staging-*/*/am/final.mdl")))
    first.kill()
    first.communicate(timeout=20)
    if entries(home) != [NAME]:
        assert NAME not in available_models()
        assert run("models", "install", archive, "--accept-unverified").exit_code == 0
    assert entries(home) == [NAME]


def test_two_installs_at_once_are_safe(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mirror is a setting of the environment here."""
    with serving(Site(CONTENT, ["slow:10", "good"])) as site:
        monkeypatch.setenv("COUNTER_LISTENER_MIRROR", f"{site.url}/vosk/")
        first = program(home, "install", NAME, "--sha256", DIGEST)
        until(lambda: site.requests)
        second = run("models", "install", NAME, "--sha256", DIGEST)
        first.communicate(timeout=100)
        assert (first.returncode, second.exit_code) == (0, 0)
        assert [request["path"] for request in site.requests] == [f"/vosk/{ARCHIVE}"]
    assert "waiting for it to finish" in second.stderr
    assert "nothing was done" in second.stdout
    assert entries(home) == [NAME]
    verify_model(home / NAME)
