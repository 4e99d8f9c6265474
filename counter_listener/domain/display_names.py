"""What people call verdicts, kinds of event and severities, which the record has in words of its own."""

from __future__ import annotations

from typing import Final

from counter_listener.domain.messages import N_

VERDICTS: Final = {
    "heard": N_("heard"),
    "not_heard": N_("not heard"),
    "unknown": N_("cannot be told"),
    "forbidden": N_("forbidden"),
    "broken": N_("broken"),
}
KINDS: Final = {
    "visit_opened": N_("visit opened"),
    "visit_closed": N_("visit closed"),
    "phrase": N_("phrase"),
    "word": N_("word"),
    "rule": N_("rule"),
    "forbidden": N_("forbidden"),
    "scenario": N_("scenario"),
    "gap": N_("gap"),
    "purge": N_("purge"),
    "judged": N_("judged anew"),
}
SEVERITIES: Final = {"minor": N_("minor"), "serious": N_("serious"), "grave": N_("grave")}
