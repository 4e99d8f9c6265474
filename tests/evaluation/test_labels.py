"""Labels: what they may contain, and the error with file and line for everything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.small_counter import small

from counter_listener.domain import LabelsError
from counter_listener.evaluation.labels import Label, read_labels
from counter_listener.evaluation.scoring import LabelledPhrase

KNOWN = ("hello", "goodbye")
GOOD = {"file": "a.wav", "seconds": 60, "said": [{"id": "hello", "start": 0.5, "end": 2}]}


def labels(folder: Path, *lines: object) -> Path:
    (folder / "a.wav").touch()
    (folder / "b.jsonl").touch()
    file = folder / "labels.jsonl"
    file.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines), encoding="utf-8")
    return file


def test_labels_name_files_relative_to_them(tmp_path: Path) -> None:
    more = {"file": "b.jsonl", "seconds": 3.5, "said": [{"id": "goodbye", "start": 0, "end": 1, "optional": True}]}
    nothing = {"file": str(tmp_path / "labels.jsonl"), "seconds": 1, "said": [], "note": "a key of the user's own"}
    assert read_labels(labels(tmp_path, GOOD, more, nothing), KNOWN) == [
        Label(tmp_path / "a.wav", 60.0, (LabelledPhrase("hello", 0.5, 2.0),)),
        Label(tmp_path / "b.jsonl", 3.5, (LabelledPhrase("goodbye", 0.0, 1.0, optional=True),)),
        Label(tmp_path / "labels.jsonl", 1.0, ()),
    ]


def test_titles_are_those_of_phrases_offences_and_rules() -> None:
    assert list(small().phrases.titles()) == [
        "hello", "ask-need", "thanks", "goodbye", "sympathise", "none-left", "not-mine",
        "request-please", "refusal-sorry",
    ]  # fmt: skip


def said(**change: object) -> dict[str, object]:
    return {**GOOD, "said": [{"id": "hello", "start": 0.5, "end": 2, **change}]}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (["a", "list"], "a JSON object like"),
        ({}, '"file" to be the name'),
        ({**GOOD, "file": ""}, '"file" to be the name'),
        ({**GOOD, "file": 7}, '"file" to be the name'),
        ({**GOOD, "file": "none.wav"}, "none.wav is not a file"),
        ({**GOOD, "file": "."}, "is not a file"),
        ({**GOOD, "file": "x" * 5000}, "is not a file"),
        ({**GOOD, "file": "a\0.wav"}, "is not a file"),
        ({**GOOD, "seconds": 0}, "more than 0"),
        ({**GOOD, "seconds": "60"}, '"seconds" to be a number'),
        ({**GOOD, "seconds": float("nan")}, '"seconds" to be a number'),
        ({**GOOD, "seconds": 10**400}, '"seconds" to be a number'),
        ({**GOOD, "said": {}}, '"said" to be a list'),
        ({**GOOD, "said": ["hello"]}, 'each of "said"'),
        (said(id="helo"), "did you mean 'hello'?"),
        (said(id=None), "the phrase set has no 'None'"),
        (said(id=["hello"]), "the phrase set has no"),
        (said(id="word-please"), "the phrase set has no"),
        (said(start=3), "in this order"),
        (said(end=61), "in this order"),
        (said(end=True), '"end" to be a number'),
        (said(start=-1), '"start" to be a number'),
        (said(optional="yes"), '"optional" to be true or false'),
        (GOOD, "each file once, but a.wav is in line 1 too"),
    ],
)
def test_an_invalid_label_is_an_error_with_file_and_line(tmp_path: Path, bad: object, reason: str) -> None:
    file = labels(tmp_path, GOOD, bad)
    with pytest.raises(LabelsError) as caught:
        read_labels(file, KNOWN)
    assert f"{file}, line 2: expected" in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe", b"{", b"[" * 100_000, b'{"seconds": ' + b"9" * 5000])
def test_a_file_without_labels_is_an_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_bytes(content)
    with pytest.raises(LabelsError, match=r"labels\.jsonl"):
        read_labels(file, KNOWN)


def test_a_file_that_does_not_exist_or_is_a_folder_is_an_error(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none.jsonl", tmp_path / ("x" * 5000)):
        with pytest.raises(LabelsError):
            read_labels(place, KNOWN)


ANYTHING = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5)
ENTRIES = st.lists(st.dictionaries(st.sampled_from(["id", "start", "end", "optional"]), ANYTHING), max_size=2)
RECORDS = st.fixed_dictionaries(
    {}, optional={"file": ANYTHING | st.just("a.wav"), "seconds": ANYTHING | st.just(9), "said": ANYTHING | ENTRIES}
)


@given(record=RECORDS)
def test_any_json_object_is_a_label_or_an_error(
    record: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    try:
        (label,) = read_labels(labels(folder, record), KNOWN)
    except LabelsError as error:
        assert "labels.jsonl, line 1: expected" in str(error)  # noqa: PT017 - both results are right
    else:
        assert label.path.is_file()
        assert all(one.id in KNOWN and 0 <= one.start <= one.end for one in label.phrases)
