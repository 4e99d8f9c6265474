"""The phrase set on the pages: a change is proven and saved as a version, tried, compared, put in force, taken back."""

from __future__ import annotations

import io
import time
import tomllib
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from support.pages_site import PASSWORD, accounts, browser, csrf, settings, sign_in, signed_in
from support.sets_site import SET, faults_of, flashed, form_of, make_record
from support.small_counter import SMALL

from counter_listener.judging import load_matcher
from counter_listener.phrases import sets_folder
from counter_listener.record import open_record
from counter_listener.web.versions import Versions

HERE = f"set={SET}"


class Pages:
    """A supervisor at the pages of a record."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.settings = settings(store, key_file=store.parent / "key" / "key.pem")
        self.client: Any = signed_in(self.settings)
        self.csrf = csrf(self.client, "/phrases")

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def post(self, path: str, **form: str) -> Any:
        return self.client.post(path, data={"csrf": self.csrf, "set": SET, **form})

    def change(self, kind: str = "phrase", name: str = "hello", **fields: str) -> Any:
        """Fills in the form of an entry, and sends it."""
        form = form_of(self.get(f"/phrases/entry?{HERE}&kind={kind}&id={name}").text)
        return self.client.post("/phrases/entry", data={**form, **fields})

    def say(self) -> str:
        """The templates of the greeting."""
        return form_of(self.get(f"/phrases/entry?{HERE}&kind=phrase&id=hello").text)["say"]

    @property
    def versions(self) -> Versions:
        return Versions(self.store)

    def text(self) -> str:
        found = self.versions.find(SET)
        assert found
        return found.text

    def compared(self) -> str:
        """The page that says what would change, once it is known."""
        assert self.post("/phrases/changes").status_code == 303
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            answer = self.client.get(f"/phrases/changes?{HERE}", headers={"hx-request": "true"})
            if answer.status_code == 200:
                return str(answer.text)
            time.sleep(0.1)
        raise AssertionError("nothing was found out")


@pytest.fixture(scope="module")
def worker_pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """One site for the tests that only look, since its worker takes a second to start."""
    pages = Pages(make_record(tmp_path_factory.mktemp("sets")))
    with pages.client:
        yield pages


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    made = Pages(make_record(tmp_path))
    with made.client:
        yield made


def test_a_change_becomes_a_version_which_is_compared_put_in_force_and_taken_back(pages: Pages) -> None:
    assert pages.change(say=pages.say() + "\n早安欢迎光临", example="您好\n早安，欢迎光临").status_code == 303
    assert flashed(pages.get(f"/phrases?{HERE}")) == "Version 1 is saved. It is not in force yet."
    table = tomllib.loads(pages.text())
    assert "早安欢迎光临" in table["stage"][0]["phrase"][0]["say"]
    assert {"id", "title", "say"} <= set(table["stage"][0]["phrase"][0]) | {"title"}
    assert pages.versions.in_force(SET).number == 0

    told = pages.compared()
    assert "2 of 4 visits would be judged otherwise" in told
    assert "The words of all of them are stored" in told
    assert told.count('href="/visits/') == 2
    assert "not heard</td><td>heard</td>" in told.replace("\n", "")

    assert pages.post("/phrases/force", version="1", base="1").status_code == 303
    assert pages.versions.in_force(SET).number == 1
    assert load_matcher(SET, beside=pages.store)[1] == pages.versions.in_force(SET).digest, "check and listen use it"
    assert pages.post("/phrases/force", version="0", base="1").status_code == 303
    assert pages.versions.in_force(SET).number == 2
    assert pages.text() == SMALL
    assert (sets_folder(pages.store) / f"{SET}.toml").read_text(encoding="utf-8") == SMALL
    with open_record(pages.store) as record:
        assert record.verify().broken is None
    page = pages.get(f"/phrases?{HERE}").text
    assert "back to version 0" in page
    assert page.count(" me</") >= 4, "who saved and who put in force is told"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"say": "("}, "it cannot be read"),
        ({"say": "晚上好", "example": "您好"}, "fails: hello was not found"),
        ({"weight": "heavy"}, "weight: 'heavy' is not a number"),
        ({"example": "请慢走"}, "the example '请慢走' fails"),
        ({"stage": ""}, "stage: it is empty"),
        ({"within": "-4"}, "it must be from 0 to"),
    ],
    ids=["template", "example", "number", "new example", "stage", "range"],
)
def test_an_unsound_set_is_refused_as_phrases_check_does(
    worker_pages: Pages, fields: dict[str, str], told: str
) -> None:
    answer = worker_pages.change(**fields)
    assert answer.status_code == 422
    assert told in " ".join(faults_of(answer))
    for name, value in fields.items():
        assert form_of(answer.text)[name].strip() == value, "what was entered is still there"
    assert worker_pages.text() == SMALL


def test_two_who_edit_at_once_do_not_overwrite_each_other(pages: Pages) -> None:
    form = form_of(pages.get(f"/phrases/entry?{HERE}&kind=phrase&id=hello").text)
    assert pages.change(weight="3").status_code == 303
    answer = pages.client.post("/phrases/entry", data={**form, "weight": "4"})
    assert answer.status_code == 409
    assert "Somebody saved version 1" in faults_of(answer)[0]
    assert pages.change(weight="3").status_code == 303
    assert flashed(pages.get(f"/phrases?{HERE}")) == "Nothing was changed."
    assert [one.number for one in pages.versions.all(SET)] == [0, 1]


def test_entries_are_added_and_removed_and_settings_changed(pages: Pages) -> None:
    new = form_of(pages.get(f"/phrases/entry?{HERE}&kind=phrase&stage=greet").text)
    assert new["stage"] == "greet"
    answer = pages.client.post(
        "/phrases/entry", data={**new, "id": "tea", "say": "给您倒杯茶", "title": "倒茶", "example": "给您倒杯茶"}
    )
    assert answer.status_code == 303
    assert pages.change("set", "", **{"score.pass_mark": "75"}).status_code == 303
    table = tomllib.loads(pages.text())
    assert table["score"]["pass_mark"] == 75
    assert table["stage"][0]["phrase"][-1] == {"id": "tea", "title": "倒茶", "say": ["给您倒杯茶"]}
    assert pages.post("/phrases/remove", kind="phrase", was="tea").status_code == 303
    assert "tea" not in pages.text()
    assert pages.post("/phrases/remove", kind="phrase", was="hello").status_code == 422, "visit.opens names it"


def test_a_sentence_is_tried(worker_pages: Pages) -> None:
    found = worker_pages.post("/phrases/try", said="您好，欢迎光临", speaker="clerk").text
    assert "Nothing is found" not in found
    assert "passes" in found
    assert "evidence of the syllables" in found
    near = worker_pages.post("/phrases/try", said="今天天气不错").text
    assert "Nothing is found in it" in near
    hostile = worker_pages.post("/phrases/try", said="<script>alert(1)</script>").text
    assert "<script>" not in hostile


def test_a_sentence_is_spoken(worker_pages: Pages) -> None:
    made = io.BytesIO()
    with (
        wave.open(str(Path(__file__).parents[1] / "fixtures" / "full-marks.wav")) as source,
        wave.open(made, "wb") as wav,
    ):
        wav.setparams(source.getparams())
        wav.writeframes(source.readframes(5 * 16_000))
    headers = {"x-csrf-token": worker_pages.csrf, "content-type": "audio/wav"}

    def send(content: bytes, **more: str) -> Any:
        return worker_pages.client.post(f"/phrases/spoken?{HERE}", content=content, headers={**headers, **more})

    answer = send(made.getvalue())
    assert answer.status_code == 200
    assert "您好" in answer.json()["heard"].replace(" ", "")
    assert 'id="tried"' in answer.json()["html"]
    assert send(b"\0" * 500_000).status_code == 413
    assert send(b"no sound").json() == {"wrong": "This is no WAV; load the page again."}
    assert send(made.getvalue(), **{"x-csrf-token": "forged"}).status_code == 403
    assert "microphone=(self)" in worker_pages.get("/phrases").headers["permissions-policy"]
    assert "microphone=()" in worker_pages.get("/visits").headers["permissions-policy"]


def test_a_spreadsheet_goes_out_and_comes_back(pages: Pages) -> None:
    content = pages.get(f"/phrases/export.xlsx?{HERE}").content
    book: Any = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    column = next(cell.column for cell in sheet[1] if cell.value == "say")
    sheet.cell(3, column).value += "\n早安欢迎光临"
    changed = io.BytesIO()
    book.save(changed)

    def send(file: bytes) -> Any:
        form = {"csrf": pages.csrf, "set": SET, "base": "0"}
        return pages.client.post("/phrases/import", data=form, files={"file": ("words.xlsx", file)})

    assert send(changed.getvalue()).status_code == 303
    assert "早安欢迎光临" in pages.text()
    sheet.cell(3, column).value = "("
    broken = io.BytesIO()
    book.save(broken)
    assert "words.xlsx, sheet 'Phrases', row 3" in faults_of(send(broken.getvalue()))[0]
    assert "this is no spreadsheet" in faults_of(send(b"nothing"))[0]


def test_without_transcripts_the_estimate_says_what_it_rests_on(tmp_path: Path) -> None:
    pages = Pages(make_record(tmp_path, stored=False))
    with pages.client:
        assert pages.change(required="no").status_code == 303
        told = pages.compared()
    assert "No words are stored, only hits" in told
    assert "3 of 4 visits would be judged otherwise" in told, "two without a greeting, and one without a farewell"


def test_who_only_sees_has_no_buttons(tmp_path: Path) -> None:
    store = make_record(tmp_path)
    kept = accounts(tmp_path, "qian", role="auditor")
    kept.add("zhao", "clerk", PASSWORD, settings().clock(), counter="3")
    for name, status in (("qian", 200), ("zhao", 403)):
        client = browser(settings(store, accounts=kept))
        sign_in(client, name)
        assert client.get("/phrases").status_code == status
        assert "/phrases/force" not in client.get("/phrases").text
        assert "<button>Check" not in client.get(f"/phrases/entry?{HERE}&kind=phrase&id=hello").text
    for path in ("set=nope", "set=../small", "kind=nope", f"{HERE}&kind=phrase&id=nope"):
        assert signed_in(settings(store)).get(f"/phrases/entry?{path}").status_code == 404
