"""What the set bank-counter finds in single sentences: the lines of sentences.tsv."""

from pathlib import Path

import pytest
from support.bundled import matcher
from support.small_counter import said

from counter_listener.matching import find_in_utterance

LINES = Path(__file__).with_name("sentences.tsv").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", [line for line in LINES if line and not line.startswith("#")])
def test_a_sentence_has_the_hits_that_are_written_next_to_it(line: str) -> None:
    sentence, expected = line.split("\t")
    findings = find_in_utterance(matcher(), said(sentence))
    hits = (*findings.phrases, *findings.offences)
    found = [hit.owner + "?" * (hit.frame is not None) for hit in hits]
    assert " ".join(found) == expected.replace("-", "", expected == "-")
