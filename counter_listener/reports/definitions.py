"""The meaning of the figures of a report, so that everyone reads them the same way."""

from collections.abc import Iterable
from typing import Final

from counter_listener.domain import N_, OUTCOMES, VERDICTS, Translate
from counter_listener.record import FEW
from counter_listener.reports.tables import Column, Table

DEFINITIONS: Final = (
    ("visit", N_("visit"), N_(
        "One customer's service, from greeting to farewell, separated by speech alone. It counts in the period if"
        " it was closed in it, and by weekday, hour, week and day at the time when it was opened. If that time is"
        " unknown, the time of recording decides about the period, and the visit is left out of those tables."
    )),
    ("no_service", OUTCOMES["no_service"], N_(
        "Speech that looks like a visit, but in which hardly anything of the phrase set was heard: nothing that is"
        " required, no offence, and few other phrases or courtesy words; on the telephone a greeting does not count."
        " Mostly people talk among themselves. It counts as no visit and is"
        " listed apart."
    )),
    ("not_understood", OUTCOMES["not_understood"], N_(
        "A visit in which hardly anything was understood: noise, another language, a wrong sample rate, a very"
        " quiet microphone. It counts as a visit that lost its audio, and has no score."
    )),
    ("score", N_("score"), N_(
        "0 to 100: the share of the required phrases that was heard, by weight, less points for offences and"
        " broken rules, as the phrase set defines. A visit in which something required is unknown is incomplete"
        " and has no score."
    )),
    ("passing", N_("pass rate"), N_("Visits that reach the pass mark of their phrase set, of those with a score.")),
    ("heard", N_("share heard"), N_("Heard / (heard + not heard). Unknown verdicts count on neither side.")),
    ("unknown", VERDICTS["unknown"], N_(
        "Audio was lost, nothing was understood, or the customer may have said it."
        " It is never a fault of the clerk and never counts in a score."
    )),
    ("rule", N_("rules"), N_(
        "A request needs 请 or a similar word, a refusal needs 对不起 or a similar word. Each time counts."
    )),
    ("offence", N_("offences"), N_("Forbidden phrases heard from the clerk; each time counts.")),
    ("handled", N_("handled in full"), N_(
        "Everything that is required after a complaint was heard in that visit. A visit in which none of it was"
        " missed but some of it is unknown is left out of the share."
    )),
    ("interval", N_("95 % from, to"), N_(
        "Wilson's score interval for a share, the normal interval for the mean score. If the period were repeated"
        " under the same conditions, 95 of 100 such intervals would contain the true value. It does not cover the"
        " errors of the recogniser."
    )),
    ("few", N_("few"), N_("Fewer than {few} were counted: read the interval, not the share.")),
    ("coverage", N_("share lost"), N_(
        "Seconds of audio that did not reach the program or were not understood, as a share of the length of the"
        " recordings and, for live listening, of the time from the first to the last event of each listening"
        " period. A loss of unknown length counts as 0 s."
    )),
    ("between", N_("time between visits"), N_(
        "From the last speech of a visit to the opening of the next in the same recording or listening period."
    )),
    ("length", N_("length of a visit"), N_("From its opening to its last speech.")),
    ("level", N_("volume"), N_(
        "The mean level while words were said, in decibels below the loudest possible sound (dBFS), as the active"
        " speech level of ITU-T P.56, with recognised words in the place of its envelope. It is told from 5 s of"
        " speech on. The gain of the microphone is in it: compare a counter with itself. Too quiet is what is below the"
        " limit of the phrase set (-45 without one)."
    )),
    ("rate", N_("speech rate"), N_(
        "Chinese syllables, or words in letters, a second of articulated speech: without pauses of 0.25 s or more."
        " It is told from 20 syllables and 5 s on, from sound that was understood, never from a text without the times"
        " of its words. Mandarin that is read aloud has about 5.2."
    )),
    ("interruptions", N_("interruptions"), N_(
        "With a channel for each voice only: how often the clerk, silent for 1 s, began while the customer had been"
        " speaking for 0.5 s, and both spoke on for 1 s. Where both channels have the same words, one hears the other,"
        " and nothing counts."
    )),
    ("silence", N_("longest silence"), N_(
        "Seconds between two words of anybody within a visit. Lost audio ends it: somebody may have spoken. Speech of"
        " which no word was recognised is silence here. A wait is a silence that is longer than the limit of the phrase"
        " set (60 s without one)."
    )),
    ("voice", N_("whose voice"), N_(
        "Volume and rate are the clerk's where the speaker is known. In one-channel sound they are of both voices"
        " together, and a limit that costs points is then in doubt and costs none."
    )),
    ("change", N_("change"), N_(
        "Summary: from the period of the same length directly before, if both ends of this one are known."
        " By week and day: from the row before."
    )),
    ("closeness", N_("closeness"), N_("How similar the words heard sound to the wording, 0 to 100.")),
)  # fmt: skip
"""Id, word and meaning."""


MANNER: Final = ("level", "rate", "interruptions", "silence", "voice")
"""The ids of those that are about the manner."""


def definitions_of(ids: Iterable[str], _: Translate) -> list[tuple[str, str]]:
    """The words with these ids and what they mean."""
    found = {id_: (_(title), _(text).format(few=FEW)) for id_, title, text in DEFINITIONS}
    return [found[id_] for id_ in ids]


def definitions_table(_: Translate) -> Table:
    """The words of a report and what they mean."""
    rows = [{"id": id_, "title": _(title), "text": _(text).format(few=FEW)} for id_, title, text in DEFINITIONS]
    columns = [Column("title", _("word")), Column("text", _("meaning"))]
    return Table("definitions", _("What the figures mean"), columns, rows)
