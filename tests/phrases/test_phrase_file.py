"""Phrase sets: what is refused, and that the sentence says where, what was expected, and what is near."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_counter import SMALL, said

from counter_listener.domain import PhraseSet, PhraseSetError
from counter_listener.judging import failing_examples
from counter_listener.matching import find_in_utterance, prepare_matcher
from counter_listener.phrases.finding import find_phrase_set
from counter_listener.phrases.phrase_file import read_phrase_set

HELLO = 'say = ["您好", "您好欢迎光临", "{title}您好"]'
EXAMPLE = '\n[[example]]\nheard = "您好"\nexpect = ["hello"]\n'


def refusal(tmp_path: Path, content: str | bytes) -> str:
    """The sentence with which a phrase set is refused."""
    file = tmp_path / "branch.toml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(PhraseSetError) as refused:
        read_phrase_set(file)
    message = str(refused.value)
    assert message.startswith(str(file))
    assert "\n" not in message
    return message.removeprefix(f"{file}: ")


def changed(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("required = true", "requred = true", "has no key 'requred' (did you mean 'required'?)"),
        ("[visit]", "[visits]", "has no key 'visits' (did you mean 'visit'?)"),
        (HELLO, 'say = "您好"', "[[stage]] 1 \"greet\", [[phrase]] 1 \"hello\", 'say' must be a list"),
        (HELLO, "say = []", "'hello' has no wording"),
        (HELLO, 'say = ["……"]', "which has no word that must be heard"),
        (HELLO, 'say = ["{titel}您好"]', "neither [lists] nor [slots] has {titel} (did you mean 'title'?)"),
        (HELLO, 'say = ["{title您好"]', "phrase 'hello', '{title您好': it cannot be read: a bracket has no"),
        (HELLO, 'say = ["(您好|)]"]', "it cannot be read"),
        (HELLO, 'say = ["[您好]"]', "contains '[您好]', which has no word that must be heard"),
        ("doc = {min = 1, max = 6}", "doc = {min = 1, max = 31}", "[slots] 'doc', 'max' is 31"),
        ('when = ["办不了"]', 'when = ["{cannot}"]', "rule 'refusal-sorry', '{cannot}': neither [lists] nor [slots]"),
        (HELLO, 'say = ["请慢走"]', "'请慢走' is under both 'hello' and 'goodbye'"),
        ("within = 15", 'within = "soon"', "'within' must be a number"),
        ("within = 15", "within = -1", "phrase 'hello', 'within' is -1; it must be from 0 to 86400"),
        ("weight = 2", "weight = 2\nthreshold = 101", "'threshold' is 101; it must be from 0 to 100"),
        ("required = true", 'required = "yes please"', "'required' must be true or false"),
        ('id = "thanks"', 'id = "hello"', "the id 'hello' is used 2 times"),
        ('step = "greeting"', 'step = "greting"', "'greting', which does not exist (did you mean 'greeting'?)"),
        ('opens = ["hello"]', 'opens = ["helo"]', "the stage or phrase 'helo', which does not exist (did you mean"),
        ('severity = "grave"', 'severity = "huge"', "\"not-mine\", 'severity'"),
        ('class = "敷衍"\n', "", "[[forbidden]] 1 \"none-left\", 'class' is missing"),
        ("scope = 4.0", 'scope = "paragraph"', '[[rule]] 2 "refusal-sorry"'),
        ("quiet = 20", "quiet = 0", "[visit], 'quiet' is 0"),
        ("[visit]", "[score]\npenalty = {minor = 3}\n[visit]", "lacks serious, grave"),
        ("doc = {min = 1, max = 6}", "doc = {min = 7, max = 6}", "[slots] 'doc', 'min' is 7"),
    ],
)  # fmt: skip
def test_each_fault_is_told_in_one_sentence_with_place_and_cure(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert message in refusal(tmp_path, changed(old, new))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "'name' is missing"),
        ("name = ", "not TOML"),
        ("[" * 1_000_000, "not TOML"),
        ("name = " + "[" * 100_000, "nested too deeply"),
        ("#" * 1_000_001, "more than 1,000,000 bytes"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("n = " + "9" * 5000, "not TOML"),
        ("a." * 200_000 + "b = 1", "more than 500 dots"),
        ("stage = 3", "must be a list"),
        ("stage = [3]", "must be a table"),
    ],
)
def test_what_is_no_phrase_set_at_all(tmp_path: Path, content: str | bytes, message: str) -> None:
    assert message in refusal(tmp_path, content)


@settings(max_examples=80)
@given(st.binary(max_size=200), st.integers(0, len(SMALL.encode())))
def test_invariant_5_any_bytes_are_a_phrase_set_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes, at: int
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    for content in (garbage, SMALL.encode()[:at] + garbage + SMALL.encode()[at:]):
        file.write_bytes(content)
        with suppress(PhraseSetError):
            read_phrase_set(file)


def test_a_missing_file_and_an_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(PhraseSetError, match="does not exist; check the name"):
        read_phrase_set(tmp_path / "none.toml")
    with pytest.raises(PhraseSetError, match=r"did you mean 'bank-counter'\?"):
        find_phrase_set("bank-countr")
    with pytest.raises(PhraseSetError, match="cannot be read"):
        read_phrase_set(tmp_path)


def test_examples_that_fail_are_named_with_what_was_found(tmp_path: Path) -> None:
    def failures(example: str) -> list[str]:
        file = tmp_path / "branch.toml"
        file.write_text(SMALL + example, encoding="utf-8")
        return list(map(str, failing_examples(prepare_matcher(read_phrase_set(file)[0]))))

    assert failures(EXAMPLE) == []
    (missing,) = failures(EXAMPLE.replace('heard = "您好"', 'heard = "天气不错"'))
    assert "hello was not found" in missing
    (surplus,) = failures(EXAMPLE.replace('["hello"]', "[]"))
    assert "hello was found" in surplus


def test_a_known_failure_must_keep_failing(tmp_path: Path) -> None:
    file = tmp_path / "branch.toml"
    file.write_text(SMALL + EXAMPLE + "fails = true\n", encoding="utf-8")
    (message,) = failing_examples(prepare_matcher(read_phrase_set(file)[0]))
    assert "remove its 'fails'" in str(message)


def test_a_file_saved_by_windows_is_the_same_set(tmp_path: Path) -> None:
    plain, windows = tmp_path / "plain.toml", tmp_path / "windows.toml"
    plain.write_text(SMALL, encoding="utf-8", newline="\n")
    windows.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert read_phrase_set(plain)[0] == read_phrase_set(windows)[0]


FRAME = """
[[frames.frame]]
id = "reported"
title = "转述"
of = ["forbidden"]
before = ["{who}说"]
[frames.lists]
who = ["他", "她"]
"""


def read(tmp_path: Path, content: str) -> PhraseSet:
    file = tmp_path / "branch.toml"
    file.write_text(content, encoding="utf-8")
    return read_phrase_set(file)[0]


def test_a_set_has_the_frames_of_its_language_or_its_own(tmp_path: Path) -> None:
    known = read(tmp_path, SMALL).frames
    assert {"reported", "condition", "oneself"} <= {frame.id for frame in known.frame}
    assert known.lists
    own = read(tmp_path, SMALL + FRAME).frames
    assert [(frame.id, frame.title, frame.makes, frame.reach) for frame in own.frame] == [
        ("reported", "转述", "nothing", "clause")
    ]
    assert read(tmp_path, "frames = {}\n" + SMALL).frames.frame == ()
    for language in ("en", "xx", "../zh", ""):
        assert read(tmp_path, f'language = "{language}"\n' + SMALL).frames.frame == ()


def test_what_stands_in_a_frame_of_the_file_does_not_count(tmp_path: Path) -> None:
    def offences(content: str, text: str) -> list[str]:
        findings = find_in_utterance(prepare_matcher(read(tmp_path, content)), said(text))
        return [hit.owner for hit in findings.offences]

    assert offences(SMALL + FRAME, "这事不归我管") == ["not-mine"]
    assert offences(SMALL + FRAME, "他说这事不归我管") == []
    assert offences("frames = {}\n" + SMALL, "他说这事不归我管") == ["not-mine"]
    doubtful = FRAME.replace('of = ["forbidden"]', 'of = ["forbidden"]\nmakes = "unknown"')
    assert offences(SMALL + doubtful, "他说这事不归我管") == ["not-mine"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('before = ["{who}说"]', 'before = ["{whom}说"]', "frame 'reported', '{whom}说': neither [lists] nor [slots]"),
        ('before = ["{who}说"]', 'before = ["[{who}]"]', "which has no word that must be heard"),
        ('before = ["{who}说"]', 'befor = ["{who}说"]', "has no key 'befor' (did you mean 'before'?)"),
        ('of = ["forbidden"]', 'of = ["forbiden"]', '[frames], [[frame]] 1 "reported", [[of]] 1'),
        ('title = "转述"\n', "", "'title' is missing"),
    ],
)  # fmt: skip
def test_a_fault_in_a_frame_is_told_in_one_sentence(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in FRAME
    assert message in refusal(tmp_path, SMALL + FRAME.replace(old, new))


def test_an_example_may_hold_several_sentences(tmp_path: Path) -> None:
    several = EXAMPLE.replace('heard = "您好"', 'heard = ["您好", "您好欢迎光临", "天气不错"]')
    (failure,) = failing_examples(prepare_matcher(read(tmp_path, SMALL + several)))
    assert "'天气不错' fails: hello was not found" in str(failure)
