"""The findings of an utterance in order of time, and which of them count from its speaker. Pure."""

from collections.abc import Iterator
from typing import Final, Literal

from counter_listener.domain import Findings, Hit, MatchedUtterance, Speaker

FindingKind = Literal["phrase", "word", "offence", "trigger", "rule"]
KINDS: Final[tuple[FindingKind, ...]] = ("phrase", "word", "offence", "trigger", "rule")
"""Of hits with the same start the earlier kind comes first."""


def in_order(findings: Findings) -> list[tuple[FindingKind, Hit]]:
    """All hits in order of time; of hits with the same start, phrases come first."""
    by_kind = (findings.phrases, findings.words, findings.offences, findings.triggers, findings.rules)
    hits = ((kind, hit) for kind, found in zip(KINDS, by_kind, strict=True) for hit in found)
    return sorted(hits, key=lambda found: found[1].start)


def counts_from(kind: FindingKind, speaker: Speaker) -> bool:
    """Whether a finding counts from a speaker: from a customer only triggers do, from a clerk all else does."""
    return speaker == "unknown" or (kind == "trigger") == (speaker == "customer")


def counted_findings(matched: MatchedUtterance) -> Iterator[tuple[FindingKind, Hit]]:
    """The findings of an utterance that count from its speaker, in order of time."""
    speaker = matched.utterance.speaker
    return ((kind, hit) for kind, hit in in_order(matched.findings) if counts_from(kind, speaker))
