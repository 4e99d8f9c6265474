"""The language model of the model build: templates, n-grams, the lexicon's machine, and a graph made anew."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from counter_listener.asr.model_files import find_model, model_vocabulary, verify_model
from models.build import graph, openfst
from models.build.conf import model_conf
from models.build.errors import BuildError
from models.build.language.templates import MOST, Templates
from models.build.language.texts import FOLDER, SENTENCES, filled, weighed, wordings
from models.build.language.vocabulary import is_chinese, segmenter
from models.build.ngram import BEGIN, END, Mixture, Text, machine, mix, prune
from models.build.phones import boundary_table, forward, in_word, loop, phones, phones_table, unused_transition
from models.build.settings import FILE, read_settings
from models.build.tree import START, WORDS, Arc, Machine, tree

TOP = Path(__file__).resolve().parents[2]
BUNDLED = find_model("counter-cn")
SPELL = """
import json, sys, tomllib
from pathlib import Path
from models.build.language.texts import BREAK, _listed, SLOT
from models.build.lexicon import pronunciation
phrases = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
pieces = {piece for said in _listed(phrases) for piece in BREAK.split(SLOT.sub("，", said)) if piece}
json.dump([len(pieces), sorted(piece for piece in pieces if pronunciation(piece) is None)], sys.stdout)
"""
words = st.sampled_from("甲乙丙丁戊")
sentences = st.dictionaries(st.lists(words, min_size=1, max_size=4).map(tuple), st.floats(0.1, 20), max_size=8)


def templates(folder: Path, text: str) -> Templates:
    (folder / "text.txt").write_text(text, encoding="utf-8")
    found = Templates()
    found.read(folder / "text.txt")
    return found


def expanded(folder: Path, text: str) -> list[list[str]]:
    found = templates(folder, text)
    return [found.expand(template, where) for where, template in found.sentences]


def test_a_template_stands_for_every_choice_and_every_value_of_its_slots(tmp_path: Path) -> None:
    text = "# ours\nwho = 我 | (你|您)\n{who}好(吗|)  # a question or not\n再见\n"
    assert expanded(tmp_path, text) == [["我好吗", "我好", "你好吗", "你好", "您好吗", "您好"], ["再见"]]


def test_of_a_template_that_stands_for_too_many_always_the_same_are_drawn(tmp_path: Path) -> None:
    text = "digit = 一 | 二 | 三 | 四 | 五 | 六 | 七\n{digit}{digit}{digit}\n"
    (drawn,) = expanded(tmp_path, text)
    assert len(drawn) == MOST
    assert len(set(drawn)) > MOST / 2
    assert [drawn] == expanded(tmp_path, text)


@pytest.mark.parametrize("text", ["你好(吗", "你好)吗", "你{好", "{nobody}好", "a = {b}\nb = {a}\n{a}"])
def test_a_fault_in_a_template_is_told_by_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(BuildError, match=r"text\.txt, line \d"):
        expanded(tmp_path, text)


def test_a_wording_is_filled_and_cut_where_no_value_is_known(tmp_path: Path) -> None:
    known = templates(tmp_path, "amount = 五千 | 两万\n")
    assert filled("收您{amount}元，请稍等", known, "x") == ["收您五千元，请稍等", "收您两万元，请稍等"]
    assert filled("请到{nowhere}来", known, "x") == ["请到，来"]


def test_a_misheard_example_is_not_learnt(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'example = [{heard = "输入蜜码", expect = ["password"]}, {heard = "忘了密码", expect = []}]\n'
        '[[stage.phrase]]\nid = "password"\nsay = ["输入密码"]\n',
        encoding="utf-8",
    )
    assert list(wordings(tmp_path / "mine.toml", Templates()))[:2] == [["忘了密码"], ["输入密码"]]


def test_sentences_are_cut_into_the_likeliest_words_and_their_pieces_count_too() -> None:
    cutter = segmenter({"请": 90, "问": 30, "坐": 30, "请坐": 5}, ["请问"])
    assert cutter.cut("请问请坐吧") == ("请问", "请坐", "吧")
    weights = weighed([(["请坐，请问", "OK"], 4.0)], cutter)
    assert weights == {("请坐", "请问"): 1.0, ("请坐",): 1.0, ("请问",): 1.0}


def test_plain_sentences_are_chinese_and_stand_once() -> None:
    files = sorted((FOLDER / SENTENCES).glob("*/*.txt"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert {file.parent.name for file in files} == {"counter", "ordinary"}
    assert [line for line in lines if not all(map(is_chinese, line.split("，")))] == []
    assert len(set(lines)) == len(lines)


def mixed(counter: Mapping[tuple[str, ...], float], ordinary: Mapping[tuple[str, ...], float], worth: float) -> Mixture:
    texts = [Text(counter, 0.4, 1.0), Text(ordinary, 0.6, 5.0, {"甲": 3.0, "己": 1.0})]
    return prune(mix(texts, 3, dict.fromkeys("甲乙丙丁戊庚", 1e-6)), worth)


@example({("甲", "甲"): 1.0, ("乙", "乙", "甲", "丙"): 2.0}, {}, 4.0)
@given(sentences, sentences, st.sampled_from([0.0, 0.5, 4.0]))
@settings(max_examples=60, deadline=None)
def test_after_every_history_the_probabilities_sum_to_one(
    counter: dict[tuple[str, ...], float], ordinary: dict[tuple[str, ...], float], worth: float
) -> None:
    model = mixed(counter, ordinary, worth)
    everything = [*"甲乙丙丁戊己庚", END]
    for history in [*model.after, ("庚",), (BEGIN, "庚")]:
        assert math.isclose(sum(model.probability(word, history) for word in everything), 1.0, abs_tol=1e-9)
        assert math.isclose(sum(model.shares(history)), 1.0)
    for history, back in model.back.items():
        # a word that is rarer than by the shorter history is kept for a longer n-gram's sake
        rarer = any(here < model.probability(word, history[1:]) for word, here in model.after[history].items())
        assert 0 < back <= 1 + 1e-9 or (rarer and back < math.inf)
    assert all(model.probability(word) > 0 for word in "甲乙丙丁戊己庚")


def follow(made: Machine, state: int, word: int) -> tuple[int, float]:
    """Where a word leads from a state of the language model's machine, the explicit arc before the back-off."""
    out = {arc.read: arc for arc in made.arcs if arc.source == state}
    if word in out:
        return out[word].target, out[word].cost
    target, cost = follow(made, out[0].target, word)
    return target, out[0].cost + cost


@given(sentences, sentences, st.lists(words, max_size=5))
@settings(max_examples=40, deadline=None)
def test_the_machine_of_a_language_model_costs_what_its_probabilities_say(
    counter: dict[tuple[str, ...], float], ordinary: dict[tuple[str, ...], float], said: list[str]
) -> None:
    model = mixed(counter, ordinary, 0.5)
    numbers = {word: number for number, word in enumerate("甲乙丙丁戊己庚", start=1)}
    made = machine(model, numbers, {"庚": 2.0})
    history: tuple[str, ...] = (BEGIN,) if (BEGIN,) in model.after else ()
    state = START
    for word in [*said, "庚"]:
        state, cost = follow(made, state, numbers[word])
        expected = -math.log(model.probability(word, history)) + (2.0 if word == "庚" else 0.0)
        assert math.isclose(cost, expected, rel_tol=1e-6, abs_tol=1e-6)
        history = (*history, word)[-2:]


def test_what_was_said_before_tells_which_text_is_believed() -> None:
    counter: dict[tuple[str, ...], float] = {("请", "坐"): 10.0, ("请", "稍等"): 10.0}
    ordinary: dict[tuple[str, ...], float] = {("天气", "好"): 10.0, ("请", "客"): 1.0}
    model = mix([Text(counter, 0.5, 1.0), Text(ordinary, 0.5, 1.0)], 2, {})
    assert model.shares(("坐",))[0] == 1
    assert model.shares(("天气",))[1] == 1
    assert model.probability("坐", ("请",)) > model.probability("客", ("请",)) > model.probability("好", ("请",)) > 0


def written(made: Machine, read: tuple[int, ...]) -> Iterator[list[int]]:
    """What the lexicon's machine writes for a row of transition ids that must all be read, ending where words begin."""

    def walk(state: int, at: int, said: list[int]) -> Iterator[list[int]]:
        if at == len(read) and state == WORDS:
            yield said
        for arc in made.arcs:
            if arc.source != state or (arc.read and (at == len(read) or arc.read != read[at])):
                continue
            yield from walk(arc.target, at + bool(arc.read), [*said, arc.write] if arc.write else said)

    return walk(START, 0, [])


def test_the_lexicon_writes_each_word_for_its_sounds_and_nothing_else() -> None:
    spelt = {1: ("z", "ai"), 2: ("z", "ai"), 3: ("z", "ai", "j", "ian"), 4: ("z", "a"), 5: ("ai",), 6: ("x", "ian")}
    made = tree(spelt)
    for units in dict.fromkeys(spelt.values()):
        frames = tuple(tid for phone in in_word(units) for tid in (forward(phone), loop(phone), loop(phone)))
        assert sorted(written(made, frames)) == [[word] for word, other in spelt.items() if other == units]
    pause = (forward(1), loop(1))
    both = (*pause, *map(forward, in_word(("ai",))), *pause, *map(forward, in_word(("z", "a"))))
    assert list(written(made, both)) == [[5, 4]]
    assert not list(written(made, (forward(in_word(("z", "ai"))[0]),)))


def test_words_that_end_alike_share_the_states_of_their_end() -> None:
    def states(made: Machine) -> int:
        return len({arc.source for arc in made.arcs})

    alone = states(tree({1: ("m", "ing", "t", "ian")}))
    assert states(tree({1: ("m", "ing", "t", "ian"), 2: ("z", "uo", "t", "ian")})) - alone == 2
    assert Arc(0, 1, 0, 0, 0.7).cost == 0.7


def test_phones_are_numbered_as_the_bundled_model_numbers_them() -> None:
    assert phones_table() == (BUNDLED / "graph" / "phones.txt").read_text(encoding="ascii")
    assert boundary_table() == (BUNDLED / "graph" / "phones" / "word_boundary.int").read_text(encoding="ascii")
    assert [one.kind for one in phones()[:5]] == ["nonword", "begin", "internal", "end", "singleton"]
    used = [tid(one.id) for one in phones() for tid in (loop, forward)]
    assert used == list(range(1, 2 * len(phones()) + 1))
    assert unused_transition() == len(used) + 1
    assert in_word(("n", "in")) == tuple(one.id for name in ("n_B", "in_E") for one in phones() if one.name == name)


def test_every_wording_of_the_bank_counter_is_spelt() -> None:
    # In a process of its own: the program's pinyin trims the tables that the lexicon reads.
    command = [sys.executable, "-c", SPELL, "phrase_sets/bank-counter.toml"]
    shown = subprocess.run(command, cwd=TOP, capture_output=True, encoding="utf-8", check=True)
    pieces, unspelt = json.loads(shown.stdout)
    assert pieces > 800
    assert unspelt == []


def test_the_dials_are_read_and_a_fault_names_its_key(tmp_path: Path) -> None:
    dials = read_settings()
    assert 0 < dials.language.counter_share < 1
    assert f"--beam={dials.search.beam:g}\n" in model_conf(dials)
    text = FILE.read_text(encoding="utf-8")
    for wrong, told in (
        (text.replace("order = ", "ordre = "), "'ord"),
        (text.replace("beam = ", "beam = 'x' #", 1), "'beam' must be a number"),
        ("[language", "cannot be read"),
    ):
        (tmp_path / "graph.toml").write_text(wrong, encoding="utf-8")
        with pytest.raises(BuildError, match=told):
            read_settings(tmp_path / "graph.toml")


def test_a_missing_program_or_model_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BuildError, match=r"am/final\.mdl is missing"):
        graph.rebuild(tmp_path, [], read_settings())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="apt-get install libfst-tools"):
        openfst.write_language(Machine([], {0: 0.0}), tmp_path / "Gr.fst")


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("fstconvert"), reason="OpenFst's programs are missing: apt-get install libfst-tools"
)
@pytest.mark.skipif(not find_spec("jieba"), reason="jieba is missing: pip install -r models/build/requirements.txt")
def test_a_new_wording_gets_into_the_graph_without_training(tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(BUNDLED, model)
    (tmp_path / "mine.toml").write_text('[[stage.phrase]]\nsay = ["请您品尝蔓越莓曲奇"]\n', encoding="utf-8")
    rebuild = [sys.executable, "-m", "models.build.graph", str(model)]
    broken = subprocess.run(
        [*rebuild, "--phrases", "none.toml"], cwd=TOP, capture_output=True, check=False, timeout=120
    )
    assert broken.returncode == 1
    assert broken.stderr.count(b"\n") == 1
    verify_model(model)
    subprocess.run([*rebuild, "--phrases", str(tmp_path / "mine.toml")], cwd=TOP, check=True, timeout=120)
    verify_model(model)
    known = model_vocabulary(model)
    assert set("请您品尝蔓越莓曲奇") <= known
    assert {character for word in known for character in word} <= known
    assert not [file for file in model.iterdir() if file.name.startswith(".")]
    size = sum(file.stat().st_size for file in model.rglob("*") if file.is_file())
    assert size < 12_000_000
