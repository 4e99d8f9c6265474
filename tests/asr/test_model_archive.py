"""Hostile and damaged archives: refused with one sentence before anything is written."""

from __future__ import annotations

import io
import stat
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from counter_listener.asr.model_archive import inspect_archive, is_portable_name, unpack
from counter_listener.domain import ModelError

GOOD = {"m/am/final.mdl": b"x" * 500, "m/conf/model.conf": b"--a=b\n", "m/graph/words.txt": b"<eps> 0\n"}


def packed(files: dict[str, bytes], change: Callable[[zipfile.ZipInfo], object] = lambda _: None) -> bytes:
    """An archive of these files; a name that ends in a slash is a folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            change(entry)
            archive.writestr(entry, content)
    return buffer.getvalue()


def twice() -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("m/a", b"one")
        archive.writestr("m/a", b"two")
    return buffer.getvalue()


def link(entry: zipfile.ZipInfo) -> None:
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16


def fifo(entry: zipfile.ZipInfo) -> None:
    entry.external_attr = (stat.S_IFIFO | 0o644) << 16


def named(name: str) -> bytes:
    return packed({**GOOD, name: b"evil"})


def nul() -> bytes:
    return packed({**GOOD, "m/evil": b"x"}).replace(b"m/evil", b"m/e\0il")


def locked() -> bytes:
    content = bytearray(packed(GOOD))
    for magic, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        begin = content.find(magic)
        while begin >= 0:
            content[begin + at] |= 1
            begin = content.find(magic, begin + 1)
    return bytes(content)


def short() -> bytes:
    """Says that a file is longer than it is."""
    content = bytearray(packed(GOOD))
    begin = content.find(b"PK\1\2")
    content[begin + 24 : begin + 28] = (900).to_bytes(4, "little")
    return bytes(content)


def wrong_sum() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("m/am/final.mdl", b"unmistakable")
    return buffer.getvalue().replace(b"unmistakable", b"UNmistakable")


def unusual() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("m/am/final.mdl", b"x" * 1000)
    return buffer.getvalue()


HOSTILE = {
    "out": (named("m/../../evil"), "leads elsewhere or is not valid"),
    "out at once": (named("../evil"), "leads elsewhere or is not valid"),
    "out the Windows way": (named("m/..\\..\\evil"), "leads elsewhere or is not valid"),
    "absolute": (named("/evil"), "leads elsewhere or is not valid"),
    "a drive": (named("C:/evil"), "leads elsewhere or is not valid"),
    "a stream": (named("m/a:b"), "leads elsewhere or is not valid"),
    "a device": (named("m/NUL.txt"), "leads elsewhere or is not valid"),
    "a device with a blank": (named("m/com1 .txt"), "leads elsewhere or is not valid"),
    "ends in a dot": (named("m/a."), "leads elsewhere or is not valid"),
    "ends in a blank": (named("m/a "), "leads elsewhere or is not valid"),
    "here": (named("m/./a"), "leads elsewhere or is not valid"),
    "nothing": (named("m//a"), "leads elsewhere or is not valid"),
    "a line break": (named("m/a\nb"), "leads elsewhere or is not valid"),
    "a NUL": (nul(), "leads elsewhere or is not valid"),
    "too long": (named("m/" + "a/" * 100 + "b"), "leads elsewhere or is not valid"),
    "a link": (packed({"m/am": b"/etc"}, link), "a link or a device"),
    "a pipe": (packed({"m/am": b""}, fifo), "a link or a device"),
    "twice": (twice(), "twice"),
    "twice but for the case": (packed({**GOOD, "m/AM/Final.mdl": b""}), "twice"),
    "twice but for the accent": (packed({**GOOD, "m/\u00e9": b"", "m/e\u0301": b""}), "twice"),
    "a file and a folder": (packed({**GOOD, "m/am": b""}), "a file and a folder"),
    "a bomb": (packed({"m/am/final.mdl": bytes(30_000_000)}), "would unpack to 30,000,000 bytes"),
    "many": (packed({f"m/{number}": b"" for number in range(2_500)}), "2500 entries"),
    "two models": (packed({**GOOD, "n/am/final.mdl": b""}), "does not contain exactly one folder"),
    "no folder": (packed({"final.mdl": b""}), "does not contain exactly one folder"),
    "empty": (packed({}), "does not contain exactly one folder"),
    "locked": (locked(), "locked with a password"),
    "unusual": (unusual(), "packed in an unusual way"),
    "no archive": (b"<html>not found</html>", "is not a complete ZIP file"),
    "nothing at all": (b"", "is not a complete ZIP file"),
    "half": (packed(GOOD)[:-60], "is not a complete ZIP file"),
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_archive_is_refused_before_anything_is_written(hostile: str, tmp_path: Path) -> None:
    content, reason = HOSTILE[hostile]
    archive = tmp_path / "model.zip"
    archive.write_bytes(content)
    with pytest.raises(ModelError) as refused:
        inspect_archive(archive)
    assert str(refused.value).startswith(f"{archive} is not unpacked: ")
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize("content", [short(), wrong_sum()])
def test_an_archive_whose_files_are_not_what_it_says_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.zip").write_bytes(content)
    contents = inspect_archive(tmp_path / "model.zip")
    with pytest.raises(ModelError, match="is not unpacked: it is"):
        unpack(contents, tmp_path / "out" / "m", lambda *_: None)


def test_a_good_archive_is_unpacked_completely(tmp_path: Path) -> None:
    (tmp_path / "model.zip").write_bytes(packed({"m/": b"", "m/am/": b"", **GOOD, "__MACOSX/m/._am": b"of the Finder"}))
    calls: list[tuple[int, int | None]] = []
    contents = inspect_archive(tmp_path / "model.zip")
    assert (contents.folder, contents.size) == ("m", sum(map(len, GOOD.values())))
    unpack(contents, tmp_path / "unpacked", lambda *call: calls.append(call))
    files = {
        f"m/{file.relative_to(tmp_path / 'unpacked').as_posix()}": file.read_bytes()
        for file in tmp_path.rglob("unpacked/*/*")
    }
    assert files == GOOD
    assert calls[-1] == (contents.size, contents.size)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 600), st.binary(min_size=1, max_size=9)), min_size=1, max_size=4))
@example(edits=[(367, b"\x01")])  # a directory that begins before the file does
def test_invariant_5_any_bytes_give_a_model_or_one_sentence(edits: list[tuple[int, bytes]]) -> None:
    content = bytearray(packed(GOOD))
    for at, new in edits:
        content[at : at + len(new)] = new
    with tempfile.TemporaryDirectory() as top:
        archive, into = Path(top, "model.zip"), Path(top, "models", "m")
        archive.write_bytes(content)
        refused = ""
        try:
            unpack(inspect_archive(archive), into, lambda *_: None)
        except ModelError as error:
            refused = str(error)
        assert "\n" not in refused
        assert {file.name for file in Path(top).iterdir()} <= {"model.zip", "models"}
        assert not into.exists() or list(into.parent.iterdir()) == [into]


@given(st.text(max_size=12))
def test_an_accepted_name_is_one_name_on_every_system(part: str) -> None:
    if is_portable_name(part):
        assert Path("a", part).parts == ("a", part)
        assert PureWindowsPath("a", part).parts == ("a", part)
