"""A report in each format, with hostile names: nothing in it runs, breaks the format or controls the terminal."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import unicodedata
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from support.command import FULL_VISIT, program, run, transcript
from support.record_cases import NOW

from counter_listener.domain import Event
from counter_listener.domain.display import UNSAFE
from counter_listener.record import Origin, Recording, open_record
from counter_listener.reports.charts import count_axis

SCRIPT = "<script>alert(1)</script>"
FORMULA = "=cmd|'/C calc'!A0"
LINK = '=HYPERLINK("http://evil.example","x")'
CONTROL = "\x1b[31mred\x07\x00\x9b2J"
BIDI = "abc\u202egnp.exe\u2066"
QUOTES = "\"'><img src=x onerror=alert(1)> {{ 1237*7919 }} {% raw %} ]]>"
HOSTILE = (
    SCRIPT,
    FORMULA,
    LINK,
    CONTROL,
    BIDI,
    QUOTES,
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\tx",
    "x\ny",
    "&amp;&lt;",
    "\ufffe",
    "{=1+1}",
)
VOID = {"meta", "img", "br", "path", "rect", "circle", "line"}


def counts(**known: int) -> dict[str, int]:
    names = ("owed", "heard", "not_heard", "unknown", "recommended", "forbidden", "broken", "kept", "doubtful")
    return {name: known.get(name, 0) for name in names}


def hostile_visit(number: int, name: str) -> list[Event]:
    at = number * 100.0
    evidence = {"title": name, "wording": name, "end": at + 2, "speaker": "clerk"}
    closed = {
        "reason": name,
        "opened": at,
        "seconds": 40.0,
        "lost_audio": False,
        "grade": name,
        "passed": False,
        "counts": counts(owed=1, not_heard=1, forbidden=1, broken=1),
        "scenarios": [name],
    }
    doubt = {**evidence, "required": True, "reason": name}
    offence = {**evidence, "class": name, "severity": name}
    return [
        Event("visit_opened", at, number),
        Event("phrase", at + 1, number, name, name, name, "heard", 90.0, name, {**evidence, "required": True}),
        Event("phrase", at + 1, number, None, None, name, "heard", 90.0, name, {**evidence, "courtesy_word": True}),
        Event("phrase", at + 2, number, name, name, f"{name}2", "unknown", 90.0, name, doubt),
        Event("forbidden", at + 3, number, None, None, name, "forbidden", 90.0, name, offence),
        Event("rule", at + 4, number, None, None, name, "broken", 90.0, name, {**evidence, "severity": name}),
        Event("gap", at + 5, number, detail={"seconds": 1.0, "reason": name}),
        Event("visit_closed", at + 60, number, score=10.0, detail=closed),
    ]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "events.db"
    with open_record(path) as store:
        for number, name in enumerate(HOSTILE):
            sha256 = f"{number:x}".rjust(64, "a")
            began = NOW + timedelta(days=number)
            origin = Origin(f"{number:x}".rjust(12, "a"), sha256, name, began, name, name, name)
            store.add_recording(Recording(sha256, f"/tmp/{name}.wav", 90.0), hostile_visit(number, name), origin, NOW)  # noqa: S108 - it is never made
    return path


@pytest.fixture(scope="module", params=["zh", "en"])
def page(request: pytest.FixtureRequest, hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("page") / "r.html"
    assert run("report", "--store", hostile, "-o", out, "--lang", request.param).exit_code == 0
    return out.read_text(encoding="utf-8")


class Page(HTMLParser):
    """Reads a page, and fails where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags = Counter[str]()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def is_printable(text: str) -> bool:
    """Whether it contains no control characters and no changes of text direction."""
    plain = text.replace("\n", "").replace("\r", "").replace("\t", "")
    return not UNSAFE.search(plain) and all(unicodedata.category(letter) != "Cc" for letter in plain)


def test_a_page_contains_no_script_and_fetches_nothing(page: str) -> None:
    read = Page(page)
    assert not read.tags["script"]
    assert not read.tags["img"]
    assert not read.tags["link"]
    assert not read.tags["iframe"]
    for tag, name, value in read.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name not in {"src", "srcset", "style", "action"}, (tag, name)
        if name in {"href", "xlink:href"}:
            assert (value or "").startswith(("#", "file:")), value
        assert "http" not in (value or "") or not name.endswith(("href", "src", "xmlns")) or "www.w3.org" in str(value)
    assert not re.search(r"url\(|@import", page)
    assert "default-src 'none'" in page


def test_a_page_shows_hostile_names_as_text(page: str) -> None:
    read = Page(page)
    assert SCRIPT in read.text
    assert SCRIPT not in page
    assert QUOTES in read.text
    assert str(1237 * 7919) not in read.text
    assert FORMULA in read.text
    assert "[31mred" in read.text
    assert is_printable(page)


def test_a_page_contains_its_tables_charts_and_definitions(page: str) -> None:
    read = Page(page)
    ids = {value for _, name, value in read.attributes if name == "id"}
    every = (
        "stages steps phrases words rules classes offences complaints counters weekdays hours weeks days times visits"
    )
    assert {*every.split(), "definitions"} <= ids
    assert read.tags["svg"] == 5
    assert read.tags["details"] >= len(HOSTILE)
    assert "Wilson" in read.text or "威尔逊" in read.text
    assert "@page" in page
    assert "@media print" in page
    assert 'name="viewport"' in page


def test_a_page_is_in_the_language_asked_for(hostile: Path, tmp_path: Path) -> None:
    for lang, words in (
        ("zh", ("合格率", "指标说明", "样本少")),
        ("en", ("pass rate", "What the figures mean", "few")),
    ):
        out = tmp_path / f"{lang}.html"
        run("report", "--store", hostile, "-o", out, "--lang", lang)
        assert all(word in out.read_text(encoding="utf-8") for word in words)


@pytest.fixture(scope="module")
def book(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("book") / "r.xlsx"
    assert run("report", "--store", hostile, "-o", out, "--lang", "zh").exit_code == 0
    return zipfile.ZipFile(out)


def parts(book: zipfile.ZipFile, pattern: str) -> list[ET.Element]:
    return [ET.fromstring(book.read(name)) for name in book.namelist() if re.fullmatch(pattern, name)]  # noqa: S314 - we wrote it


MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def test_a_spreadsheet_contains_no_formula_and_no_link(book: zipfile.ZipFile) -> None:
    sheets = parts(book, r"xl/worksheets/sheet\d+\.xml")
    assert len(sheets) == 18
    for sheet in sheets:
        assert not list(sheet.iter(f"{MAIN}f"))
        assert not list(sheet.iter(f"{MAIN}hyperlink"))
    assert not [name for name in book.namelist() if "external" in name or "vba" in name.lower()]
    (strings,) = parts(book, r"xl/sharedStrings\.xml")
    texts = {"".join(one.itertext()) for one in strings.iter(f"{MAIN}si")}
    assert {FORMULA, LINK, SCRIPT, QUOTES, "+1+1", "@SUM(1)", "{=1+1}"} <= texts
    assert all(is_printable(text) for text in texts)


def test_a_spreadsheet_has_tables_filters_frozen_heads_formats_and_charts(book: zipfile.ZipFile) -> None:
    tables = parts(book, r"xl/tables/table\d+\.xml")
    assert len(tables) == 18
    assert all(table.find(f"{MAIN}autoFilter") is not None for table in tables)
    for sheet in parts(book, r"xl/worksheets/sheet\d+\.xml"):
        (pane,) = sheet.iter(f"{MAIN}pane")
        assert pane.get("state") == "frozen"
        assert next(sheet.iter(f"{MAIN}pageSetup")).get("paperSize") == "9"
    (styles,) = parts(book, r"xl/styles\.xml")
    formats = {one.get("formatCode") for one in styles.iter(f"{MAIN}numFmt")}
    assert {"0.0%", "[h]:mm:ss", "yyyy-mm-dd hh:mm:ss"} <= formats
    assert len(parts(book, r"xl/charts/chart\d+\.xml")) == 7


def test_the_headings_of_a_chinese_spreadsheet_are_chinese_and_each_says_what_it_is(book: zipfile.ZipFile) -> None:
    tables = parts(book, r"xl/tables/table\d+\.xml")
    headings = [str(one.get("name")) for table in tables for one in table.iter(f"{MAIN}tableColumn")]
    assert len(headings) > 100
    assert [one for one in headings if re.search(r"[A-Za-z]|\(\d\)", one)] == []


def test_csv_opens_in_excel_and_contains_no_formula(hostile: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.csv"
    assert run("report", "--store", hostile, "-o", out, "--lang", "zh").exit_code == 0
    raw = out.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert len({row["table"] for row in rows}) == 18
    for row in rows:
        for cell in row.values():
            number = re.fullmatch(r"-?[0-9.]+(e-?\d+)?", cell)
            assert number or not cell.startswith(("=", "+", "-", "@")), cell
            assert is_printable(cell)
    assert f"'{FORMULA}" in {row["title"] for row in rows}


@pytest.mark.parametrize("form", ["csv", "json", "html"])
def test_output_to_a_terminal_has_no_control_characters(hostile: Path, form: str) -> None:
    shown = run("report", "--store", hostile, "--format", form, "--lang", "en")
    assert shown.exit_code == 0
    assert is_printable(shown.output)
    assert "[31mred" in shown.output


def test_json_contains_the_words_heard_unchanged(hostile: Path) -> None:
    report = json.loads(run("report", "--store", hostile, "--format", "json", "--lang", "en").stdout)
    assert {SCRIPT, FORMULA, QUOTES} <= {row["heard"] for row in report["tables"]["evidence"]}
    assert report["counters"] == []


def test_evidence_links_into_a_recording_that_is_still_there(tmp_path: Path) -> None:
    recording = tmp_path / "一 'quoted' #1 <b>.wav"
    recording.write_bytes(b"RIFF")
    origin = Origin("a" * 12, "a" * 64, "3", NOW, "set", "hash", "model")
    with open_record(tmp_path / "events.db") as store:
        store.add_recording(Recording("a" * 64, str(recording), 90.0), hostile_visit(1, "x"), origin, NOW)
    run("report", "--store", tmp_path / "events.db", "-o", tmp_path / "r.html", "--lang", "en")
    read = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    links = [value for tag, name, value in read.attributes if (tag, name) == ("a", "href") and "file:" in (value or "")]
    assert len(links) == 5
    parsed = urlsplit(links[0] or "")
    assert unquote(parsed.path).endswith(recording.name)
    assert parsed.fragment == "t=101.0"
    recording.unlink()
    run("report", "--store", tmp_path / "events.db", "-o", tmp_path / "r.html", "--lang", "en")
    assert "file:" not in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("most", "marks"),
    [(1, [0, 1]), (2, [0, 1, 2]), (9, [0, 2, 4, 6, 8, 10]), (40, [0, 5, 10, 15, 20, 25, 30, 35, 40]), (0, [0])],
)
def test_an_axis_of_counts_has_each_whole_number_once(most: int, marks: list[int]) -> None:
    assert count_axis(most) == marks


def test_the_charts_leave_no_import_hook() -> None:
    assert all(hasattr(finder, "find_spec") for finder in sys.meta_path)


def test_a_period_without_visits_says_so_in_every_format(hostile: Path, tmp_path: Path) -> None:
    for form in ("html", "xlsx", "csv", "json"):
        out = tmp_path / f"r.{form}"
        done = run("report", "--store", hostile, "--until", "2001-01-01", "-o", out, "--lang", "en")
        assert done.exit_code == 0
        assert "Reported on 0 visits" in done.stderr
    assert "No visit was closed in this period." in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--format", "xlsx"), 2, "A spreadsheet needs a file"),
        (("-o", "report.pdf"), 2, "has no ending that stands for a format"),
        (("--since", "2026-02-01", "--until", "2026-01-01"), 2, "--since must be before --until"),
        (("--since", "soon"), 2, "is not a time"),
        (("--counter", "nobody\x1b[2J"), 2, "has no counter"),
        (("--phrases", "bank-conter"), 2, "did you mean"),
        (("-o", "no/such/folder/r.html"), 4, "cannot be written"),
    ],
)
def test_what_cannot_be_reported_is_an_error_in_one_sentence(
    hostile: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = run("report", "--store", hostile, *words)
    assert (done.exit_code, len(done.stderr.splitlines())) == (code, 1)
    assert said in done.stderr
    assert is_printable(done.stderr)


def test_without_a_record_there_is_no_report(tmp_path: Path) -> None:
    done = run("report", "--store", tmp_path / "none.db")
    assert done.exit_code == 4
    assert not (tmp_path / "none.db").exists()


def test_a_report_replaces_the_old_file_and_leaves_no_other_file(hostile: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    out.write_text("old", encoding="utf-8")
    run("report", "--store", hostile, "-o", out)
    assert json.loads(out.read_text(encoding="utf-8"))["report"] == "counter-listener"
    assert [one.name for one in tmp_path.iterdir()] == ["r.json"]


def test_the_program_makes_a_report_as_a_separate_process(tmp_path: Path) -> None:
    heard = transcript(tmp_path / "full.jsonl", FULL_VISIT, speaker="clerk")
    run("check", heard, "--store", tmp_path / "e.db", "--counter", "3", "--started", "2026-01-15 09:30")
    done = program("report", "--store", tmp_path / "e.db", "--lang", "zh")
    assert done.returncode == 0, done.stderr
    assert "问候语" in Page(done.stdout).text
