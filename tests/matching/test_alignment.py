"""Alignment of templates with an utterance: scores, places, and what errors cost."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.drawn_templates import CHARACTERS, OUTSIDE, READER, Tree, sentence, template, trees
from support.small_counter import said, small

from counter_listener.matching import UNALIGNED, Alignment
from counter_listener.matching.alignment import TOLERANCE, align_all, make_stretch
from counter_listener.matching.automata import Automaton, Entry, compile_automaton
from counter_listener.matching.syllables import Syllables, to_syllables
from counter_listener.phrases import Template

TEXTS = st.text(alphabet="您好你号请问清文办理里半什么业务欢迎光临慢走再见建一下嗯啊的行银", min_size=1, max_size=25)
UNRELATED = "某乙丙"
"""Characters with sounds that no character of CHARACTERS resembles; none is a filler."""


def automaton_of(*templates: Template) -> Automaton:
    """An automaton that looks at each alignment of any evidence; each template is of a phrase of its own."""
    entries = (Entry("phrase", frozenset((str(number),)), one) for number, one in enumerate(templates))
    return compile_automaton(entries, 0.0, 0.0)


def syllables_of(text: str) -> Syllables:
    """The syllables of a typed text."""
    return to_syllables(said(text), 0.4)


def aligned(automaton: Automaton, text: str) -> list[Alignment]:
    """All alignments with a text."""
    syllables = syllables_of(text)
    return list(align_all(make_stretch(automaton, syllables, 0, len(syllables))))


def best(automaton: Automaton, text: str) -> float:
    """The bits of the best alignment with a text; 0 if there is none."""
    return max((alignment.bits for alignment in aligned(automaton, text)), default=0.0) if text else 0.0


def only(template_text: str, text: str) -> Alignment:
    """The best alignment of one template with a text."""
    return max(aligned(automaton_of(READER.read(template_text)), text), key=lambda one: one.bits)


@settings(max_examples=150)
@given(TEXTS)
def test_the_bits_are_those_of_the_steps_and_the_insertions(text: str) -> None:
    for one in aligned(small().automaton, text):
        parts = [step.bits for step in one.steps] + [one.syllables.insertion_scores[unit] for unit in one.inserted]
        assert one.bits == pytest.approx(sum(parts), abs=0.01)
        assert one.full == pytest.approx(sum(step.full for step in one.steps), abs=0.01)
        assert one.bits <= one.full + TOLERANCE


@settings(max_examples=150)
@given(TEXTS)
def test_steps_are_in_order_and_alignments_of_one_template_do_not_overlap(text: str) -> None:
    places: dict[Entry, list[tuple[int, int]]] = {}
    for one in aligned(small().automaton, text):
        partners = [step.partner for step in one.steps if step.partner != UNALIGNED]
        assert partners == sorted(set(partners))
        assert 0 <= one.first < one.last <= len(one.syllables)
        assert one.first in partners
        assert one.last - 1 in partners
        places.setdefault(one.entry, []).append((one.first, one.last))
    for spans in places.values():
        spans.sort()
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


@settings(max_examples=100)
@given(st.text(CHARACTERS, min_size=2, max_size=12), st.data())
def test_an_error_never_raises_the_score(text: str, data: st.DataObject) -> None:
    automaton, heard = automaton_of(READER.read(text)), list(text)
    bits = best(automaton, text)
    for _ in range(data.draw(st.integers(1, 4))):
        if intact := [at for at, unit in enumerate(heard) if unit not in UNRELATED]:
            at, kind = data.draw(st.sampled_from(intact)), data.draw(st.sampled_from(["replace", "lose", "insert"]))
            wrong = {"replace": [data.draw(st.sampled_from(UNRELATED))], "lose": []}
            heard[at : at + 1] = wrong.get(kind, [heard[at], data.draw(st.sampled_from(UNRELATED))])
        now = best(automaton, "".join(heard))
        assert now <= bits + TOLERANCE
        bits = now


@settings(max_examples=100)
@given(trees(), st.text(CHARACTERS + OUTSIDE, max_size=10), st.text(CHARACTERS + OUTSIDE, max_size=10), st.data())
def test_words_around_a_sentence_never_lower_its_score(node: Tree, lead: str, tail: str, data: st.DataObject) -> None:
    automaton, text = automaton_of(template(node)), sentence(data, node)
    assert best(automaton, lead + text + tail) >= best(automaton, text) - TOLERANCE


@settings(max_examples=100)
@given(trees(), st.data())
def test_a_sentence_has_the_full_score(node: Tree, data: st.DataObject) -> None:
    text = sentence(data, node)
    found = max(aligned(automaton_of(template(node)), text), key=lambda one: one.bits)
    slots = sum(not step.unit for step in found.steps)
    assert found.spelled
    assert found.bits == pytest.approx(found.full - 0.1 * slots, abs=0.01)


@pytest.mark.parametrize(
    ("wanted", "text", "partners", "heard"),
    [
        ("请稍等", "请稍等", [0, 1, 2], "请稍等"),
        ("请稍等", "那请烧等啊", [1, 2, 3], "请稍等"),
        ("请您稍等", "请稍等", [0, UNALIGNED, 1, 2], "请稍等"),
        ("请稍等", "请那个稍等", [0, 3, 4], "请…稍等"),
        ("天地{slot}山火", "天地某甲山火", [0, 1, 2, 3, 4, 5], "天地…山火"),
        ("天地{slot}", "天地某甲", [0, 1, 2], "天地"),
        ("{slot}天地", "某甲天地", [1, 2, 3], "天地"),
        ("天地[山]火", "天地火", [0, 1, 2], "天地火"),
        ("(天地;山火)", "山火天地", [0, 1, 2, 3], "山火天地"),
        ("我要wifi密码", "我要wifi密码", [0, 1, 2, 3, 4], "我要 wifi密码"),
    ],
)
def test_an_alignment_lays_a_template_along_the_words(wanted: str, text: str, partners: list[int], heard: str) -> None:
    found = only(wanted, text)
    assert [step.partner for step in found.steps] == partners
    assert found.heard == heard


@pytest.mark.parametrize(
    ("wanted", "text", "spelled"),
    [
        ("请稍等", "请稍等", True),
        ("请稍等", "请烧等", False),
        ("请您稍等", "请稍等", False),
        ("请稍等", "请嗯稍等", False),
        ("天地{slot}", "天地某", True),
        ("{slot}天地", "某天地", True),
        ("天地{slot}", "天地", False),
        ("[您]请稍等", "请稍等", True),
    ],
)
def test_spelled_is_to_the_letter(wanted: str, text: str, *, spelled: bool) -> None:
    assert any(one.spelled for one in aligned(automaton_of(READER.read(wanted)), text)) == spelled


def test_the_text_of_an_alignment_is_the_sentence_that_comes_closest() -> None:
    assert only("(天地|山火)(风云|雨花)鸟", "山火玉花鸟").text == "山火雨花鸟"
    assert only("天地{slot}山火", "天地某甲山火").text == "天地…山火"


def test_an_error_costs_by_what_a_recogniser_does() -> None:
    texts = ("请稍等一下", "请烧等一下", "请搔等一下", "请天等一下")
    same, homophone, similar, other = (only("请稍等一下", text).bits for text in texts)
    assert same > homophone > other
    assert same > similar > other
    light, heavy = (only(wanted, "请稍等").steps[1] for wanted in ("请您稍等", "请坐稍等"))
    assert light.partner == heavy.partner == UNALIGNED
    assert 0 > light.bits > heavy.bits
    assert only("请稍等", "请嗯稍等").bits > only("请稍等", "请天稍等").bits


def test_a_word_of_a_list_is_found_where_one_of_its_syllables_was_lost() -> None:
    found = only("出示(身份证件|户口本)原件", "出示身份件原件")
    assert found.text == "出示身份证件原件"
    assert [step.unit for step in found.steps if step.partner == UNALIGNED] == ["证"]


def test_a_stretch_is_a_part_of_an_utterance() -> None:
    automaton, syllables = automaton_of(READER.read("天地山火")), syllables_of("天地山火某某天地山火")
    assert next((one.first, one.last) for one in align_all(make_stretch(automaton, syllables, 2, 10))) == (6, 10)
    assert not [one for one in align_all(make_stretch(automaton, syllables, 1, 9)) if one.spelled]
