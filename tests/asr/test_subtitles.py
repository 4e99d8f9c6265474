"""Transcripts in subtitles, SubRip and WebVTT, good and bad."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.asr import is_transcript, read_transcript
from counter_listener.domain import Speaker, TranscriptError, Utterance

Said = tuple[str, float, float, str]
"""Text without spaces, start and end in seconds, and speaker."""


def read(folder: Path, suffix: str, content: str | bytes, names: dict[str, Speaker] | None = None) -> list[Said]:
    """All utterances of subtitles."""
    path = folder / f"visit{suffix}"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(map(said, read_transcript(path, names)))


def said(utterance: Utterance) -> Said:
    return "".join(word.text for word in utterance.words), utterance.start, utterance.end, utterance.speaker


def srt(*cues: tuple[str, str, str]) -> str:
    """SubRip with these cues: start, end and text."""
    return "".join(f"{at}\n{start} --> {end}\n{text}\n\n" for at, (start, end, text) in enumerate(cues, start=1))


FIRST, SECOND = ("00:00:01,000", "00:00:02,500"), ("00:00:03,000", "00:00:05,000")
GREETING, NEED = ("您好，请问", 1.0, 2.5), ("我要取钱", 3.0, 5.0)


@pytest.mark.parametrize("name", ["a.srt", "A.SRT", "b.vtt", "c.jsonl"])
def test_they_are_transcripts_by_their_names(name: str) -> None:
    assert is_transcript(Path(name))


SUBRIP = {
    "plain": srt((*FIRST, "您好，请问"), (*SECOND, "我要取钱")),
    "bom": "\ufeff" + srt((*FIRST, "您好，请问"), (*SECOND, "我要取钱")),
    "windows": srt((*FIRST, "您好，请问"), (*SECOND, "我要取钱")).replace("\n", "\r\n"),
    "blank-lines-above": "\n\n" + srt((*FIRST, "您好，请问"), (*SECOND, "我要取钱")),
    "dots": srt((*FIRST, "您好，请问"), (*SECOND, "我要取钱")).replace(",000", ".000").replace(",500", ".500"),
    "tags": srt(
        (*FIRST, "<i>您好</i>，{\\an8}请问".replace("{\\an8}", "")), (*SECOND, '<font color="red">我要取钱</font>')
    ),
    "wrapped": srt((*FIRST, "您好，\n请问"), (*SECOND, "我要\n取钱")),
    "empty-cue": srt((*FIRST, "您好，请问"), (*FIRST, ""), (*SECOND, "我要取钱")),
    "out-of-order": srt((*SECOND, "我要取钱"), (*FIRST, "您好，请问")),
}


@pytest.mark.parametrize("content", SUBRIP.values(), ids=SUBRIP)
def test_subrip(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, ".srt", content) == [(*GREETING, "unknown"), (*NEED, "unknown")]


HEAD = "WEBVTT - Kind: captions\nLanguage: zh\n\nNOTE\n请慢走，这是注释\n\nSTYLE\n::cue { color: red }\n\n"
WEBVTT = {
    "plain": "WEBVTT\n\n00:01.000 --> 00:02.500\n您好，请问\n\n00:00:03.000 --> 00:00:05.000\n我要取钱\n",
    "notes": HEAD
    + "first\n00:01.000 --> 00:02.500 align:start\n您好，请问\n\nNOTE 再见\n\n2\n00:03.000 --> 00:05.000\n我要取钱",
    "entities": "WEBVTT\n\n00:01.000 --> 00:02.500\n您好，&nbsp;请问\n\n00:03.000 --> 00:05.000\n我要&lrm;取钱",
    "karaoke": "WEBVTT\n\n00:01.000 --> 00:02.500\n您好，<00:02.000><c>请问</c>\n\n00:03.000 --> 00:05.000\n我要取钱",
}


@pytest.mark.parametrize("content", WEBVTT.values(), ids=WEBVTT)
def test_webvtt(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, ".vtt", content) == [(*GREETING, "unknown"), (*NEED, "unknown")]


NAMED = {
    "voice": ("<v 坐席>您好，请问</v>", "<v.loud 客户>我要取钱"),
    "prefix": ("坐席：您好，请问", "客户: 我要取钱"),
    "spaced-prefix": ("坐席 ： 您好，请问", "客户 :我要取钱"),
    "brackets": ("[坐席] 您好，请问", "【客户】我要取钱"),
    "any-name": ("王丽：您好，请问", "李先生：我要取钱"),
    "diarised": ("[SPEAKER_00]: 您好，请问".replace("]:", "]"), "SPEAKER_01: 我要取钱"),
    "dash": ("- 坐席：您好，请问", "– 客户：我要取钱"),
}
ROLES: dict[str, Speaker] = {"王丽": "clerk", "李先生": "customer", "SPEAKER_00": "clerk", "SPEAKER_01": "customer"}


@pytest.mark.parametrize("texts", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_speakers_are_named_in_tags_and_before_the_text(tmp_path: Path, suffix: str, texts: tuple[str, str]) -> None:
    content = srt((*FIRST, texts[0]), (*SECOND, texts[1]))
    if suffix == ".vtt":
        content = "WEBVTT\n\n" + content.replace(",000", ".000").replace(",500", ".500")
    assert read(tmp_path, suffix, content, ROLES) == [(*GREETING, "clerk"), (*NEED, "customer")]


def test_two_speakers_in_one_cue_share_its_time(tmp_path: Path) -> None:
    expected = [("您好", 1.0, 1.5, "clerk"), ("我要取点钱", 1.5, 2.75, "customer"), ("好的", 2.75, 3.25, "clerk")]
    for text in (
        "<v 坐席>您好</v><v 客户>我要取点钱</v>\n<v 坐席>好的",
        "- 坐席：您好\n- 客户：我要取点钱\n- 坐席：好的",
        "坐席：您好\n客户：我要取点钱\n坐席：好的",
    ):
        content = f"WEBVTT\n\n00:01.000 --> 00:03.250\n{text}\n"
        found = read(tmp_path, ".vtt", content)
        assert [(one[0], one[3]) for one in found] == [(one[0], one[3]) for one in expected], text
        assert (found[0][1], found[-1][2]) == (1.0, 3.25)
        assert [one[2] for one in found[:-1]] == [one[1] for one in found[1:]]


def test_names_that_nobody_explained_are_taken_off_if_most_turns_begin_with_them(tmp_path: Path) -> None:
    texts = ("王丽：您好", "李先生：我要取钱", "王丽：好的", "李先生：谢谢")
    cues = [(f"00:00:{at:02},000", f"00:00:{at + 1:02},000", text) for at, text in enumerate(texts)]
    found = read(tmp_path, ".srt", srt(*cues))
    assert [(one[0], one[3]) for one in found] == [(text.partition("：")[2], "unknown") for text in texts]
    assert read(tmp_path, ".srt", srt(cues[0]))[0][0] == texts[0]


def test_a_word_and_a_colon_are_no_name_among_other_text(tmp_path: Path) -> None:
    texts = ("您好", "时间：上午九点到下午五点", "那我下午来", "好的，请慢走")
    cues = [(f"00:00:{at:02},000", f"00:00:{at + 2:02},000", text) for at, text in enumerate(texts)]
    assert [one[0] for one in read(tmp_path, ".srt", srt(*cues))] == list(texts)


BAD = {
    "broken-time": (".srt", srt((*FIRST, "您好")) + "2\n00:00:0x,000 --> 00:00:05,000\n我要取钱\n", 6, "times"),
    "short-arrow": (".srt", srt((*FIRST, "您好")) + "2\n00:00:03,000 -> 00:00:05,000\n我要取钱\n", 6, "times"),
    "no-number": (".srt", srt((*FIRST, "您好")) + "00:00:03,000 --> 00:00:05,000\n我要取钱\n", 5, "number"),
    "no-head": (".vtt", "00:01.000 --> 00:02.500\n您好\n", 1, "WEBVTT"),
    "half-time": (".vtt", "WEBVTT\n\n00:01.000 --> \n您好\n", 3, "times"),
    "blank-lines-above": (".srt", "\n\n1\n00:00:01,000 -> 00:00:02,500\n您好\n", 4, "times"),
    "backwards": (".srt", srt((*FIRST, "您好")) + "2\n00:00:05,000 --> 00:00:03,000\n我要取钱\n", 6, "end at or after"),
    "gbk": (".srt", srt((*FIRST, "您好")).encode("gbk"), 3, "UTF-8"),
}


@pytest.mark.parametrize(("suffix", "content", "line", "reason"), BAD.values(), ids=BAD)
def test_a_line_that_would_be_skipped_is_named(
    tmp_path: Path, suffix: str, content: str | bytes, line: int, reason: str
) -> None:
    with pytest.raises(TranscriptError, match=reason) as error:
        read(tmp_path, suffix, content)
    assert f"line {line}: expected" in str(error.value)


@pytest.mark.parametrize("content", ["", "WEBVTT\n", "WEBVTT\n\nNOTE 您好\n", "WEBVTT\n\n00:01.000 --> 00:02.500\n♪\n"])
def test_nothing_said(tmp_path: Path, content: str) -> None:
    with pytest.raises(TranscriptError, match="holds no utterance"):
        read(tmp_path, ".vtt", content)


PIECES = st.sampled_from(
    (
        *(
            "WEBVTT",
            "\n",
            "\n\n",
            "1\n",
            "00:00:01,000 --> 00:00:02,500\n",
            "00:01.000 --> 00:00.500",
            "-->",
            "<v ",
            ">",
        ),
        *(
            "您好",
            "坐席：",
            "- ",
            "NOTE",
            "&amp;",
            "99999:00:00.000 --> 99999:00:00.001\n",
            "\ufeff",
            "\x00",
            "</v>",
            "<v a>",
        ),
    )
)


@given(st.sampled_from([".srt", ".vtt"]), st.lists(PIECES | st.text(max_size=5), max_size=20))
def test_any_text_gives_utterances_or_one_of_our_errors(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, pieces: list[str]
) -> None:
    with suppress(TranscriptError):
        content = "".join(pieces).encode("utf-8", "replace")
        assert all(start <= end and text for text, start, end, _ in read(tmp_path_factory.mktemp("s"), suffix, content))
