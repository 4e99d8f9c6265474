"""The commands for the record and for phrase sets."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest
from support.catalogue import click_texts
from support.command import RUDE_VISIT, run, transcript
from support.small_counter import FRAMED, SMALL, SMALL_FILE, small

from counter_listener.phrases import unspellable_templates


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A record of one good and one rude visit."""
    good = transcript(tmp_path / "2026-01-15_09-30-00.jsonl")
    rude = transcript(tmp_path / "2026-02-15_09-30-00.jsonl", RUDE_VISIT)
    assert run("check", good, rude, "--store", tmp_path / "events.db", "--counter", "3").exit_code == 0
    return tmp_path / "events.db"


def listed(*words: object) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("events", *words, "--format", "jsonl").stdout.splitlines()]


def test_events_are_found_by_visit_time_phrase_and_verdict(store: Path) -> None:
    everything = listed("--store", store)
    visits = {str(event["visit"]) for event in everything}
    assert len(visits) == 2
    assert {event["counter"] for event in everything} == {"3"}
    for visit in visits:
        found = listed("--store", store, "--visit", visit)
        assert found == [event for event in everything if event["visit"] == visit]
    assert {e["phrase"] for e in listed("--store", store, "--verdict", "forbidden")} == {"not-my-business"}
    assert {e["verdict"] for e in listed("--store", store, "--phrase", "hello")} == {"heard", "not_heard"}
    assert len({e["visit"] for e in listed("--store", store, "--since", "2026-02-01")}) == 1


def test_events_are_shown_as_a_table_and_as_csv(store: Path) -> None:
    table = run("events", "--store", store)
    assert table.exit_code == 0
    assert "not-my-business" not in table.stdout, "people read titles"
    assert "forbidden" in table.stdout
    head, *rows = run("events", "--store", store, "--format", "csv").stdout.splitlines()
    assert head.startswith("seq,wall,counter,visit,at,kind,")
    assert len(rows) == len(listed("--store", store))


def test_verify_names_the_first_changed_row(store: Path) -> None:
    assert run("events", "verify", "--store", store).exit_code == 0
    assert run("events", "--store", store, "verify").exit_code == 0
    with sqlite3.connect(store) as database:
        database.execute("drop trigger events_no_update")
        (row,) = database.execute("select seq from events where verdict = 'forbidden'").fetchone()
        database.execute("update events set verdict = 'heard' where seq = ?", (row,))
    result = run("events", "verify", "--store", store)
    assert result.exit_code == 4
    assert f"row {row}" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_purge_removes_old_visits_and_records_itself(store: Path) -> None:
    result = run("purge", "--before", "2026-02-01", "--store", store, "--yes")
    assert result.exit_code == 0
    left = listed("--store", store)
    assert [event["kind"] for event in left if event["kind"] == "purge"] == ["purge"]
    assert {event["visit"] for event in left if event["visit"]} == {
        e["visit"] for e in left if e["kind"] == "visit_closed"
    }
    assert len({event["visit"] for event in left if event["visit"]}) == 1
    assert run("events", "verify", "--store", store).exit_code == 0
    assert "0 rows" in run("purge", "--before", "2026-02-01", "--store", store, "--yes").stdout
    unasked = run("purge", "--before", "2030-01-01", "--store", store)
    assert (unasked.exit_code, "add --yes" in unasked.stderr) == (2, True)
    assert listed("--store", store) != []
    bad = run("purge", "--before", "soon", "--store", store, "--yes")
    assert (bad.exit_code, len(bad.stderr.splitlines())) == (2, 1)


def test_a_backup_is_the_same_record_and_never_overwrites(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert run("backup", copy, "--store", store).exit_code == 0
    assert listed("--store", copy) == listed("--store", store)
    again = run("backup", copy, "--store", store)
    assert (again.exit_code, len(again.stderr.splitlines())) == (4, 1)


def test_a_record_that_does_not_exist_is_not_created(tmp_path: Path) -> None:
    for words in (
        ["events"],
        ["events", "verify"],
        ["purge", "--before", "2026-01-01", "--yes"],
        ["backup", "copy.db"],
    ):
        result = run(*words, "--store", tmp_path / "none.db")
        assert (result.exit_code, len(result.stderr.splitlines())) == (4, 1)
    assert list(tmp_path.iterdir()) == []


def test_phrase_sets_are_listed() -> None:
    shown = run("phrases", "list").stdout
    assert "bank-counter" in shown
    assert "service-desk-en" in shown


def test_a_shipped_phrase_set_passes_its_own_check() -> None:
    result = run("phrases", "check", "service-desk-en")
    assert result.exit_code == 0
    assert "; 0 faults" in result.stdout


def test_the_check_counts_the_sentences_of_the_templates(tmp_path: Path) -> None:
    file = tmp_path / "branch.toml"
    file.write_text(SMALL.replace('"请慢走", ', '"(请|您)慢走", "[您][请](走好|慢走)[啊|哦]", '), encoding="utf-8")
    assert run("phrases", "check", file).stdout.startswith("26 templates spell 50 sentences.\n")
    lines = run("phrases", "check", file, "--list").stdout.splitlines()
    assert [line.split() for line in lines if "慢走" in line][:2] == [
        ["goodbye", "2", "(请|您)慢走"],
        ["goodbye", "24", "[您][请](走好|慢走)[啊|哦]"],
    ]
    assert len(lines) == 28
    many = "".join(f"[{word}]" for word in "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥") * 3
    file.write_text(SMALL.replace('"请慢走", ', f'"{many}请慢走", '), encoding="utf-8")
    assert "spell 7.4 × 10^19 sentences." in run("phrases", "check", file).stdout


def test_a_template_that_says_the_opposite_fails_the_check(tmp_path: Path) -> None:
    file = tmp_path / "branch.toml"
    file.write_text(SMALL.replace('"这事不归我管"', '"这事[不]归我管"'), encoding="utf-8")
    result = run("phrases", "check", file)
    assert result.exit_code == 2
    assert "the template '这事[不]归我管' of 'not-mine' also says the opposite." in result.stdout
    assert "有意思相反的说法" in run("phrases", "check", file, "--lang", "zh").stdout


def test_a_template_of_which_every_word_may_be_missing_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "branch.toml"
    file.write_text(SMALL.replace('"这事不归我管"', '"[这事][不归我管]"'), encoding="utf-8")
    result = run("phrases", "check", file)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "'[这事][不归我管]', which has no word that must be heard" in result.stderr


def test_a_wording_that_is_matched_to_another_phrase_fails_the_check(tmp_path: Path) -> None:
    file = tmp_path / "branch.toml"
    file.write_text(SMALL, encoding="utf-8")
    assert run("phrases", "check", file).exit_code == 0
    file.write_text(
        SMALL.replace('say = ["这事不归我管"]', 'say = ["对不起这事不归我管"]\nunless = ["对不起"]'), encoding="utf-8"
    )
    result = run("phrases", "check", file)
    assert result.exit_code == 2
    assert "is heard as" in result.stdout


def test_a_sentence_is_tried() -> None:
    shown = run("phrases", "try", "bank-counter", "您好，出示身份证，再见").stdout
    assert "sounds: nin hao chu shi shen fen zheng zai jian" in shown
    assert "hello" in shown
    assert "broken" in shown
    assert "customers say it too" in shown
    assert run("phrases", "try", "bank-counter", "今天天气不错").stdout.splitlines()[-1] == "nothing"


def test_a_sentence_that_is_tried_shows_its_frames(tmp_path: Path) -> None:
    file = tmp_path / "framed.toml"
    file.write_text(FRAMED, encoding="utf-8")

    def tried(text: str, *words: object) -> str:
        return run("phrases", "try", file, text, *words).stdout

    assert "“这事不归我管” does not count in the frame “转述”\nnothing\n" in tried("他上次说这事不归我管")
    assert "“这事不归我管” for “这事不归我管”, 100, in the frame “假设”" in tried("要是这事不归我管")
    assert "customers say it too, in the frame “像客户的话”" in tried("你们这事不归我管")
    assert "属于“转述”，不算" in tried("他上次说这事不归我管", "--lang", "zh")
    assert "frame" not in tried("这事不归我管")
    assert "frame" not in tried("他上次说这事不归我管", "--speaker", "customer")


def test_wordings_that_a_model_cannot_recognise_are_named() -> None:
    shown = run("phrases", "vocabulary", SMALL_FILE, "--model", "counter-cn")
    assert shown.exit_code == 0
    assert "words in the model" in shown.stdout
    without = {
        each.template: each.lacking
        for each in unspellable_templates(small().phrases, frozenset({"您", "号", "请", "慢走", "再见"}))
    }
    assert without["您好"] == "characters"  # 号 sounds like 好
    assert without["请问您办理什么业务"] == "sounds"
    assert not {"请慢走", "再见请慢走", "再见", "请"} & set(without)


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["check", "--help"],
        ["models", "install", "--help"],
        ["chek"],
        ["check"],
        ["check", "--jobs"],
        ["check", "--jobs", "0", "a.wav"],
        ["check", "--jobs", "x", "a.wav"],
        ["check", "--format", "xml", "a.wav"],
        ["check", "--agian", "a.wav"],
        ["check", "--again=1", "a.wav"],
        ["purge"],
        ["models", "path", "a", "b"],
    ],
    ids=" ".join,
)
def test_what_click_says_is_translated(words: list[str]) -> None:
    shown = run(*words, "--lang=zh").output
    assert re.search("[一-鿿]", shown)
    for text in click_texts():
        for part in re.split(r"\{[^}]*\}|%\([^)]*\)s|\n", " ".join(text) if isinstance(text, tuple) else text):
            assert len(part) < 8 or part not in shown, text
