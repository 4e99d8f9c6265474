"""Polyphones: words of the counter whose characters are not read by their commonest sound.

Data alone, for two that must not load each other: the matcher trims pypinyin's tables, a lexicon needs them whole.
"""

from typing import Final

READINGS: Final = {
    "银行": "yín háng",
    "工行": "gōng háng",
    "农行": "nóng háng",
    "中行": "zhōng háng",
    "建行": "jiàn háng",
    "交行": "jiāo háng",
    "招行": "zhāo háng",
    "商行": "shāng háng",
    "我行": "wǒ háng",
    "本行": "běn háng",
    "行长": "háng zhǎng",
    "分行": "fēn háng",
    "支行": "zhī háng",
    "总行": "zǒng háng",
    "他行": "tā háng",
    "跨行": "kuà háng",
    "开户行": "kāi hù háng",
    "发卡行": "fā kǎ háng",
    "行里": "háng lǐ",
    "行号": "háng hào",
    "同行": "tóng háng",
    "了解": "liǎo jiě",
    "不了": "bù liǎo",
    "受不了": "shòu bù liǎo",
    "重新": "chóng xīn",
    "重填": "chóng tián",
    "重复": "chóng fù",
    "重置": "chóng zhì",
    "还款": "huán kuǎn",
    "还贷": "huán dài",
    "还钱": "huán qián",
    "还卡": "huán kǎ",
    "还给": "huán gěi",
    "还你": "huán nǐ",
    "归还": "guī huán",
    "递还": "dì huán",
    "着急": "zháo jí",
    "着什么急": "zháo shén me jí",
    "便宜": "pián yi",
    "音乐": "yīn yuè",
    "会计": "kuài jì",
    "存折": "cún zhé",
    "数一下": "shǔ yī xià",
    "参差": "cēn cī",
    "出差": "chū chāi",
    "长大": "zhǎng dà",
    "校对": "jiào duì",
    "乐意": "lè yì",
    "得": "de",
}
"""Words of the counter whose characters are not read by their commonest sound; marks as in a dictionary."""
PHRASES: Final = {word: [[sound] for sound in marks.split()] for word, marks in READINGS.items()}
"""The same as pypinyin takes it."""
