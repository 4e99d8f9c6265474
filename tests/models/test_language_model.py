"""The language model of the model build: templates, n-grams, the lexicon transducer, and the rebuild of a graph."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from counter_listener.asr import find_model, model_vocabulary, verify_model
from models.build import graph, openfst
from models.build.conf import model_conf
from models.build.errors import BuildError
from models.build.gains import Grammar, gains, grammar_of, summary
from models.build.language.templates import MAX_SENTENCES, Templates
from models.build.language.texts import (
    BREAK,
    FOLDER,
    MAX_DRAWN,
    SENTENCES,
    draw_sentences,
    phrase_set_sentences,
    template_reader,
    weighted,
)
from models.build.language.vocabulary import is_chinese, segmenter
from models.build.lexicon import pronunciation, readings
from models.build.lexicon_fst import START, WORD_START, Fst, lexicon_fst
from models.build.ngram import BEGIN, END, Mixture, Text, grammar_fst, mix, prune
from models.build.phones import boundary_table, forward, loop, phone_table, phones, unused_transition, word_phones
from models.build.settings import SETTINGS_FILE, read_settings

PROJECT = Path(__file__).resolve().parents[2]
BUNDLED = find_model("counter-cn")
words = st.sampled_from("甲乙丙丁戊")
sentences = st.dictionaries(st.lists(words, min_size=1, max_size=4).map(tuple), st.floats(0.1, 20), max_size=8)


def templates(folder: Path, text: str) -> Templates:
    (folder / "text.txt").write_text(text, encoding="utf-8")
    read = Templates()
    read.read(folder / "text.txt")
    return read


def expanded(folder: Path, text: str) -> list[list[str]]:
    read = templates(folder, text)
    return [read.expand(template, location) for location, template in read.sentences]


def test_a_template_expands_to_all_choices_and_slot_values(tmp_path: Path) -> None:
    text = "# ours\nwho = 我 | (你|您)\n{who}好(吗|)  # a question or not\n再见\n"
    assert expanded(tmp_path, text) == [["我好吗", "我好", "你好吗", "你好", "您好吗", "您好"], ["再见"]]


def test_a_template_with_too_many_sentences_is_sampled_reproducibly(tmp_path: Path) -> None:
    text = "digit = 一 | 二 | 三 | 四 | 五 | 六 | 七\n{digit}{digit}{digit}\n"
    (drawn,) = expanded(tmp_path, text)
    assert len(drawn) == MAX_SENTENCES
    assert len(set(drawn)) > MAX_SENTENCES / 2
    assert [drawn] == expanded(tmp_path, text)


@pytest.mark.parametrize("text", ["你好(吗", "你好)吗", "你{好", "{nobody}好", "a = {b}\nb = {a}\n{a}"])
def test_an_error_in_a_template_names_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(BuildError, match=r"text\.txt, line \d"):
        expanded(tmp_path, text)


def drawn(phrase_set: str, wording: str, known: Templates) -> list[str]:
    return draw_sentences(wording, template_reader(tomllib.loads(phrase_set), phrase_set + wording), known, "mine.toml")


def test_slots_of_a_wording_are_filled_and_unknown_slots_become_breaks(tmp_path: Path) -> None:
    known = templates(tmp_path, "amount = 五千 | 两万\n")
    assert drawn("", "收您{amount}元，请稍等", known) == ["收您五千元，请稍等", "收您两万元，请稍等"]
    assert drawn("", "请到{nowhere}来", known) == ["请到，来"]


def test_a_template_of_a_phrase_set_becomes_its_sentences(tmp_path: Path) -> None:
    known = templates(tmp_path, "amount = 五千\n")
    tables = 'lists.item = ["存折", "银行卡"]\nrules.please = "(请|麻烦)[您]"\n'
    assert sorted(drawn(tables, "<please>收好{item}", known)) == sorted(
        please + "收好" + item for please in ("请", "请您", "麻烦", "麻烦您") for item in ("存折", "银行卡")
    )
    assert sorted(drawn(tables, "(收好{item};谢谢)", known)) == sorted(
        order for item in ("存折", "银行卡") for order in (f"收好{item}谢谢", f"谢谢收好{item}")
    )
    assert drawn(tables, "(收|收下)您{amount}[{any}]元", known)[:2] == ["收您五千，元", "收您五千元"]


def test_a_template_with_many_sentences_is_drawn_reproducibly_and_mostly_without_its_fillers() -> None:
    tables = 'lists.filler = ["一", "二", "三", "四", "五", "六", "七", "八", "九"]\n'
    first, second = (drawn(tables, "请[{filler}][{filler}][{filler}]坐", Templates()) for _ in range(2))
    assert first == second
    assert len(first) == MAX_DRAWN
    assert 3 < sum(map(len, first)) / len(first) < 4.2  # all 1 000 sentences have 4.7 characters on average


@pytest.mark.parametrize("wording", ["你好(吗", "<nobody>好", "(一;二;三;四;五)"])
def test_an_error_in_a_template_of_a_phrase_set_names_the_file_and_the_template(tmp_path: Path, wording: str) -> None:
    (tmp_path / "mine.toml").write_text(f'[[stage.phrase]]\nsay = ["{wording}"]\n', encoding="utf-8")
    with pytest.raises(BuildError, match=r"mine\.toml, '.*`phrases check`"):
        list(phrase_set_sentences(tmp_path / "mine.toml", Templates()))


def test_an_example_with_recognition_errors_is_not_in_the_text(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'example = [{heard = ["输入蜜码", "输如密码"], expect = ["password"]}, '
        '{heard = ["忘了密码", "密码忘了"], expect = []}, {heard = "没有密码", expect = []}]\n'
        '[[stage.phrase]]\nid = "password"\nsay = ["输入密码"]\n',
        encoding="utf-8",
    )
    found = list(phrase_set_sentences(tmp_path / "mine.toml", Templates()))
    assert found[:4] == [["忘了密码"], ["密码忘了"], ["没有密码"], ["输入密码"]]


def test_sentences_are_segmented_into_the_most_probable_words_and_pieces_are_counted_too() -> None:
    cutter = segmenter({"请": 90, "问": 30, "坐": 30, "请坐": 5}, ["请问"])
    assert cutter.cut("请问请坐吧") == ("请问", "请坐", "吧")
    weights = weighted([(["请坐，请问", "OK"], 4.0)], cutter)
    assert weights == {("请坐", "请问"): 1.0, ("请坐",): 1.0, ("请问",): 1.0}


def test_plain_sentences_are_chinese_and_unique() -> None:
    files = sorted((FOLDER / SENTENCES).glob("*/*.txt"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert {file.parent.name for file in files} == {"counter", "ordinary"}
    assert [line for line in lines if not all(map(is_chinese, line.split("，")))] == []
    assert len(set(lines)) == len(lines)


def mixture(
    counter: Mapping[tuple[str, ...], float], ordinary: Mapping[tuple[str, ...], float], min_gain: float
) -> Mixture:
    texts = [Text(counter, 0.4, 1.0), Text(ordinary, 0.6, 5.0, {"甲": 3.0, "己": 1.0})]
    return prune(mix(texts, 3, dict.fromkeys("甲乙丙丁戊庚", 1e-6)), min_gain)


@example({("甲", "甲"): 1.0, ("乙", "乙", "甲", "丙"): 2.0}, {}, 4.0)
@given(sentences, sentences, st.sampled_from([0.0, 0.5, 4.0]))
@settings(max_examples=60)
def test_the_probabilities_after_every_history_sum_to_one(
    counter: dict[tuple[str, ...], float], ordinary: dict[tuple[str, ...], float], min_gain: float
) -> None:
    model = mixture(counter, ordinary, min_gain)
    vocabulary = [*"甲乙丙丁戊己庚", END]
    for history in [*model.after, ("庚",), (BEGIN, "庚")]:
        assert math.isclose(sum(model.probability(word, history) for word in vocabulary), 1.0, abs_tol=1e-9)
        assert math.isclose(sum(model.shares(history)), 1.0)
    for history, back in model.back.items():
        # an n-gram with a lower probability than its back-off is not pruned if a longer n-gram needs it
        explicit = model.after[history].items()
        lower = any(probability < model.probability(word, history[1:]) for word, probability in explicit)
        assert 0 < back <= 1 + 1e-9 or (lower and back < math.inf)
    assert all(model.probability(word) > 0 for word in "甲乙丙丁戊己庚")


def follow(fst: Fst, state: int, word: int) -> tuple[int, float]:
    """The target state and the cost of a word in the grammar, by its explicit arc or else by back-off."""
    arcs = {arc.ilabel: arc for arc in fst.arcs if arc.source == state}
    if word in arcs:
        return arcs[word].target, arcs[word].cost
    target, cost = follow(fst, arcs[0].target, word)
    return target, arcs[0].cost + cost


@given(sentences, sentences, st.lists(words, max_size=5))
@settings(max_examples=40)
def test_the_costs_of_the_grammar_are_the_probabilities_of_the_language_model(
    counter: dict[tuple[str, ...], float], ordinary: dict[tuple[str, ...], float], sentence: list[str]
) -> None:
    model = mixture(counter, ordinary, 0.5)
    numbers = {word: number for number, word in enumerate("甲乙丙丁戊己庚", start=1)}
    fst = grammar_fst(model, numbers, {"庚": 2.0})
    history: tuple[str, ...] = (BEGIN,) if (BEGIN,) in model.after else ()
    state = START
    for word in [*sentence, "庚"]:
        state, cost = follow(fst, state, numbers[word])
        expected = -math.log(model.probability(word, history)) + (2.0 if word == "庚" else 0.0)
        assert math.isclose(cost, expected, rel_tol=1e-6, abs_tol=1e-6)
        history = (*history, word)[-2:]


def grammar(counter: Mapping[tuple[str, ...], float]) -> Grammar:
    model = mixture(counter, {}, 0.0)
    numbers = {word: number for number, word in enumerate(sorted(model.after[()].keys() - {END}), start=1)}
    return grammar_of(grammar_fst(model, numbers, {}), {**numbers, "<eps>": 0})


def test_the_cost_of_a_text_is_that_of_its_most_likely_words() -> None:
    model = mixture({("甲乙", "丙"): 3.0, ("甲", "乙"): 1.0}, {}, 0.0)
    spelled = grammar({("甲乙", "丙"): 3.0, ("甲", "乙"): 1.0})

    def cost(*words: str) -> float:
        histories = [(BEGIN, *words)[max(0, index - 1) : index + 1] for index in range(len(words))]
        return -sum(math.log(model.probability(word, h)) for word, h in zip(words, histories, strict=True)) / 3

    assert spelled.cost("甲乙丙") == pytest.approx(min(cost("甲乙", "丙"), cost("甲", "乙", "丙")))
    assert spelled.cost("甲龘") == math.inf


def test_the_templates_that_gained_are_told(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[[stage.phrase]]\nsay = ["丙(丁|戊)", "甲乙，甲乙", "丙龘"]\n[[example]]\nheard = "戊"\n', encoding="utf-8"
    )
    before = grammar({("甲", "乙"): 9.0})
    after = grammar({("甲", "乙"): 9.0, ("丙", "丁"): 9.0, ("丙", "戊"): 9.0})
    measured = list(gains([tmp_path / "mine.toml"], before, after))
    assert [(gain.template, gain.gained) for gain in measured] == [
        ("丙(丁|戊)", True),
        ("甲乙，甲乙", False),
        ("丙龘", False),
    ]
    first, *others = summary(measured).splitlines()
    assert first.startswith("1 of 3 templates gained")
    assert "1 cannot be spelled" in first
    assert len(others) == 1
    assert others[0].endswith("丙(丁|戊)")
    assert [gain.gained for gain in gains([tmp_path / "mine.toml"], after, after)] == [False] * 3


def test_a_sentence_begins_in_the_state_after_no_words() -> None:
    fst = grammar_fst(
        mixture({("甲", "乙"): 9.0}, {}, 0.0), {w: n for n, w in enumerate("甲乙丙丁戊己庚", start=1)}, {}
    )
    assert fst.text().split()[0] == str(START)  # OpenFst's fstcompile starts in the first state that it reads
    assert len({arc.ilabel for arc in fst.arcs if arc.source == START}) < 7, "all words: the history of no words"


def test_the_preceding_words_decide_which_text_is_used() -> None:
    counter: dict[tuple[str, ...], float] = {("请", "坐"): 10.0, ("请", "稍等"): 10.0}
    ordinary: dict[tuple[str, ...], float] = {("天气", "好"): 10.0, ("请", "客"): 1.0}
    model = mix([Text(counter, 0.5, 1.0), Text(ordinary, 0.5, 1.0)], 2, {})
    assert model.shares(("坐",))[0] == 1
    assert model.shares(("天气",))[1] == 1
    assert model.probability("坐", ("请",)) > model.probability("客", ("请",)) > model.probability("好", ("请",)) > 0


def outputs(fst: Fst, transitions: tuple[int, ...]) -> Iterator[list[int]]:
    """The words of each path through the lexicon that consumes these transition ids and ends where words begin."""

    def walk(state: int, index: int, output: list[int]) -> Iterator[list[int]]:
        if index == len(transitions) and state == WORD_START:
            yield output
        for arc in fst.arcs:
            if arc.source != state or (arc.ilabel and (index == len(transitions) or arc.ilabel != transitions[index])):
                continue
            yield from walk(arc.target, index + bool(arc.ilabel), [*output, arc.olabel] if arc.olabel else output)

    return walk(START, 0, [])


def test_the_lexicon_outputs_each_word_for_its_units_and_nothing_else() -> None:
    lexicon = {1: ("z", "ai"), 2: ("z", "ai"), 3: ("z", "ai", "j", "ian"), 4: ("z", "a"), 5: ("ai",), 6: ("x", "ian")}
    fst = lexicon_fst(lexicon)
    for units in dict.fromkeys(lexicon.values()):
        frames = tuple(tid for phone in word_phones(units) for tid in (forward(phone), loop(phone), loop(phone)))
        assert sorted(outputs(fst, frames)) == [[word] for word, other in lexicon.items() if other == units]
    pause = (forward(1), loop(1))
    two_words = (*pause, *map(forward, word_phones(("ai",))), *pause, *map(forward, word_phones(("z", "a"))))
    assert list(outputs(fst, two_words)) == [[5, 4]]
    assert not list(outputs(fst, (forward(word_phones(("z", "ai"))[0]),)))


def test_words_with_the_same_suffix_share_its_states() -> None:
    def states(fst: Fst) -> int:
        return len({arc.source for arc in fst.arcs})

    one_word = states(lexicon_fst({1: ("m", "ing", "t", "ian")}))
    assert states(lexicon_fst({1: ("m", "ing", "t", "ian"), 2: ("z", "uo", "t", "ian")})) - one_word == 2


def test_phones_have_the_numbers_of_the_bundled_model() -> None:
    assert phone_table() == (BUNDLED / "graph" / "phones.txt").read_text(encoding="ascii")
    assert boundary_table() == (BUNDLED / "graph" / "phones" / "word_boundary.int").read_text(encoding="ascii")
    assert [phone.position for phone in phones()[:5]] == ["nonword", "begin", "internal", "end", "singleton"]
    used = [tid(phone.id) for phone in phones() for tid in (loop, forward)]
    assert used == list(range(1, 2 * len(phones()) + 1))
    assert unused_transition() == len(used) + 1
    ids = {phone.name: phone.id for phone in phones()}
    assert word_phones(("n", "in")) == (ids["n_B"], ids["in_E"])


def test_polyphones_are_read_as_in_their_word() -> None:
    assert readings("重庆") == (("chong", "2"), ("qing", "4"))  # pypinyin's phrase dictionary
    assert readings("还贷") == (("huan", "2"), ("dai", "4"))  # the words of the counter
    assert readings("重") == (("zhong", "4"),)


@pytest.mark.slow
def test_every_template_of_the_bank_counter_has_sentences_with_a_pronunciation() -> None:
    groups = list(phrase_set_sentences(PROJECT / "phrase_sets" / "bank-counter.toml", Templates()))
    assert len(groups) > 800
    assert max(map(len, groups)) == MAX_DRAWN
    silent = [lines for lines in groups[::4] if not any(map(is_pronounceable, lines))]
    assert len(silent) <= len(groups) / 400, silent  # 覅 has no unit


def is_pronounceable(line: str) -> bool:
    return all(pronunciation(piece) is not None for piece in BREAK.split(line) if piece)


def test_settings_are_read_and_an_error_names_the_key(tmp_path: Path) -> None:
    read = read_settings()
    assert 0 < read.language.counter_share < 1
    assert f"--beam={read.search.beam:g}\n" in model_conf(read)
    text = SETTINGS_FILE.read_text(encoding="utf-8")
    for wrong, message in (
        (text.replace("order = ", "ordre = "), "'ord"),
        (text.replace("beam = ", "beam = 'x' #", 1), "'beam' must be a number"),
        ("[language", "cannot be read"),
    ):
        (tmp_path / "graph.toml").write_text(wrong, encoding="utf-8")
        with pytest.raises(BuildError, match=message):
            read_settings(tmp_path / "graph.toml")


def test_a_missing_program_or_model_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BuildError, match=r"am/final\.mdl is missing"):
        graph.rebuild(tmp_path, [], read_settings())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="apt-get install libfst-tools"):
        openfst.write_grammar(Fst([], {0: 0.0}), tmp_path / "Gr.fst")


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("fstconvert"), reason="OpenFst's programs are missing: apt-get install libfst-tools"
)
@pytest.mark.skipif(not find_spec("jieba"), reason="jieba is missing: pip install -r models/build/requirements.txt")
def test_a_new_template_is_added_to_the_graph_without_training(tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(BUNDLED, model)
    (tmp_path / "mine.toml").write_text(
        '[[stage.phrase]]\nsay = ["请您(品尝|尝尝)[{any}]蔓越莓曲奇"]\n', encoding="utf-8"
    )
    rebuild = [sys.executable, "-m", "models.build.graph", str(model)]
    failed = subprocess.run(
        [*rebuild, "--phrases", "none.toml"], cwd=PROJECT, capture_output=True, check=False, timeout=120
    )
    assert failed.returncode == 1
    assert failed.stderr.count(b"\n") == 1
    verify_model(model)
    mine = [*rebuild, "--phrases", str(tmp_path / "mine.toml")]
    for gained in (1, 0):
        told = subprocess.run(mine, cwd=PROJECT, check=True, timeout=300, encoding="utf-8", stdout=subprocess.PIPE)
        assert f"{gained} of 1 templates gained" in told.stdout
    verify_model(model)
    vocabulary = model_vocabulary(model)
    assert set("请您品尝蔓越莓曲奇") <= vocabulary
    assert {character for word in vocabulary for character in word} <= vocabulary
    assert not [file for file in model.iterdir() if file.name.startswith(".")]
    size = sum(file.stat().st_size for file in model.rglob("*") if file.is_file())
    assert size < 40_000_000
