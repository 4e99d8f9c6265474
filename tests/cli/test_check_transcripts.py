"""Transcripts at the command line: Vosk's results, subtitles and speakers; talk that is no service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import FULL_VISIT, events, run, transcript
from support.small_counter import SMALL_FILE

SMALL_SET = ("--phrases", SMALL_FILE)
CHATTER = ((0.0, 2.0, "今天天气不错我们走吧"), (3.0, 5.0, "他们都到哪里去了呢"))


def cue(number: int, start: float, end: float, text: str) -> str:
    return f"{number}\n00:00:{start:06.3f} --> 00:00:{end:06.3f}\n{text}\n\n"


def subtitles(file: Path, *, tagged: bool) -> Path:
    """The full visit as subtitles of two speakers."""
    head = "WEBVTT\n\n" if file.suffix == ".vtt" else ""
    who = [("SPEAKER_01" if "我要" in text else "SPEAKER_00", start, end, text) for start, end, text in FULL_VISIT]
    form = "<v {}>{}</v>" if tagged else "{}：{}"
    cues = (cue(at, start, end, form.format(name, text)) for at, (name, start, end, text) in enumerate(who, 1))
    file.write_text(head + "".join(cues), encoding="utf-8")
    return file


@pytest.mark.parametrize(("suffix", "tagged"), [(".srt", False), (".vtt", True), (".vtt", False)])
def test_subtitles_are_checked_and_the_user_says_who_speaks(tmp_path: Path, suffix: str, *, tagged: bool) -> None:
    path = subtitles(tmp_path / f"call{suffix}", tagged=tagged)
    roles = ("--speakers", "clerk=SPEAKER_00, customer=SPEAKER_01")
    result = run("check", path, "--format", "jsonl", "--store", "none", *roles, *SMALL_SET)
    found = events(result)
    assert (result.exit_code, found[-1]["score"]) == (0, 100)
    assert {event["speaker"] for event in found if event.get("speaker")} == {"clerk"}
    swapped = run(
        "check", path, "--format", "jsonl", "--store", "none", "--speakers", "customer=SPEAKER_00", *SMALL_SET
    )
    assert events(swapped)[-1]["counts"]["heard"] == 0
    assert "SPEAKER_01" in swapped.stderr


def test_what_was_left_out_is_said_in_every_format(tmp_path: Path) -> None:
    words = [{"word": "您好", "start": 0.0, "end": 0.5, "conf": 1.0}]
    lines = [{"partial": "您"}, {"partial": "您好"}, {"result": words, "text": "您好"}]
    path = tmp_path / "vosk.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    said = "2 partial results were left out"
    result = run("check", path, "--format", "jsonl", "--store", "none", *SMALL_SET)
    assert next(event["message"] for event in events(result) if event["kind"] == "note").startswith(said)
    table = run("check", path, "--store", tmp_path / "e.db", *SMALL_SET)
    assert table.exit_code == 0
    assert f"Note: {path}: {said}" in table.stderr
    assert "note" not in run("events", "--format", "jsonl", "--store", tmp_path / "e.db").stdout


@pytest.mark.parametrize("given", ["", "clerk", "clerk=", "boss=坐席", "=坐席", "clerk=A,customer=A", "clerk=A,,"])
def test_speakers_that_make_no_sense_are_refused(given: str) -> None:
    result = run("check", "a.jsonl", "--speakers", given, "--store", "none", *SMALL_SET)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "--speakers" in result.stderr


def test_who_speaks_is_a_part_of_how_a_transcript_was_judged(tmp_path: Path) -> None:
    path = transcript(tmp_path / "a.jsonl", speaker="甲")
    words = ("check", path, "--store", tmp_path / "e.db", *SMALL_SET)
    assert "Recorded 1" in run(*words, "--speakers", "clerk=甲").stderr
    assert "were judged there with other settings" in run(*words, "--speakers", "customer=甲").stderr
    assert "1 judged again" in run(*words, "--speakers", "customer=甲", "--again").stderr
    assert "explained" not in run("explain", path, "--speakers", "clerk=甲", *SMALL_SET).stderr


def test_every_kind_of_transcript_is_found_in_a_folder(tmp_path: Path) -> None:
    transcript(tmp_path / "a.jsonl")
    subtitles(tmp_path / "b.srt", tagged=False)
    subtitles(tmp_path / "c.VTT", tagged=True).write_bytes(b"WEBVTT\n\n" + (tmp_path / "b.srt").read_bytes())
    result = run("check", tmp_path, "--store", "none", "--format", "jsonl", *SMALL_SET)
    assert sorted({Path(event["source"]).name for event in events(result)}) == ["a.jsonl", "b.srt", "c.VTT"]


def test_no_service_is_told_everywhere_and_kept_off_the_list_of_visits(tmp_path: Path) -> None:
    store = tmp_path / "events.db"
    result = run(
        "check", transcript(tmp_path / "a.jsonl", CHATTER), "--store", store, "--counter", "7", "--fail-under", 50
    )
    assert result.exit_code == 0
    assert "No score: no service." in result.stdout
    assert "0 visits" in result.stdout
    assert "No service: 1" in result.stdout
    run("check", transcript(tmp_path / "b.jsonl"), "--store", store, "--counter", "7")
    tables = json.loads(run("report", "--store", store, "--format", "json").stdout)["tables"]
    assert len(tables["visits"]) == len(tables["no_service"]) == 1
    assert tables["visits"][0]["score"] == 100
    assert tables["no_service"][0]["recording"].endswith("a.jsonl")
    (counter,) = tables["counters"]
    assert (counter["visits"], counter["no_service"], counter["pass_share"]) == (1, 1, 1.0)
    summary = {row["id"]: row["value"] for row in tables["summary"]}
    assert (summary["visits"], summary["no_service"], summary["not_understood"]) == (1, 1, 0)
    page = run("report", "--store", store, "--lang", "zh").stdout
    assert "不是服务" in page
