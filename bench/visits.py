"""Synthetic visits from a phrase set: utterances with times, and the owed and forbidden phrases in them."""

import random
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from counter_listener.domain import Forbidden, Phrase, PhraseSet, Utterance, Word
from counter_listener.evaluation import LabelledPhrase
from counter_listener.phrases import read_phrase_set, split_units

LISTED: Final = Path(__file__).with_name("listed.toml")
"""What is owed or forbidden is said in these formal sentences."""
SLOT: Final = re.compile(r"\{([^{}]*)\}")
TALK: Final = Path(__file__).with_name("talk.toml")
HALVES: Final = {"tuning": 0, "reporting": 1}
"""Which sentences of talk.toml each kind of seed uses: those with an even number, or with an odd one."""
PACE: Final = (0.16, 0.26)
"""Seconds per character, least and most."""
ANSWER: Final = (0.8, 2.5)
"""Seconds between turns."""
BREATH: Final = (0.25, 0.45)
"""Seconds of a comma."""
BREAK: Final = (0.5, 0.9)
"""Seconds of a pause at which a recogniser ends the utterance inside a sentence."""
BEFORE_OFFENCE: Final = (5.0, 8.0)
"""Seconds of silence before an offence: closer courtesies would excuse it (`hearing.context`)."""
PARAPHRASED: Final = 0.4
"""Share of wordings that are not said word for word."""
SHARED: Final = 0.2
"""Share of phrases that are said with a wording of `shared`, where there is one."""
BROKEN_OFF: Final = 0.03
"""Share of longer wordings that a pause divides into two utterances."""
JOINED: Final = 0.2
"""Share of phrases said without a pause after the previous one."""
RUDE: Final = 0.25
"""Share of visits with offences."""
COMPLAINT: Final = 0.12
"""Share of visits with a complaint, well handled."""

OPENING: Final = (("call-next", 0.4), ("call-number", 0.3), ("hello", 0.95), ("invite-seat", 0.4), ("sorry-wait", 0.35))
OFTEN: Final = 10
"""How many times more likely a usual phrase of the second stage is than any other."""
USUAL: Final = frozenset({
    "ask-id-card", "ask-documents", "wait", "ask-password", "right-away", "let-me-check", "thanks", "say-amount",
    "fill-form", "confirm-amount", "look-camera", "watch-counter",
})  # fmt: skip
CLOSING: Final = (("ask-sign", 0.6), ("hand-back", 0.9), ("ask-more", 0.6), ("rate-please", 0.3), ("goodbye", 0.95))

FILLED: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("王先生", "李女士", "张阿姨", "刘师傅", "陈老师", "赵总"),
    "doc": ("户口本", "营业执照", "银行卡", "存折", "结婚证", "居住证明", "工资单"),
    "form": ("开户申请表", "汇款单", "存款凭条", "挂失申请书", "取款单"),
    "amount": ("三千五百", "两万", "一百二十", "五", "八千六百", "四十", "一万零五百"),
    "number": ("三十六", "二", "五", "十八", "七", "一百零三"),
    "product": ("定期存款", "银行卡", "挂失", "转账汇款", "外币兑换"),
    "place": ("现金", "对公", "理财", "贵宾"),
    "time": ("三个工作日", "两小时", "明天", "十分钟", "一周"),
    "issue": ("利息算错了", "等得太久", "卡被吞了", "多扣了手续费"),
}
LEAD_IN: Final = ("嗯", "啊", "那个", "呃", "那", "好的", "来")
FILLERS: Final = ("嗯", "啊", "那个", "呃")
PARTICLES: Final = ("啊", "哈", "呢", "吧", "哦")
SETTLED_END: Final = ("吗", "吧", "呢", "了", "啊", "么")
JOINT: Final = re.compile(
    r"(?<=请问)|(?<=请您)|(?<=麻烦您)|(?<=您的)|(?<=对不起)|(?<=抱歉)|(?<=不好意思)|(?<=为您)|(?<=帮您)|(?<=一下)"
)
VERB: Final = re.compile(r"出示|填写|核对|确认|输入|关注|阅读|遮挡|提供|评价|清点|注意")
PLEASE: Final = re.compile(r"(?<![我有])请(?![您问下大负老经一二三五十七])")
"""A 请 that a 您 may follow."""
MARK: Final = re.compile(r"\[([^|\]]*)\|([^\]?]+)(\??)\]")


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters from first up to, not including, last are this phrase or offence."""

    id: str
    first: int
    last: int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What one person says without a break."""

    text: str
    """Characters without punctuation."""
    marks: tuple[Mark, ...] = ()
    pauses: tuple[tuple[int, tuple[float, float]], ...] = ()
    """The characters before which the speaker pauses, each with the least and the most seconds."""
    silence: tuple[float, float] = ANSWER
    """Seconds before it, least and most."""


Patterns = tuple[tuple[str, re.Pattern[str]], ...]
"""Ids, each with the exact text of one of its wordings."""


@dataclass(frozen=True, slots=True)
class Script:
    """A phrase set, with the exact text of its owed and forbidden wordings."""

    phrases: PhraseSet
    owed: Patterns
    forbidden: Patterns


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit before recognition."""

    name: str
    seconds: float
    utterances: tuple[Utterance, ...]
    said: tuple[LabelledPhrase, ...]


@cache
def talk() -> dict[str, list[str]]:
    return tomllib.loads(TALK.read_text(encoding="utf-8"))


def half(kind: str, name: str) -> list[str]:
    """The sentences of talk.toml that seeds of this kind (`tuning` or `reporting`) use."""
    return talk()[name][HALVES[kind] :: 2]


@cache
def listed() -> PhraseSet:
    return read_phrase_set(LISTED)[0]


def script(phrases: PhraseSet) -> Script:
    """A phrase set ready to make visits from."""
    return Script(phrases, exact([phrase for phrase, _ in phrases.phrases()]), exact(phrases.forbidden))


def exact(owners: Iterable[Phrase | Forbidden]) -> Patterns:
    return tuple((owner.id, pattern_of(wording)) for owner in owners for wording in (*owner.say, *owner.shared))


def pattern_of(wording: str) -> re.Pattern[str]:
    parts = enumerate(SLOT.split(wording))
    return re.compile("".join(".{1,10}?" if index % 2 else "".join(split_units(part)) for index, part in parts))


def visits(kind: str, seed: int, number: int) -> Iterator[Visit]:
    """`number` visits from one seed."""
    source = script(listed())
    for index in range(number):
        rng = random.Random(f"{kind} {seed} {index}")
        yield with_times(f"{kind}-{seed}-{index}", list(turns(source, kind, rng)), rng)


def turns(source: Script, kind: str, rng: random.Random) -> Iterator[Turn]:
    """The turns of one visit, in order."""
    phrases = source.phrases
    known = {phrase.id: phrase for phrase, _ in phrases.phrases()}
    said = [known[one] for one in plan(phrases, rng)]
    held: Turn | None = None
    for phrase in said:
        turn = owed(phrase, source, rng)
        if held is not None and rng.random() < JOINED and joinable(held, turn, source):
            held = joined(held, turn)
            continue
        if held is not None:
            yield held
            yield from between(kind, rng)
        held = turn
    if held is not None:
        yield held
    if rng.random() < RUDE:
        for offence in rng.sample(phrases.forbidden, rng.randint(1, 3)):
            yield forbidden(offence, source, rng)
            yield from between(kind, rng)


def plan(phrases: PhraseSet, rng: random.Random) -> Iterator[str]:
    """Ids of the phrases of one visit, in order."""
    stages = {stage.id: [phrase.id for phrase in stage.phrase] for stage, _ in phrases.stages()}
    greet, serve, farewell = (list(stages[one]) for one in ("greet", "serve", "farewell"))
    yield from (one for one, share in OPENING if rng.random() < share)
    yield from rng.sample([one for one in greet if one not in dict(OPENING)], rng.randint(0, 1))
    yield "ask-need"
    rest = [one for one in serve if one != "ask-need" for _ in range(OFTEN if one in USUAL else 1)]
    yield from dict.fromkeys(rng.sample(rest, rng.randint(4, 8)))
    if rng.random() < COMPLAINT:
        scenario = rng.choice(phrases.scenario)
        yield from (rng.choice(stage.phrase).id for stage in scenario.stage)
    yield from rng.sample([one for one in farewell if one not in dict(CLOSING)], rng.randint(0, 2))
    yield from (one for one, share in CLOSING if rng.random() < share)


def between(kind: str, rng: random.Random) -> Iterator[Turn]:
    """What the customer or somebody else says before the clerk continues; no phrase."""
    if rng.random() < 0.4:  # noqa: PLR2004
        yield parsed(rng.choice(half(kind, "customer")))
    if rng.random() < 0.25:  # noqa: PLR2004
        yield parsed(rng.choice(half(kind, "innocent")))


def parsed(marked: str) -> Turn:
    """A sentence of talk.toml."""
    text, marks = "", []
    for index, part in enumerate(MARK.split(marked)):
        if index % 4 in {0, 1}:
            begin, text = len(text), text + "".join(split_units(part))
        elif index % 4 == 2:  # noqa: PLR2004
            name = part
        else:
            marks.append(Mark(name, begin, len(text), bool(part)))
    return Turn(text, tuple(marks))


def owed(phrase: Phrase, source: Script, rng: random.Random) -> Turn:
    """A phrase, said by one of its wordings or nearly so."""
    listed = phrase.shared if phrase.shared and (not phrase.say or rng.random() < SHARED) else phrase.say
    text = filled(rng.choice(listed), rng)
    pauses: tuple[tuple[int, tuple[float, float]], ...] = ()
    first = 0
    if rng.random() < PARAPHRASED:
        text, first = paraphrased(text, rng)
    joints = [place.start() for place in JOINT.finditer(text) if 1 < place.start() < len(text) - 1]
    if joints and rng.random() < BROKEN_OFF:
        pauses = ((rng.choice(joints), BREAK),)
    marks = (Mark(phrase.id, first, len(text)), *within(phrase.id, text, source.owed))
    return Turn(text, marks, pauses)


def forbidden(offence: Forbidden, source: Script, rng: random.Random) -> Turn:
    """An offence, word for word or with a filler or a particle."""
    text = filled(rng.choice((*offence.say, *offence.shared)), rng)
    if rng.random() < PARAPHRASED:
        text = rng.choice(LEAD_IN[:5]) + text if rng.random() < 0.5 else with_particle(text, rng)  # noqa: PLR2004
    marks = (Mark(offence.id, 0, len(text)), *within(offence.id, text, source.forbidden))
    return Turn(text, marks, silence=BEFORE_OFFENCE)


def filled(wording: str, rng: random.Random) -> str:
    """A wording with something in each slot, without punctuation."""
    return "".join(split_units(SLOT.sub(lambda slot: rng.choice(FILLED[slot[1]]), wording)))


def paraphrased(text: str, rng: random.Random) -> tuple[str, int]:
    """The text in words that the phrase set does not list, and where the phrase begins in it."""
    change = rng.choice((lead_in, inner_filler, with_particle, with_nin, with_yixia, with_other_for))
    changed = change(text, rng)
    return changed, len(changed) - len(text) if change is lead_in else 0


def lead_in(text: str, rng: random.Random) -> str:
    return rng.choice(LEAD_IN) + text


def inner_filler(text: str, rng: random.Random) -> str:
    joints = [place.start() for place in JOINT.finditer(text) if place.start() < len(text)]
    at = rng.choice(joints) if joints else 0
    return text[:at] + rng.choice(FILLERS) + text[at:] if at else text


def with_particle(text: str, rng: random.Random) -> str:
    return text if text.endswith(SETTLED_END) else text + rng.choice(PARTICLES)


def with_nin(text: str, rng: random.Random) -> str:
    """请出示 becomes 请您出示, or 您 becomes 你."""
    if PLEASE.search(text):
        return PLEASE.sub("请您", text, count=1)
    return text.replace("您", "你", 1) if rng.random() < 0.5 else text  # noqa: PLR2004


def with_yixia(text: str, _: random.Random) -> str:
    return text if "一下" in text else VERB.sub(lambda verb: verb[0] + "一下", text, count=1)


def with_other_for(text: str, rng: random.Random) -> str:
    """为您 becomes 给您, or stays; 帮您 means something else in a few phrases."""
    return re.sub("[为给]您", lambda _: rng.choice("为给") + "您", text, count=1)


def within(own: str, text: str, patterns: Patterns) -> Iterator[Mark]:
    """Other phrases or offences that occur exactly in this text: they may be found, but were not meant."""
    for other, pattern in patterns:
        for found in pattern.finditer(text) if other != own else ():
            yield Mark(other, found.start(), found.end(), optional=True)


def joinable(first: Turn, second: Turn, source: Script) -> bool:
    """Whether the two turns together do not contain a third phrase across their border."""
    border, text = len(first.text), first.text + second.text
    found = (place.span() for _, pattern in source.owed for place in pattern.finditer(text))
    return not any(begin < border < end for begin, end in found)


def joined(first: Turn, second: Turn) -> Turn:
    border = len(first.text)
    moved = (Mark(mark.id, mark.first + border, mark.last + border, mark.optional) for mark in second.marks)
    later = ((at + border, pause) for at, pause in second.pauses)
    return Turn(
        first.text + second.text, (*first.marks, *moved), (*first.pauses, (border, BREATH), *later), first.silence
    )


def with_times(name: str, said: Sequence[Turn], rng: random.Random) -> Visit:
    """The turns with times: utterances end where a turn does, or at a break inside it."""
    now, utterances, spans = 0.0, list[Utterance](), list[LabelledPhrase]()
    for turn in said:
        now += rng.uniform(*turn.silence)
        pauses, words, ends = dict(turn.pauses), list[Word](), {0}
        for index, unit in enumerate(turn.text):
            now += rng.uniform(*pauses[index]) if index in pauses else 0.0
            if pauses.get(index) == BREAK:
                ends.add(index)
            pace = rng.uniform(*PACE)
            words.append(Word(unit, round(now, 3), round(now + pace, 3)))
            now += pace
        cuts = [*sorted(ends), len(words)]
        parts = [tuple(words[first:last]) for first, last in pairwise(cuts) if first < last]
        utterances += [Utterance(part[0].start, part[-1].end, part) for part in parts]
        spans += [
            LabelledPhrase(mark.id, words[mark.first].start, words[mark.last - 1].end, mark.optional)
            for mark in turn.marks
        ]
    return Visit(name, round(now + 1.0, 3), tuple(utterances), tuple(spans))
