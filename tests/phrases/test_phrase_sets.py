"""The bundled phrase sets: their examples, the content of the bank's set, and visits that must not be accused."""

from __future__ import annotations

import dataclasses
import random
import re
from functools import cache
from pathlib import Path

import pytest
from support.bundled import matcher
from support.small_counter import said

from counter_listener.domain import Event, Findings, PhraseSet, Speaker, bundled_folder, phrase_set
from counter_listener.judging import failing_examples, unmatched_templates
from counter_listener.matching import find_in_utterance, prepare_matcher
from counter_listener.phrases import read_phrase_set, split_units, template_reader, unspellable_templates
from counter_listener.pipeline import judge_events, with_ticks

FILES = sorted(bundled_folder("phrase_sets").glob("*.toml"))
README = bundled_folder("phrase_sets") / "README.md"
CLASSES = {"推诿", "指令", "不耐烦", "顶撞", "嘲讽", "敷衍", "投诉场景"}
FIXED = (
    *("hello", "ask-need", "hand-back", "goodbye", "ask-more", "wait", "thanks", "sorry-wait"),
    *("ask-sign", "ask-password", "ask-id-card", "call-next"),
)
HANDLED = ("complaint-listen", "complaint-sympathise", "complaint-apologise", "complaint-solve", "complaint-thank")
OFFENCES = (
    *("next-one", "none-left", "not-my-business", "look-yourself"),
    *("hurry-up", "off-duty", "cannot-help", "dont-know"),
)
VISIT = """
请下一位客户到这边办理。 您好，欢迎光临，请坐。 不好意思，让您久等了。 请问您要办理什么业务？
好的，您是要办理定期存款，对吗？ 请问您存多少钱？存多长时间？ 请出示您的身份证和银行卡。
谢谢，请您稍等，我马上为您办理。 收您两万元，请您看一下点钞机。 麻烦您抬头看一下摄像头。 请您输入密码。
请您再输入一次密码，好的。 现在给您打印单子，请您核对一下金额和姓名。 没有问题的话，请您在右下角签名。
对不起，零钱没有了，给您整钱可以吗？ 好的，谢谢您的配合。
您的业务已经办理完成，这是您的身份证和存单，请您收好。 请问您还需要办理其他业务吗？
好的，请您对我的服务做一个评价。 感谢您的光临，请慢走，再见。
"""
PLAIN_VISIT = """
您好。 请问您要办理什么业务？ 我要取两万块钱。 请收好您的证件。 谢谢你，再见。 再见，请慢走。
"""
COMPLAINT = """
您好，请问有什么可以帮您？ 我要投诉你们，我等了一个小时了！ 请您慢慢说，我在认真听。 我非常理解您的心情。
非常抱歉给您带来不便。 我马上为您处理，我请经理来。 谢谢您的宝贵意见。 已经为您办好了，请收好您的证件。
请慢走。
"""
CUSTOMERS = """
你好，我想取两万块钱。 我申请贷款需要什么材料？ 我想查一下最近三年的流水。
我的身份证忘在家里了，能用驾照吗？ 为什么办不了？ 能不能办一张新卡？ 这个是不是只能本人来办？
需要本人办理吗？我妈妈走不动了。 一定要本人来吗？ 我上次来你们说办不了，今天能办吗？
手机上办不了，所以我才过来的。 网上办不了这个业务。 别的网点说不能办理，让我来你们这里。
我没有零钱，只有一百的。 你们有没有零钱？我想换一点硬币。 我身上没有零钱了。 是系统故障吗？还要等多久？
系统故障什么时候能好？ 几点结束营业？ 你们现在是不是已经停止营业了？ 我没有开通手机银行。 要在这里签字吗？
在这里签字吗？ 我在这里签字就可以了吧？ 还要签个字吗？ 签个名就行了是吧，我签好了。
签在哪里，是在这里签名吗？ 怎么输入密码？ 要输入密码吗？ 密码要输入几位？ 我输入密码了，它说不对。
我忘记输入密码了。 需要填写什么单子？ 这张表怎么填写？ 我不会填写这个，你帮我填写一下表格行吗？
填写错了怎么办？ 你帮我核对一下金额。 我核对一下，嗯，对的。 让我确认一下金额。 我收好了，谢谢。
身份证收好了。 我再输一遍。 稍等一下，我找找身份证。 稍等我看看手机里的验证码。 我稍后再来办吧。
能坐下等吗？ 我先坐一会儿，等人少一点。 我想查卡里还有多少钱。 帮我查一下卡里的余额。 初始密码是多少？
要出示身份证吗？ 需要出示什么证件？ 我出示了身份证的呀。 要不要看摄像头？ 要看摄像头吗？我看哪里？
要按手印吗？按哪里？ 我不知道怎么弄。 我也不清楚，是我儿子让我来的。 我不太清楚，你能再说一遍吗？
没有了，就这些，谢谢。 不用了，没有别的业务了。 快点行不行，我赶时间。 麻烦你快一点，我要接孩子。
下一个是不是我？ 我下一个月再来存。 不行，这样太麻烦了。 这样不行吗？ 行不行你给个话。 我自己看着办吧。
我自己看一下说明书。 老人自己看不清楚，我替她看。 我到那边去问问大堂经理。 是到那边去取号吗？
我自己找一下吧。 我去别的银行办好了。 我下班了再来，你们几点关门？ 那我明天再来吧。 等我有空再来。
我没办法，只好请假过来。 那怎么办呢，我也没办法呀。 这不是我的问题吧，是你们机器的问题。
我的卡怎么又不见了？ 钱不够了，我再取一点。 卡里没有钱了。 我想好了再来吧。 我连密码都记不住，年纪大了。
我不认识字，你帮我念一下。 我老糊涂了，忘了带存折。 跟你说了多少遍了，我没有收到短信。
我不是说过了吗，我要存定期。 你们一定是弄错了吧？ 这绝对不可能，我没有转过账。 你们不可能弄错吗？
这是你们的责任，不是我的责任。 我要投诉你们。 叫你们领导来。 我冷静不了，钱都没了。
我又不是来投诉的，我就问问。 走着去还是步行去都行。 门口正在建设，路不好走。 我再见习一个月就转正了。
下午好像要下雨了。 好的，再见。 谢谢啊，辛苦你了。 这是你们规定的我有什么办法。 真麻烦，来了三趟了。
你急什么，让人家慢慢弄。 我想改天再来办理财。 这一百块点一下对不对？ 你看我这个卡是不是坏了？
外面的取款机坏了，没办法取钱。 我把证件给你，还要别的资料吗？ 把身份证给我吧，我自己收着。
他让我拿身份证来，我拿来了。 本人不来能办吗？ 我回去让本人来办。 我回去拿证明。 大声点，我耳朵不好。
我就这点钱，存定期划算吗？ 宝宝别吵，妈妈在办事。 我不急，你慢慢弄。 请问这里办什么业务？
请问办理挂失在哪个窗口？ 我可以等你请示一下经理。 你们领导同意了我才来的。 孩子的压岁钱可以存我名下吗？
随便你，都可以。 那就这样吧，我走了。 怎么又要问我身份证号啊？ 我都说过了还问什么。 我卡拿来了，你看一下。
哪有那么好的事，肯定是诈骗。 我们又不欠你们银行的。 要我说几遍你才懂。 我去别的窗口问一下。
我到其他柜去办吧。 我问别人去。 他怎么不早点来跟我说。 这个月利息怎么少了？ 我想把这张卡注销了。
请给我打一张回单。 请问排队要排多久？ 请你帮我看看这笔钱到账了没有。 存折可以换成卡吗？
我要给我女儿转账五千块。 能不能提前还款？ 这张单子我填好了，你看看对不对。 密码忘了，怎么重置？
我的卡被机器吞了。 你们这里可以换美元吗？ 麻烦你给我换点新钱。 取五万要预约吗？ 手续费怎么收？
我没带身份证，社保卡行吗？ 我在网上预约过了。 这钱是给孩子交学费的。 对不起，我没听清楚。
不好意思，我来晚了。 好的，谢谢你，再见。 他们说要本人来办，是吗？ 要是本人来不了怎么办？
你们系统坏了几次了？ 如果办不了我就去别家。 我能在这里签名吗？ 签完了，给你。 刚才那个小姑娘让我到这里来。
我等了半个小时了。 空调太冷了，能开高一点吗？ 卫生间在哪里？ 这里有老花镜吗？ 这个理财有风险吗？
保险我不要，我只存定期。 你慢慢说，我听不懂。 短信验证码收到了，输在哪里？ 按哪个键确认？ 抬头看哪里？
卡插进去了，然后呢？ 把卡插在这里吗？ 这里刷一下卡吗？ 先坐一会行吗，腿疼。 我等我爱人一下。
等我一下，我去拿身份证。 小姑娘，我这个存折的密码输了三遍都不对。 我是来给我爸办社保卡的，他腿脚不好。
这个表上的联系地址写现在的还是身份证上的？ 要不要填写职业？我退休了。 我把单子填写完了，你看行不行。
身份证复印件要不要带？ 稍等，我接个电话。 你等我一下，我出去拿个东西。 我眼睛看不清，你告诉我签哪儿。
签名签错了怎么办？ 按了指纹了，没反应。 验证码没收到，再发一次吧。 输入验证码对吧？我输了。
密码输完了，按确认是吧？ 那个自助机没有零钱取。 换不了零钱吗？那怎么办。 你们办不了的话，哪个网点能办？
人家说要本人来办，我爷爷九十了怎么来？ 系统又坏了呀？ 今天办不完我明天还得请假。 现在不营业了吗？才四点半。
是不是没有这个业务了？ 我听说没有这项业务了。 你的意思是不能办理？ 那就是不能代办呗。 非得本人来办啊？
卡收好了，单子也收好了。 东西收好，走了走了。 把钱收好，别丢了，妈。 你坐下等，我来办。
先去取号，妈，我在这儿等你。 妈，请坐。 来，宝贝抬头看叔叔。 妈你看摄像头。 妈你在这里签字。
爸输密码。 你核对一下数字对不对。 帮我确认一下信息。 能给我出示一下收费标准吗？
你们应该出示一下文件给我看。 领导在吗，我想问个事。 我有意见，你们空调太冷。 你说清楚，到底能不能办。
我说不清楚，你跟我儿子说。 没有，没有了。 你们叫号怎么那么慢。 我排了一个小时的队了。
快点吧，车停在路边呢。 不行啊，少一分都不行。 我问了大堂经理他说可以的。 你自己看嘛，上面写着免费的。
你看看，这上面写的是三千。 谁让你们不早说。 我上个月才办的卡。 下一个窗口是吗？ 下班之前能弄好吗？
我又没说不签。 我不懂这个，你给我讲讲。 老了，笨手笨脚的。 你是不是弄错了呀。 钱对不起来，少了一百。
再建一个户头行吗？ 你好，我来取一下上个月存的定期。 我想给孙子开个户，要带户口本吗？
这张卡好久没用了，是不是冻结了？ 麻烦帮我打一下工资流水，买房子用的。
我那个手机银行登不上去，老说密码错误。 转账转错人了能追回来吗？ 我想买点国债，什么时候发行？
利率又降了，存三年和五年一样吗？ 这是我的身份证，给你。 对，就是这个数。 不对，我说的是两千，不是三千。
等会儿，我看一下手机号是多少。 签这里吗？还是签下面？ 日期要不要写？ 好了，我签好了，你看一下。
密码是六位吧？我想一下。 哎呀，我又输错了。 能换成新的五十吗？ 不用回单了，谢谢。 你们中午休息不休息？
周六上班吗？ 我昨天来的时候那个小伙子说可以的。 系统升级我怎么不知道？ 这个费以前是不收的呀。
那你帮我把短信通知取消了吧。 没带，我回家拿一趟行吗？ 我妈妈住院了，来不了，怎么办呢？ 可以上门办理吗？
要公证书啊，这么麻烦。 那我下个星期再来吧。 理财到期了没有自动到账。 亏了这么多，谁负责啊？
当时你们经理说保本的。 你们这个规定也太不合理了。 把你们领导叫来我问问。 算了算了，我不办了。
行，那就这样，辛苦了。 那我先走了啊，再见。 存折给我，我看看余额。 钱数对着呢，没问题。
哪里有笔？借我用一下。 老花镜有吗？字太小了。 我叫什么名字？我叫王建国。 电话号码变了，要改一下。
地址写哪个都可以吗？ 人脸识别过不去，是不是光线太暗？ 我站近一点行不行？ 摘眼镜吗？ 证件照得拍正反面吗？
纪念币还有吗？没有了啊。
"""

ACCUSED = """
身份证收好了。 我自己看着办吧。 我去别的银行办好了。 我下班了再来，你们几点关门？ 等我有空再来。
这不是我的问题吧，是你们机器的问题。 我连密码都记不住，年纪大了。 我回去让本人来办。 我到其他柜去办吧。
我问别人去。 你们办不了的话，哪个网点能办？ 非得本人来办啊？ 卡收好了，单子也收好了。 东西收好，走了走了。
把钱收好，别丢了，妈。 你核对一下数字对不对。 你自己看嘛，上面写着免费的。 谁让你们不早说。 老了，笨手笨脚的。
"""
"""Sentences of customers that the set accuses the clerk of, unless the voice is known to be a customer's."""
MISTAKEN = pytest.mark.xfail(reason="a clerk says the same words, and the voice is unknown", strict=False)
EACH = 32
"""One template of this number is drawn from every day: all would take a minute."""


def lines(page: str) -> list[str]:
    """The sentences of a page, which are separated by spaces or line breaks."""
    return page.split()


def bank_set() -> PhraseSet:
    return matcher("bank-counter").phrases


def events(page: str, speaker: Speaker = "unknown") -> list[Event]:
    """The events of the sentences of a page, one every six seconds."""
    utterances = (said(text, 6.0 * number, speaker) for number, text in enumerate(lines(page)))
    return list(judge_events(with_ticks(utterances), matcher()))


def heard(found: list[Event]) -> set[str | None]:
    return {event.phrase for event in found if event.verdict == "heard"}


@cache
def customer_findings(text: str) -> Findings:
    """What is found in a sentence of a customer."""
    return find_in_utterance(matcher(), said(text))


def accusations(found: list[Event]) -> list[Event]:
    return [event for event in found if event.verdict in {"forbidden", "broken", "not_heard"}]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_invariant_6_a_phrase_set_passes_its_own_examples(path: Path) -> None:
    assert matcher(path.stem).phrases.example
    assert list(failing_examples(matcher(path.stem))) == []


def test_every_template_in_english_is_heard_as_its_own_phrase() -> None:
    assert list(unmatched_templates(matcher("service-desk-en"))) == []


@pytest.mark.parametrize("each", [EACH, pytest.param(EACH // 4, marks=pytest.mark.slow)])
def test_the_templates_of_the_bank_set_are_heard(each: int) -> None:
    read = template_reader(bank_set()).read
    owners = [*(phrase for phrase, _ in bank_set().phrases()), *bank_set().forbidden]
    entries = [(owner.id, text) for owner in owners for text in owner.say][::each]
    own, silent = 0, []
    for owner, text in entries:
        spelled = read(text).draw(random.Random(text))  # noqa: S311 - repeatable
        findings = find_in_utterance(matcher(), said(spelled))
        heard = {hit.owner for hit in (*findings.phrases, *findings.offences)}
        own += owner in heard
        silent += [] if heard else [spelled]
    assert own >= 0.95 * len(entries)  # two owners may have templates that share sentences
    assert len(silent) <= 0.01 * len(entries), silent


def test_the_bank_set_is_as_large_as_its_issue_asks() -> None:
    phrases = bank_set()
    assert len(list(phrases.phrases())) >= 60
    assert len(phrases.forbidden) >= 70
    assert {offence.class_ for offence in phrases.forbidden} == CLASSES
    assert sum(len(example.sentences) for example in phrases.example) >= 90
    assert sum(len(example.sentences) for example in phrases.example if not example.expect) >= 35
    assert [len(phrases.stage), len(phrases.step)] == [3, 5]
    assert not {step.id for step in phrases.step} & {stage.id for stage, _ in phrases.stages()}


def test_few_phrases_are_required_and_each_part_of_a_complaint_has_one() -> None:
    required = [phrase.id for stage in bank_set().stage for phrase in stage.phrase if phrase.required]
    assert required == ["hello", "ask-need", "hand-back", "goodbye"]
    (complaint,) = bank_set().scenario
    assert tuple(p.id for stage in complaint.stage for p in stage.phrase if p.required) == HANDLED


def test_the_ten_words_are_there() -> None:
    read = template_reader(bank_set()).read
    words = {word.id: [*map(read, (*word.say, *word.shared))] for word in bank_set().word}
    assert set(words) == {"word-please", "word-hello", "word-sorry", "word-thanks", "word-goodbye"}
    for name, word in zip(words, ("请", "您好", "对不起", "谢谢", "再见"), strict=True):
        assert any(template.occurs_in(split_units(word)) for template in words[name])


def test_every_required_phrase_rule_and_class_has_an_example() -> None:
    shown = {name for example in bank_set().example for name in example.expect}
    offences = {offence.class_ for offence in bank_set().forbidden if offence.id in shown}
    assert {*FIXED, *HANDLED, *OFFENCES, "request-please", "refusal-sorry", "complaint"} <= shown
    assert offences == CLASSES


@pytest.mark.slow
def test_the_bundled_model_can_spell_a_template_of_whatever_the_recordings_use() -> None:
    table = bundled_folder("models") / "counter-cn" / "graph" / "words.txt"
    vocabulary = frozenset(line.split()[0] for line in table.read_text("utf-8").splitlines())
    missing = {(entry.owner, entry.template) for entry in unspellable_templates(bank_set(), vocabulary)}
    owners = {offence.id: offence for offence in bank_set().forbidden}
    phrases = {phrase.id: phrase for phrase, _ in bank_set().phrases()}
    for name in (*FIXED, *HANDLED, *OFFENCES):
        owner = phrases.get(name) or owners[name]
        assert any((name, text) not in missing for text in (*owner.say, *owner.shared)), name


def test_a_perfect_visit_scores_full_marks() -> None:
    found = events(VISIT)
    assert {"hello", "ask-need", "hand-back", "goodbye"} <= heard(found)
    assert len(heard(found) & {phrase.id for phrase, _ in bank_set().phrases()}) >= 16
    assert accusations(found) == []
    assert [event.score for event in found if event.kind == "visit_closed"] == [100]


def test_the_required_phrases_alone_score_full_marks() -> None:
    found = events(PLAIN_VISIT)
    assert [event.score for event in found if event.kind == "visit_closed"] == [100]
    assert [event.detail["grade"] for event in found if event.kind == "visit_closed"] == ["优秀"]


@pytest.mark.parametrize(
    ("line", "phrase", "verdict"),
    [
        (0, "hello", "not_heard"),
        (1, "ask-need", "not_heard"),
        (3, "hand-back", "not_heard"),
        (5, "goodbye", "unknown"),  # the customer's 再见 is still there, and may have been the clerk's
    ],
)
def test_a_required_phrase_left_out_is_the_only_one_missed(line: int, phrase: str, verdict: str) -> None:
    page = lines(PLAIN_VISIT)
    del page[line]
    missed = {event.phrase: event.verdict for event in events("\n".join(page)) if event.detail.get("required")}
    assert {name: how for name, how in missed.items() if how != "heard"} == {phrase: verdict}


def test_a_complaint_handled_step_by_step_scores_full_marks() -> None:
    found = events(COMPLAINT)
    assert {"complaint", *HANDLED} <= heard(found)
    assert accusations(found) == []
    assert found[-1].score == 100


def test_a_complaint_brushed_off_owes_five_phrases() -> None:
    found = events("您好，请问有什么可以帮您？\n我要投诉你们！\n不归我管，你去投诉啊。\n请收好您的证件，请慢走。")
    assert {event.phrase for event in found if event.verdict == "not_heard"} == set(HANDLED)
    assert {event.phrase for event in found if event.verdict == "forbidden"} == {"not-my-business", "go-complain"}


@pytest.mark.parametrize(
    "text",
    [pytest.param(text, marks=[MISTAKEN] if text in lines(ACCUSED) else []) for text in lines(CUSTOMERS)],
)
def test_what_customers_say_accuses_nobody(text: str) -> None:
    findings = customer_findings(text)
    assert [hit.owner for hit in findings.offences if not hit.shared] == []
    assert [rule.owner for rule in findings.rules if not rule.followed and not rule.shared] == []


@pytest.mark.parametrize(
    ("asked", "answered", "broken"),
    [
        ("这个能不能办理？", "办不了。", "refusal-sorry"),
        ("你们有没有零钱？", "没有零钱。", "refusal-sorry"),
        ("我没带身份证，我妈的可以吗？", "不能办理。", "refusal-sorry"),
        ("为什么？上次怎么可以？", "不能给你办。", "refusal-sorry"),
        ("要签字吗？在哪里签？", "在这里签字。", "request-please"),
        ("密码怎么弄？", "输入密码。", "request-please"),
        ("那要带什么？", "出示身份证。", "request-please"),
    ],
)
def test_a_customers_question_does_not_excuse_the_answer(asked: str, answered: str, broken: str) -> None:
    question = said(asked)
    stream = with_ticks([question, said(answered, question.end + 0.6)])
    rules = [event for event in judge_events(stream, matcher()) if event.kind == "rule"]
    assert [event.phrase for event in rules if event.verdict == "broken"] == [broken]
    assert rules[-1].verdict == "broken"


def test_an_apology_just_before_covers_a_refusal() -> None:
    stream = with_ticks([said("真对不起。"), said("这个业务办不了。", 2.0), said("办不了。", 20.0)])
    verdicts = [event.verdict for event in judge_events(stream, matcher()) if event.kind == "rule"]
    assert verdicts == ["heard", "broken"]


def test_a_page_of_customers_is_long_and_holds_words_that_look_bad() -> None:
    sentences = lines(CUSTOMERS)
    assert len(sentences) >= 60
    assert sum(bool(customer_findings(text).offences) for text in sentences) >= 20


def test_the_page_on_the_format_shows_a_set_that_works(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    file = tmp_path / "sample.toml"
    file.write_text(block, "utf-8")
    sample = prepare_matcher(read_phrase_set(file)[0])
    assert [*failing_examples(sample), *unmatched_templates(sample)] == []


def test_the_page_on_the_format_names_every_key() -> None:
    tables = [kind for kind in vars(phrase_set).values() if dataclasses.is_dataclass(kind)]
    keys = {field.name.rstrip("_") for table in tables for field in dataclasses.fields(table)}
    page = README.read_text("utf-8")
    named = {name for code in re.findall(r"`([^`\n]+)`", page) for name in re.findall(r"\w+", code)}
    assert keys - named == set()
    assert len(page.splitlines()) < 250
