"""Models: a damaged one is refused with a sentence, and never reaches libvosk in our own process."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from counter_listener.errors import ModelError
from counter_listener.models import CHECKSUMS, find_model, installed, verify, vocabulary
from counter_listener.recognizer import load_model
from counter_listener.shipped import shipped

BUNDLED = shipped("models") / "counter-cn-seed"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the bundled model, without its checksums: as any other model comes."""
    folder = tmp_path / "model"
    shutil.copytree(BUNDLED, folder)
    (folder / CHECKSUMS).unlink()
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as refused:
        load_model(folder)
    told = str(refused.value)
    assert str(folder) in told
    assert "\n" not in told
    return told


def overwrite(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def cut(name: str, size: int) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: (folder / "am/final.mdl").unlink(), "half a model, am/final.mdl is missing"),
        (lambda folder: (folder / "conf/model.conf").unlink(), "half a model, conf/model.conf is missing"),
        (lambda folder: (folder / "graph/Gr.fst").unlink(), "half a model, graph/HCLG.fst or"),
        (overwrite("graph/words.txt", b""), "graph/words.txt is empty"),
        (overwrite("graph/words.txt", b"\xff\xfe"), "graph/words.txt is damaged"),
        (overwrite("graph/words.txt", "您好 one\n".encode()), "graph/words.txt is damaged"),
        (overwrite("graph/HCLr.fst", b"nothing of the kind"), "graph/HCLr.fst is no graph"),
        (overwrite("am/final.mdl", b"nothing of the kind"), "am/final.mdl is no acoustic model"),
        (cut("am/final.mdl", 100_000), "a file of it is damaged"),
        (cut("graph/HCLr.fst", 50_000), "a file of it is damaged"),
    ],
)
def test_a_damaged_model_is_refused_with_one_sentence(model: Path, damage: Callable[[Path], object], told: str) -> None:
    damage(model)
    assert told in refusal(model)


@pytest.mark.parametrize("seed", range(12))
def test_invariant_5_any_bytes_in_a_model_give_a_model_or_one_sentence(model: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    file = chance.choice(sorted(file for file in model.rglob("*") if file.is_file() and file.name != "LICENSE"))
    content = bytearray(file.read_bytes())
    begin = chance.randrange(len(content))
    content[begin : begin + chance.randrange(1, 400)] = chance.randbytes(chance.randrange(400))
    file.write_bytes(content)
    with suppress(ModelError):
        verify(model)


def test_the_bundled_model_is_held_to_its_checksums(tmp_path: Path) -> None:
    folder = tmp_path / "bundled"
    shutil.copytree(BUNDLED, folder)
    content = bytearray((folder / "am/final.mdl").read_bytes())
    content[2_000_000] ^= 1
    (folder / "am/final.mdl").write_bytes(content)
    assert "am/final.mdl is damaged (its checksum differs)" in refusal(folder)


@pytest.mark.parametrize("listing", [b"", b"\xff\xfe", b"nothing of the kind\n"])
def test_a_list_of_checksums_that_is_not_whole_proves_nothing(model: Path, listing: bytes) -> None:
    (model / CHECKSUMS).write_bytes(listing)
    (model / "graph/HCLr.fst").write_bytes((model / "graph/HCLr.fst").read_bytes()[:50_000])
    assert "damaged" in refusal(model)


def test_every_file_of_the_bundled_model_has_its_checksum() -> None:
    listed = {line.split("  ")[1] for line in (BUNDLED / CHECKSUMS).read_text().splitlines()}
    files = {str(file.relative_to(BUNDLED).as_posix()) for file in BUNDLED.rglob("*") if file.is_file()}
    assert files - listed == {CHECKSUMS, "LICENSE"}


def test_a_good_model_without_checksums_is_tried_and_taken(model: Path) -> None:
    verify(model)


def test_models_are_found_by_name_and_by_folder(model: Path) -> None:
    assert installed()["counter-cn-seed"] == BUNDLED
    assert find_model("counter-cn-seed") == BUNDLED
    assert find_model(str(model)) == model
    with pytest.raises(ModelError, match=r"no model 'small-cn'; at hand are counter-cn-seed"):
        find_model("small-cn")


def test_the_vocabulary_holds_words_and_nothing_else() -> None:
    words = vocabulary(BUNDLED)
    assert {"您好", "请", "再见"} <= words
    assert not {"<eps>", "[unk]", "#0"} & words


def test_libvosk_never_gets_to_download() -> None:
    """vosk.Model downloads when it is given a name or a language; ours is only ever given a folder."""
    code = """
import socket, sys
def refuse(*args, **kwargs): raise AssertionError("the network was used")
socket.socket.connect = refuse
from counter_listener.models import find_model
from counter_listener.recognizer import load_model
load_model(find_model("counter-cn-seed"))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
    source = (shipped("models").parent / "counter_listener" / "recognizer.py").read_text(encoding="utf-8")
    assert source.count("Model(") == 1
    assert "Model(model_path=" in source
