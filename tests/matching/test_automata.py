"""The automaton of all templates: what it accepts to the letter, its arrays, and its bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.drawn_templates import CHARACTERS, OUTSIDE, Tree, regex, sentence, spells, template, trees
from support.small_counter import said, small

from counter_listener.domain import Slot
from counter_listener.matching.alignment import Alignment, align_all, make_stretch
from counter_listener.matching.automata import MAX_SPAN, Automaton, Entry, compile_automaton
from counter_listener.matching.syllables import to_syllables
from counter_listener.phrases.templates import TemplateReader


def automaton_of(*nodes: Tree) -> Automaton:
    """The automaton of templates of one phrase each, without a least margin."""
    entries = (Entry("phrase", frozenset((str(number),)), template(node)) for number, node in enumerate(nodes))
    return compile_automaton(entries, 0.0, 0.0)


def read(text: str, **slots: Slot) -> Automaton:
    """The automaton of one template."""
    reader = TemplateReader({"ten": tuple("天地山火风云雨花鸟鱼")}, {}, slots)
    return compile_automaton([Entry("phrase", frozenset(("p",)), reader.read(text))], 0.0, 0.0)


def exact(automaton: Automaton, text: str) -> list[Alignment]:
    """The alignments to the letter with a text."""
    syllables = to_syllables(said(text), 0.4)
    found = align_all(make_stretch(automaton, syllables, 0, len(syllables), exact=True))
    return [alignment for alignment in found if alignment.spelled]


def span(alignment: Alignment) -> tuple[int, int]:
    """The units of an alignment, slots at its edges included."""
    partners = [step.partner for step in alignment.steps]
    return min(partners), max(partners) + 1


@settings(max_examples=150)
@given(trees(), st.data())
def test_what_a_template_spells_is_aligned_to_the_letter(node: Tree, data: st.DataObject) -> None:
    text = sentence(data, node)
    assert spells(node, text)
    said_units = {at for at, character in enumerate(text) if character not in OUTSIDE}
    taken = [{step.partner for step in alignment.steps} for alignment in exact(automaton_of(node), text)]
    assert any(said_units <= units for units in taken), "a slot at an edge may take less"


@settings(max_examples=200)
@given(trees("天地山"), st.text("天地山石木玉", min_size=1, max_size=16))
def test_what_is_aligned_to_the_letter_is_a_sentence_of_the_regular_expression(node: Tree, text: str) -> None:
    for alignment in exact(automaton_of(node), text):
        first, last = span(alignment)
        assert spells(node, text[first:last]), regex(node)


@settings(max_examples=100)
@given(st.lists(trees(), min_size=1, max_size=4), st.data())
def test_templates_are_found_together_as_they_are_found_alone(nodes: list[Tree], data: st.DataObject) -> None:
    text = "".join(sentence(data, node) + data.draw(st.sampled_from(OUTSIDE)) for node in nodes)
    together = {(one.entry.owner, *span(one)) for one in exact(automaton_of(*nodes), text)}
    alone = {(str(number), *span(one)) for number, node in enumerate(nodes) for one in exact(automaton_of(node), text)}
    assert together == alone


def _states(automaton: Automaton) -> int:
    return int(automaton.level_edges[-1])


@settings(max_examples=100)
@given(st.lists(trees(), max_size=4))
def test_arcs_lead_forward_and_each_level_holds_the_arcs_that_end_there(nodes: list[Tree]) -> None:
    automaton = automaton_of(*nodes)
    assert (automaton.sources < automaton.targets).all()
    assert (np.diff(automaton.targets) >= 0).all()
    for entry, final in enumerate(automaton.finals):
        arcs_of, states_of = automaton.arcs_of.of(np.array([entry])), automaton.states_of.of(np.array([entry]))
        assert set(automaton.sources[arcs_of]) | set(automaton.targets[arcs_of]) == set(states_of)
        assert final in states_of
    for rows, things in ((automaton.arcs_of, automaton.sources), (automaton.states_of, range(_states(automaton)))):
        assert sorted(rows.values) == list(range(len(things)))
    arcs = [arc for level in automaton.levels for arc in range(level.arcs.start, level.arcs.stop)]
    assert arcs == list(range(len(automaton.sources)))
    for level in automaton.levels:
        targets = automaton.targets[level.arcs]
        assert list(targets[level.offsets]) == list(range(level.states.start, level.states.stop))
        assert set(targets) == set(range(level.states.start, level.states.stop))
        assert (automaton.sources[level.arcs] < level.states.start).all()


def test_a_template_is_not_expanded() -> None:
    automaton = read("{ten}[{ten}]{ten}({ten};{ten})[{ten}|春夏|秋冬]")
    assert automaton.entries[0].template.sentences > 1_000_000
    assert len(automaton.sources) < 12
    assert [alignment.text for alignment in exact(automaton, "天地山火风春夏")] == ["天地山火风春夏"]


@pytest.mark.parametrize("size", [1, MAX_SPAN - 1, MAX_SPAN, MAX_SPAN + 1, 3 * MAX_SPAN])
def test_a_word_of_a_list_may_be_longer_than_an_arc(size: int) -> None:
    word = (CHARACTERS * 2)[:size]
    found = exact(read(f"石木({word}|金玉)石木"), f"石木{word}石木")
    assert [alignment.text for alignment in found] == [f"石木{word}石木"]


@pytest.mark.parametrize(("least", "most"), [(0, 3), (2, 2), (0, 30), (5, 8), (9, 20)])
def test_a_slot_takes_from_its_least_to_its_most_syllables(least: int, most: int) -> None:
    automaton = read("天地{any}山火", any=Slot(min=least, max=most))
    sizes = [size for size in range(32) if exact(automaton, "天地" + "某" * size + "山火")]
    assert sizes == list(range(least, most + 1))


def test_a_part_that_may_be_missing_costs_nothing() -> None:
    automaton = read("天地[山|火风][雨;花]鸟鱼")
    for text in ("天地鸟鱼", "天地火风鸟鱼", "天地花雨鸟鱼", "天地山雨花鸟鱼"):
        (found,) = exact(automaton, text)
        assert found.bits == pytest.approx(found.full, abs=0.01)
    assert exact(automaton, "天地山火风鸟鱼") == exact(automaton, "天地雨鸟鱼") == []


def test_no_templates_and_no_text_have_no_alignments() -> None:
    empty = compile_automaton([], 0.5, 3.0)
    syllables = to_syllables(said("您好"), 0.4)
    assert list(align_all(make_stretch(empty, syllables, 0, 2))) == []
    assert list(align_all(make_stretch(small().automaton, syllables, 1, 1))) == []
