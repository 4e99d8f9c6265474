"""Transcripts, good and bad."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.asr.transcripts import read_transcript
from counter_listener.domain import Speaker, TranscriptError, Utterance, Word


def put(folder: Path, content: str | bytes) -> Path:
    """A transcript of these lines."""
    path = folder / "visit.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def line(text: str, start: float = 0.0, end: float = 1.0, **more: object) -> str:
    """One utterance."""
    return json.dumps({"start": start, "end": end, "text": text, **more}, ensure_ascii=False) + "\n"


def read(folder: Path, content: str | bytes) -> list[Utterance]:
    """All utterances."""
    return list(read_transcript(put(folder, content)))


def words(folder: Path, text: str) -> list[str]:
    """The words that a text is split into."""
    content = json.dumps({"start": 0, "end": 1, "text": text})
    return [word.text for utterance in read(folder, content) for word in utterance.words]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("您好，请问", ["您", "好，", "请", "问"]),
        ("你好 请问", ["你", "好", "请", "问"]),
        ("请出示VIP卡2张。", ["请", "出", "示", "VIP", "卡", "2", "张。"]),
        ("您好 ，请问……", ["您", "好，", "请", "问……"]),
        ("“您好！”", ["您", "好！”"]),
        ("don't worry, A-level at 3.5%", ["don't", "worry,", "A-level", "at", "3.5%"]),
        ("yes.no,3.5万", ["yes.", "no,", "3.5", "万"]),
        ("二〇二六年 人々", ["二", "〇", "二", "六", "年", "人", "々"]),
        ("cafe\u0301 tea", ["café", "tea"]),
        ("您\x1b[31m好\u202e吗\u2066\x00", ["您[", "31m", "好", "吗"]),
        ("您\t好\u3000吗\u2028呢", ["您", "好", "吗", "呢"]),
        ("好\ud800的", ["好", "的"]),
    ],
)
def test_splitting(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert words(tmp_path, text) == expected


def test_time_is_spread_over_characters(tmp_path: Path) -> None:
    (utterance,) = read(tmp_path, line("您好，welcome", 10.0, 19.0))
    assert utterance.words == (Word("您", 10.0, 11.0), Word("好，", 11.0, 12.0), Word("welcome", 12.0, 19.0))
    assert (utterance.start, utterance.end, utterance.speaker) == (10.0, 19.0, "unknown")


def test_given_words_are_kept(tmp_path: Path) -> None:
    given_words = [
        {"word": "您好", "start": 0.5, "end": 1.0, "conf": 1.0},
        {"text": "，", "start": 1.0, "end": 1.0},
        {"text": " 请问\x07 ", "start": 1.2, "end": 2.1},
        {"word": "", "start": 1.9, "end": 2.0},
    ]
    (utterance,) = read(tmp_path, line("", 0.5, 2.0, words=given_words))
    assert utterance.words == (Word("您好，", 0.5, 1.0), Word("请问", 1.2, 2.0))


@pytest.mark.parametrize(
    ("given_name", "speaker"),
    [
        ("clerk", "clerk"),
        ("柜员", "clerk"),
        ("customer", "customer"),
        ("客户", "customer"),
        ("坐席", "clerk"),
        ("Clerk", "clerk"),
        ("顾客", "customer"),
        ("unknown", "unknown"),
        (None, "unknown"),
    ],
)
def test_speakers(tmp_path: Path, given_name: str | None, speaker: str) -> None:
    (utterance,) = read(tmp_path, line("您好", speaker=given_name))
    assert utterance.speaker == speaker


OBJECT = "expected a JSON object"
NAMES: dict[str, Speaker] = {"SPEAKER_00": "clerk", "0": "customer", "张三": "customer", "客户": "unknown"}


@pytest.mark.parametrize(
    ("given_name", "speaker"),
    [("SPEAKER_00", "clerk"), ("speaker_00", "clerk"), (0, "customer"), ("张三", "customer"), ("客户", "unknown")],
)
def test_the_user_says_whom_a_name_stands_for(tmp_path: Path, given_name: object, speaker: str) -> None:
    (utterance,) = read_transcript(put(tmp_path, line("您好", speaker=given_name)), NAMES)
    assert utterance.speaker == speaker


def test_names_that_nobody_explained_are_told(tmp_path: Path) -> None:
    content = "".join(line("您好", at, at + 1, speaker=f"S{at}") for at in range(7)) + line(
        "您好", 9, 10, speaker="坐席"
    )
    told: list[str] = []
    found = list(read_transcript(put(tmp_path, content), {"s1": "clerk"}, lambda note: told.append(str(note))))
    assert [utterance.speaker for utterance in found] == ["unknown", "clerk", *["unknown"] * 5, "clerk"]
    (note,) = told
    assert note.startswith("no role is known for the speakers S0, S2, S3, S4, S5 …, so")
    assert note.endswith("add --speakers clerk=S0")


def vosk_line(*words: tuple[str, float, float, float], **more: object) -> str:
    """A result of Vosk."""
    result = [{"word": word, "start": start, "end": end, "conf": conf} for word, start, end, conf in words]
    return json.dumps({"result": result, "text": " ".join(word for word, *_ in words), **more}, ensure_ascii=False)


VOSK = vosk_line(("您好", 0.5, 1.0, 0.98), ("请问", 1.2, 1.7, 0.5))
SPOKEN = Utterance(0.5, 1.7, (Word("您好", 0.5, 1.0, 0.98), Word("请问", 1.2, 1.7, 0.5)))


@pytest.mark.parametrize(
    "content",
    [
        VOSK,
        json.dumps(json.loads(VOSK), ensure_ascii=False, indent=2),
        '{"partial" : "您"}\n{"partial" : ""}\n' + VOSK + '\n{"text" : ""}\n',
        json.dumps({"alternatives": [json.loads(VOSK), {"text": "您"}]}, ensure_ascii=False),
        vosk_line(("[unk]", 0.1, 0.3, 0.9), ("您好", 0.5, 1.0, 0.98), ("请问", 1.2, 1.7, 0.5), ("[unk]", 2, 3, 1)),
        vosk_line(("您好", 0.5, 1.0, 0.98), ("请问", 1.2, 1.7, 0.5), spk=[0.1, -0.2], spk_frames=8),
    ],
    ids=["line", "printed", "partials", "alternatives", "unknown-words", "speaker-vector"],
)
def test_results_of_vosk(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == [SPOKEN]


def test_partial_results_are_left_out_and_counted(tmp_path: Path) -> None:
    told: list[str] = []
    content = '{"partial": "您"}\n{"partial": "您好", "partial_result": [{}]}\n' + VOSK
    list(read_transcript(put(tmp_path, content), tell=lambda note: told.append(str(note))))
    assert told == ["2 partial results were left out; their final results count"]


def test_results_without_times_are_estimated_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    content = '{"text": "您好 请问"}\n{"text": ""}\n{"text": "请慢走"}\n'
    found = list(read_transcript(put(tmp_path, content), tell=lambda note: told.append(str(note))))
    assert [(one.text, one.start, one.end) for one in found] == [("您 好 请 问", 0.0, 1.0), ("请 慢 走", 1.5, 2.25)]
    assert told == ["2 results have no times, so theirs were estimated; let Vosk give words (SetWords)"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"result": 3}', '"result"'),
        ('{"result": [3]}', '"words"'),
        ('{"result": [{"word": "您好", "start": 0}]}', '"end"'),
        ('{"turns": [3]}', '"turns"'),
        ("{\n", OBJECT),
        ('{\n"text": "您好",\n}\n', OBJECT),
    ],
)
def test_bad_results_are_named(tmp_path: Path, content: str, reason: str) -> None:
    with pytest.raises(TranscriptError, match=reason) as error:
        read(tmp_path, line("您好") + content)
    assert "line 2: expected" in str(error.value)


GROUPED = [
    line("您好", 0, 1, speaker="坐席") + line("请慢走", 20, 21, speaker="坐席") + line("取钱", 5, 6, speaker="客户"),
    json.dumps({"speaker": "坐席", "turns": [json.loads(line("您好", 0, 1)), json.loads(line("请慢走", 20, 21))]})
    + "\n"
    + json.dumps({"speaker": "客户", "utterances": [json.loads(line("取钱", 5, 6))]}),
]


@pytest.mark.parametrize("content", GROUPED, ids=["lines", "groups"])
def test_turns_grouped_by_speaker_are_put_in_order_of_time(tmp_path: Path, content: str) -> None:
    found = read(tmp_path, content)
    assert [(one.text, one.speaker) for one in found] == [
        ("您 好", "clerk"),
        ("取 钱", "customer"),
        ("请 慢 走", "clerk"),
    ]


def test_blank_lines_bom_and_wordless_lines(tmp_path: Path) -> None:
    content = "\ufeff" + line("您好") + "\r\n\n" + line("……", 1, 2) + line("再见", 2, 3).strip()
    assert [utterance.start for utterance in read(tmp_path, content)] == [0.0, 2.0]


BAD = [
    ("\xff\xfe\n".encode("latin-1"), "UTF-8"),
    ("您好".encode("gbk"), "UTF-8"),
    (b"not json\n", OBJECT),
    (b"[1]\n", OBJECT),
    (b"{}\n", '"start"'),
    (b"[" * 1_000_000, OBJECT),
    (b'{"start": ' + b"9" * 5_000 + b"}", OBJECT),
    (line("您好", -1), '"start"'),
    (line("您好", 0, float("nan")), '"end"'),
    (line("您好", 0, float("inf")), '"end"'),
    (line("您好", 0, 1_768_440_600), "604800"),
    (line("您好", 5, 4), 'at or after "start"'),
    ('{"start": true, "end": 2, "text": "您好"}', '"start"'),
    ('{"start": "0", "end": 2, "text": "您好"}', '"start"'),
    ('{"start": 0, "end": 1e400, "text": "您好"}', '"end"'),
    ('{"start": 0, "end": 2}', '"text"'),
    ('{"start": 0, "end": 2, "text": 7}', '"text"'),
    (line("您好", words={"word": "您好"}), '"words"'),
    (line("您好", words=["您好"]), '"words"'),
    (line("您好", words=[{"start": 0, "end": 1}]), '"word"'),
    (line("您好", words=[{"word": "您好", "start": 0}]), '"end"'),
    (line("您好", words=[{"word": "您好", "start": 7, "end": 8}]), "within"),
    (line("您好", words=[{"word": w, "start": s, "end": 1} for w, s in (("您", 0.6), ("好", 0.2))]), "order"),
    (line("您好", speaker=True), '"speaker"'),
    (line("您好", speaker=["clerk"]), '"speaker"'),
    (line("好" * 2_000_001), "at most 2000000"),
    (b"\xe6\x82\xa8" * 3_000_000, "at most 2000000"),
]


@pytest.mark.parametrize(("content", "reason"), BAD, ids=range(len(BAD)))
def test_bad_lines_are_named(tmp_path: Path, content: str | bytes, reason: str) -> None:
    content = content.encode() if isinstance(content, str) else content
    path = put(tmp_path, line("您好").encode() + b"\n" + content)
    with pytest.raises(TranscriptError, match=reason) as error:
        list(read_transcript(path))
    assert f"{path}, line 3: expected" in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < len(str(path)) + 200


def test_utterances_must_be_in_time_order(tmp_path: Path) -> None:
    assert len(read(tmp_path, line("您好", 1, 9) + line("您好", 1, 2))) == 2
    with pytest.raises(TranscriptError, match=r"line 2: expected .*where the line before starts"):
        read(tmp_path, line("您好", 1, 2) + line("您好", 0, 1))


def test_the_longest_line_is_read_at_once(tmp_path: Path) -> None:
    assert len(words(tmp_path, "好" * 100_000 + "a-" * 100_000 + "1," * 100_000 + ". " * 100_000)) == 100_001


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", line("……")])
def test_nothing_said(tmp_path: Path, content: str) -> None:
    with pytest.raises(TranscriptError, match="holds no utterance"):
        read(tmp_path, content)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match="does not exist"):
        list(read_transcript(tmp_path / "a.jsonl"))
    with pytest.raises(TranscriptError, match="cannot be read"):
        list(read_transcript(tmp_path))


@given(st.text(), st.floats(0, 1_000), st.floats(0, 1_000))
def test_words_fill_their_utterance(
    tmp_path_factory: pytest.TempPathFactory, text: str, start: float, length: float
) -> None:
    content = json.dumps({"start": start, "end": start + length, "text": text})
    with suppress(TranscriptError):
        (utterance,) = read(tmp_path_factory.mktemp("t"), content)
        assert (utterance.words[0].start, utterance.words[-1].end) == (start, start + length)
        assert all(a.end == b.start for a, b in pairwise(utterance.words))
        assert all(word.start <= word.end and not set(" \n\x1b\u202e") & set(word.text) for word in utterance.words)
        assert utterance.text.isprintable() or not text.isprintable()


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from(
    ["start", "end", "text", "words", "speaker", "result", "partial", "alternatives", "turns", "word", "conf"]
)
lines = st.one_of(st.binary(max_size=40), st.dictionaries(keys, values).map(lambda value: json.dumps(value).encode()))


@given(st.lists(lines, max_size=3))
def test_invariant_5_any_bytes_give_utterances_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: list[bytes]
) -> None:
    path = put(tmp_path_factory.mktemp("t"), b"\n".join(content))
    with suppress(TranscriptError):
        assert all(utterance.words for utterance in read_transcript(path))
