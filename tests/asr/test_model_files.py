"""Models: a damaged one is refused with a sentence, and never reaches libvosk in our own process."""

from __future__ import annotations

import json
import random
import shutil
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from counter_listener.asr import model_check
from counter_listener.asr.model_check import model_vocabulary, try_grammar, verify_model
from counter_listener.asr.model_files import CHECKSUMS, available_models, find_model
from counter_listener.asr.recognizer import load_model
from counter_listener.domain import ModelError, bundled_folder

BUNDLED = bundled_folder("models") / "counter-cn"


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
    message = str(refused.value)
    assert str(folder) in message
    assert "\n" not in message
    return message


def overwrite(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def cut(name: str, size: int) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "am/final.mdl").unlink(), "incomplete: am/final.mdl is missing"),
        (lambda folder: (folder / "conf/model.conf").unlink(), "incomplete: conf/model.conf is missing"),
        (lambda folder: (folder / "graph/Gr.fst").unlink(), "incomplete: graph/HCLG.fst, or"),
        (lambda folder: (folder / "graph/words.txt").unlink(), "incomplete: graph/words.txt is missing"),
        (overwrite("graph/words.txt", b""), "graph/words.txt is empty"),
        (overwrite("graph/words.txt", b"\xff\xfe"), "graph/words.txt is damaged"),
        (overwrite("graph/words.txt", "您好 one\n".encode()), "graph/words.txt is damaged"),
        (cut("graph/Gr.fst", 9), "graph/Gr.fst is not a graph"),
        (overwrite("graph/HCLr.fst", b"nothing of the kind"), "graph/HCLr.fst is not a graph"),
        (overwrite("am/final.mdl", b"nothing of the kind"), "am/final.mdl is not an acoustic model"),
        (cut("am/final.mdl", 100_000), "one of its files is damaged"),
        (cut("graph/HCLr.fst", 50_000), "one of its files is damaged"),
    ],
)
def test_a_damaged_model_is_refused_with_one_sentence(
    model: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(model)
    assert message in refusal(model)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 24))])
def test_invariant_5_any_bytes_in_a_model_give_a_model_or_one_sentence(model: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    file = chance.choice(sorted(file for file in model.rglob("*") if file.is_file() and file.name != "LICENSE"))
    content = bytearray(file.read_bytes())
    begin = chance.randrange(len(content))
    content[begin : begin + chance.randrange(1, 400)] = chance.randbytes(chance.randrange(400))
    file.write_bytes(content)
    with suppress(ModelError):
        verify_model(model)


def test_the_bundled_model_is_held_to_its_checksums(tmp_path: Path) -> None:
    folder = tmp_path / "bundled"
    shutil.copytree(BUNDLED, folder)
    content = bytearray((folder / "am/final.mdl").read_bytes())
    content[2_000_000] ^= 1
    (folder / "am/final.mdl").write_bytes(content)
    assert "am/final.mdl is damaged (its checksum differs)" in refusal(folder)


@pytest.mark.parametrize(
    "listing", [b"", *(pytest.param(each, marks=pytest.mark.slow) for each in (b"\xff\xfe", b"nothing of the kind\n"))]
)
def test_a_list_of_checksums_that_is_not_whole_proves_nothing(model: Path, listing: bytes) -> None:
    (model / CHECKSUMS).write_bytes(listing)
    (model / "graph/HCLr.fst").write_bytes((model / "graph/HCLr.fst").read_bytes()[:50_000])
    assert "damaged" in refusal(model)


def test_every_file_of_the_bundled_model_has_its_checksum() -> None:
    listed = {line.split("  ")[1] for line in (BUNDLED / CHECKSUMS).read_text().splitlines()}
    files = {str(file.relative_to(BUNDLED).as_posix()) for file in BUNDLED.rglob("*") if file.is_file()}
    assert files - listed == {CHECKSUMS, "LICENSE"}


def test_a_good_model_without_checksums_is_tried_and_taken(model: Path) -> None:
    verify_model(model)


def test_models_are_found_by_name_and_by_folder(model: Path) -> None:
    assert available_models()["counter-cn"] == BUNDLED
    assert find_model("counter-cn") == BUNDLED
    assert find_model(str(model)) == model
    with pytest.raises(ModelError, match=r"no model 'small-cn'. Choose one of counter-cn"):
        find_model("small-cn")


def test_the_vocabulary_holds_words_and_nothing_else() -> None:
    words = model_vocabulary(BUNDLED)
    assert {"您好", "请", "再见"} <= words
    assert not {"<eps>", "[unk]", "#0"} & words


def text(words: str) -> bytes:
    encoded = words.encode()
    return struct.pack("<i", len(encoded)) + encoded


def carry_words_in_the_graph(folder: Path, flags: int = 2) -> None:
    """Moves graph/words.txt into the graph itself, as the official small models have it."""
    table = folder / "graph/words.txt"
    entries = [line.split() for line in table.read_text(encoding="utf-8").splitlines()]
    table.unlink()
    symbols = struct.pack("<i", 2_125_658_996) + text("words.txt") + struct.pack("<qq", len(entries), len(entries))
    symbols += b"".join(text(word) + struct.pack("<q", int(number)) for word, number in entries)
    graph = (folder / "graph/Gr.fst").read_bytes()
    at = 4 + len(text("const")) + len(text("standard")) + 4
    rest = at + 4 + 4 * 8
    carried = symbols * flags.bit_count()
    (folder / "graph/Gr.fst").write_bytes(
        graph[:at] + struct.pack("<i", flags) + graph[at + 4 : rest] + carried + graph[rest:]
    )


@pytest.mark.parametrize("flags", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_a_model_that_carries_its_words_in_the_graph_is_taken_and_heard_with(model: Path, flags: int) -> None:
    words = model_vocabulary(model)
    carry_words_in_the_graph(model, flags)
    verify_model(model)
    assert model_vocabulary(model) == words
    assert try_grammar(model, words) == "able"


def test_invariant_5_a_damaged_word_table_gives_words_or_one_sentence(model: Path) -> None:
    carry_words_in_the_graph(model)
    file = model / "graph/Gr.fst"
    whole = file.read_bytes()
    for seed in range(20):
        chance = random.Random(seed)  # noqa: S311 - no secret
        content = bytearray(whole)
        begin = chance.randrange(4, 400)
        content[begin : begin + 8] = chance.randbytes(chance.randrange(1, 12))
        file.write_bytes(content[: chance.choice([None, 200, 5000])])
        with suppress(ModelError):
            model_vocabulary(model)


def test_a_static_graph_is_told_to_have_no_grammar(model: Path) -> None:
    (model / "graph/HCLG.fst").write_bytes((model / "graph/Gr.fst").read_bytes())
    assert try_grammar(model, model_vocabulary(model)) == "static"


@pytest.mark.parametrize(
    ("recognised", "support"),
    [(["好", "好"], "able"), (["好", "再见"], "ignored"), ([], "unproven"), (["[unk]"], "unproven")],
)
def test_only_words_that_were_asked_for_prove_a_grammar(
    recognised: list[str], support: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = CompletedProcess("", 0, json.dumps(recognised))
    monkeypatch.setattr(model_check, "_run_trial", lambda *_: trial)
    assert try_grammar(model, ["您", "好"]) == support


def test_libvosk_that_dies_over_a_grammar_is_one_sentence(model: Path) -> None:
    (model / "graph/HCLr.fst").write_bytes((model / "graph/HCLr.fst").read_bytes()[:50_000])
    with pytest.raises(ModelError, match="cannot use this model with a grammar"):
        try_grammar(model, {"您好"})
