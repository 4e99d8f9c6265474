"""A phrase set as a spreadsheet: nothing is lost on the way, changes arrive, and a bad cell is named."""

from __future__ import annotations

import copy
import io
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.small_counter import SMALL, SMALL_FILE

from counter_listener.cli import cli
from counter_listener.domain import Lang, PhraseSetError, bundled_folder, translator
from counter_listener.phrases import edited, read_phrase_set, read_spreadsheet, write_spreadsheet
from counter_listener.phrases.phrase_file import validate

BUNDLED = sorted(bundled_folder("phrase_sets").glob("*.toml"))
PATH = Path("words.xlsx")
KEYS = {
    "phrase": 0,
    "forbidden": 1,
    "rule": 2,
    "scenario": 3,
    "word": 4,
    "list": 5,
    "stage": 6,
    "aside": 9,
    "manner": 10,
}
"""The number of the sheet of each kind."""


def exported(text: str, lang: Lang = "zh") -> bytes:
    made = io.BytesIO()
    write_spreadsheet(text, made, translator(lang))
    return made.getvalue()


class Book:
    """A spreadsheet in somebody's hands."""

    def __init__(self, content: bytes) -> None:
        self.book: Any = openpyxl.load_workbook(io.BytesIO(content))

    def sheet(self, kind: str) -> Any:
        return self.book.worksheets[KEYS[kind]]

    def column(self, kind: str, key: str) -> int:
        return int(next(cell.column for cell in self.sheet(kind)[1] if cell.value == key))

    def row(self, kind: str, name: str) -> int:
        column = self.column(kind, "id")
        rows = range(3, self.sheet(kind).max_row + 1)
        return next(row for row in rows if self.sheet(kind).cell(row, column).value == name)

    def cell(self, kind: str, name: str, key: str) -> Any:
        return self.sheet(kind).cell(self.row(kind, name), self.column(kind, key))

    def add(self, kind: str, /, **cells: object) -> None:
        row = self.sheet(kind).max_row + 1
        for key, value in cells.items():
            self.sheet(kind).cell(row, self.column(kind, key.rstrip("_")), value)

    def read(self, folder: Path) -> str:
        path = folder / PATH
        self.book.save(path)
        return read_spreadsheet(path)


@pytest.mark.parametrize("lang", ["zh", pytest.param("en", marks=pytest.mark.slow)])
@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_a_spreadsheet_that_comes_back_as_it_went_is_the_same_file(path: Path, lang: Lang, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    plain = tmp_path / PATH
    plain.write_bytes(exported(text, lang))
    assert read_spreadsheet(plain) == text
    assert Book(plain.read_bytes()).read(tmp_path) == text, "saved by another program"


WORDS = st.text("您好请再见一二", min_size=2, max_size=6)
Change = Callable[[dict[str, Any]], None]


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """A change that somebody makes to a set, on its table and so on its file."""
    kinds = ["template", "weight", "required", "entry", "remove", "list", "pass_mark", "example"]
    kind = draw(st.sampled_from(kinds))
    words, number = draw(WORDS), draw(st.integers(0, 9))

    def change(table: dict[str, Any]) -> None:
        phrases = table["stage"][number % len(table["stage"])].setdefault("phrase", [])
        phrase = phrases[number % len(phrases)] if phrases else {}
        match kind:
            case "template" if "say" in phrase:
                phrase["say"].insert(number % (len(phrase["say"]) + 1), words)
            case "weight" if phrase:
                phrase["weight"] = number
            case "required" if phrase:
                phrase["required"] = number > 4
            case "entry":
                phrases.append({"id": f"new-{number}-{len(phrases)}", "say": [words], "title": words})
            case "remove" if len(phrases) > 1:
                phrases.pop()
            case "list":
                table.setdefault("lists", {})[f"new{number}"] = [words, "x"]
            case "pass_mark":
                table.setdefault("score", {})["pass_mark"] = 50 + number
            case "example":
                table.setdefault("example", []).append({"heard": [words], "expect": []})

    return change


@st.composite
def later_changes(draw: st.DrawFn) -> Change:
    """Likewise, on what stands beside the phrases."""
    kind = draw(st.sampled_from(["aside", "service", "manner", "hint"]))
    words, number = draw(WORDS), draw(st.integers(0, 9))

    def change(table: dict[str, Any]) -> None:
        entries = table.setdefault(kind, []) if kind in ("aside", "manner") else []
        phrases = table["stage"][0].get("phrase", [])
        match kind:
            case "hint" if phrases:
                phrases[0]["hint"] = {"show": number > 4, "wait": number, "until": ["hello"], "say": words}
            case "aside":
                entries.append({"id": f"aside-{len(entries)}", "say": [words], "recalls": number > 4})
            case "manner":
                limit = {"id": f"manner-{len(entries)}", "title": words, "figure": "silence", "limit": 20 + number}
                entries.append({**limit, "scored": number > 4, "severity": "grave", "better": words})
            case "service":
                table["visit"].setdefault("service", {})[("least", "word")[number % 2]] = number

    return change


ALL_CHANGES = st.one_of(changes(), later_changes())


@pytest.mark.parametrize(
    "path",
    [
        *(pytest.param(path, marks=pytest.mark.slow, id=path.stem) for path in BUNDLED),
        pytest.param(SMALL_FILE, id="small"),
    ],
)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=st.lists(ALL_CHANGES, min_size=1, max_size=4))
def test_what_is_changed_in_a_file_is_changed_and_nothing_else(path: Path, made: list[Change]) -> None:
    text = path.read_text(encoding="utf-8")
    table = tomllib.loads(text)
    for change in made:
        change(table)
    new = edited(text, table)
    assert tomllib.loads(new) == table
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert [line for line in new.splitlines() if line.startswith("#")] == comments


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=st.lists(ALL_CHANGES, min_size=1, max_size=5))
def test_any_set_comes_back_from_its_spreadsheet(tmp_path_factory: pytest.TempPathFactory, made: list[Change]) -> None:
    table = tomllib.loads(SMALL)
    for change in made:
        change(table)
    text = edited(SMALL, table)
    path = tmp_path_factory.mktemp("book") / PATH
    path.write_bytes(exported(text))
    try:
        assert read_spreadsheet(path) == text
    except PhraseSetError:  # the change itself made no sound set
        with pytest.raises(PhraseSetError):
            read_written(text, path.with_suffix(".toml"))


def read_written(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
    read_phrase_set(path)


@pytest.fixture
def book() -> Book:
    return Book(exported(SMALL))


def test_changes_arrive(book: Book, tmp_path: Path) -> None:
    before = tomllib.loads(SMALL)
    stage = before["stage"][0]
    first = stage["phrase"][0]
    book.cell("phrase", first["id"], "say").value += "\n早安"
    book.cell("phrase", first["id"], "weight").value = 3
    book.cell("phrase", first["id"], "required").value = "否"
    book.add("phrase", stage=stage["id"], id="obliged", title="致谢", say="感激不尽\n承蒙关照", example="感激不尽")
    book.add("list", kind="词表", id="fruit", entries="苹果\n梨")
    book.sheet("forbidden").delete_rows(book.row("forbidden", before["forbidden"][0]["id"]))
    after = tomllib.loads(book.read(tmp_path))
    wanted = copy.deepcopy(before)
    wanted["stage"][0]["phrase"][0]["say"].append("早安")
    wanted["stage"][0]["phrase"][0] |= {"weight": 3, "required": False}
    wanted["stage"][0]["phrase"].append({"id": "obliged", "title": "致谢", "say": ["感激不尽", "承蒙关照"]})
    wanted.setdefault("lists", {})["fruit"] = ["苹果", "梨"]
    del wanted["forbidden"][0]
    gone = before["forbidden"][0]["id"]
    assert {key: value for key, value in after.items() if key != "example"} == {
        key: value for key, value in wanted.items() if key != "example"
    }
    assert {"heard": ["感激不尽"], "expect": ["obliged"]} in after["example"]
    assert gone not in str(after["forbidden"])


def test_hints_asides_manner_and_the_proof_of_a_service_arrive(book: Book, tmp_path: Path) -> None:
    first = tomllib.loads(SMALL)["stage"][0]["phrase"][0]["id"]
    for key, value in {"hint.show": "是", "hint.wait": 7, "hint.after": "opened", "hint.say": "您好"}.items():
        book.cell("phrase", first, key).value = value
    book.add("aside", id="telephone", say="您哪位", recalls="否", example="您哪位")
    book.add("manner", id="slower", title="太快", figure="语速", limit=5.5, scored="是", severity="较重")
    settings_sheet = book.book.worksheets[-2]
    row = next(cells for cells in settings_sheet.iter_rows(min_row=3) if cells[0].value == "visit.service.least")
    row[2].value = 4
    text = book.read(tmp_path)
    read_written(text, tmp_path / "back.toml")
    after = tomllib.loads(text)
    hint = {"show": True, "after": ["opened"], "wait": 7, "say": "您好"}
    assert after["stage"][0]["phrase"][0]["hint"] == hint
    assert after["aside"] == [{"id": "telephone", "say": ["您哪位"], "recalls": False}]
    limit = {"id": "slower", "title": "太快", "figure": "rate", "limit": 5.5, "scored": True, "severity": "serious"}
    assert after["manner"] == [limit]
    assert after["visit"]["service"] == {"least": 4}
    again = Book(exported(text))
    for key in ("hint.show", "hint.wait", "hint.after", "hint.say"):
        again.cell("phrase", first, key).value = None
    again.sheet("manner").delete_rows(again.row("manner", "slower"))
    emptied = tomllib.loads(again.read(tmp_path))
    assert "hint" not in emptied["stage"][0]["phrase"][0]
    assert not emptied.get("manner")


def bad_cells() -> Iterator[tuple[Callable[[Book], None], str]]:
    first = tomllib.loads(SMALL)["stage"][0]["phrase"][0]["id"]
    yield lambda book: _set(book, first, "weight", "heavy"), "row 3, '权重': 'heavy' is not a number"
    yield lambda book: _set(book, first, "required", "maybe"), "row 3, '必说': 'maybe' is neither yes nor no"
    yield lambda book: _set(book, first, "stage", "nowhere"), "row 3, '阶段': there is no 'nowhere'; write one of"
    yield lambda book: _set(book, first, "stage", None), "row 3, '阶段': it is empty; fill it in"
    yield lambda book: _set(book, first, "say", "您好\n(您好"), "row 3, '说法': '(您好'"
    yield lambda book: _set(book, first, "weight", -3), "row 3: phrase"
    yield lambda book: book.add("phrase", stage="greet", id=first, say="您好"), "stands in row 3 too"
    yield lambda book: _set(book, first, "hint.wait", -1), "'hint', 'wait' is -1; it must be from 0 to 3600"
    yield lambda book: book.add("manner", id="m", title="x", figure="语速", limit=99), "'limit' is 99; it must be"
    yield lambda book: book.add("manner", id="m", title="x", figure="fast", limit=6), "'fast' is not possible; write"
    yield lambda book: book.add("rule", id="r9", title="x", when="请"), "it is empty; fill it in, or remove the row"


def _set(book: Book, name: str, key: str, value: object) -> None:
    book.cell("phrase", name, key).value = value


@pytest.mark.parametrize(("spoil", "told"), list(bad_cells()), ids=[str(n) for n in range(11)])
def test_a_bad_cell_is_named_with_its_sheet_and_row(
    book: Book, spoil: Callable[[Book], None], told: str, tmp_path: Path
) -> None:
    spoil(book)
    with pytest.raises(PhraseSetError) as error:
        book.read(tmp_path)
    assert told in str(error.value)
    assert f"{tmp_path / PATH}, sheet " in str(error.value)


def test_a_removed_stage_takes_nothing_with_it_in_silence(book: Book, tmp_path: Path) -> None:
    stage = tomllib.loads(SMALL)["stage"][0]["id"]
    book.sheet("stage").delete_rows(book.row("stage", stage))
    with pytest.raises(PhraseSetError, match=f"there is no '{stage}'"):
        book.read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + b"\0" * 18, b"id,say\n", SMALL.encode()], ids=range(4))
def test_what_is_no_such_spreadsheet_is_refused_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / PATH
    path.write_bytes(content)
    with pytest.raises(PhraseSetError, match="words"):
        read_spreadsheet(path)


def test_a_spreadsheet_without_its_hidden_sheet_is_refused(book: Book, tmp_path: Path) -> None:
    del book.book["source"]
    with pytest.raises(PhraseSetError, match="hidden sheet 'source' is missing"):
        book.read(tmp_path)


def test_the_commands_write_and_read_files_and_overwrite_none(tmp_path: Path) -> None:
    def run(*words: str) -> Any:
        return CliRunner().invoke(cli, ["--lang", "en", "phrases", *words])

    table, back, own = (str(tmp_path / name) for name in ("a.xlsx", "b.toml", "own.toml"))
    assert run("copy", str(SMALL_FILE), own).exit_code == 0
    assert Path(own).read_text(encoding="utf-8") == SMALL
    assert run("export", own, table).exit_code == 0
    assert run("import", table, "--to", back).exit_code == 0
    assert Path(back).read_text(encoding="utf-8") == SMALL
    for again in (("copy", own, own), ("export", own, table), ("import", table, "--to", back)):
        answer = run(*again)
        assert answer.exit_code == 2
        assert "exists already" in answer.output
    assert validate(tomllib.loads(Path(back).read_text(encoding="utf-8")), Path(back)).name
