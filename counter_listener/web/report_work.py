"""Makes the files of a report, in a process beside the server: a large record takes a core for a while."""

from __future__ import annotations

from datetime import datetime

from counter_listener.domain import Lang, translator
from counter_listener.record import ReportScope, open_record, record_file
from counter_listener.reports import gather_data, known_sets, make_report, rendered

FORMS = ("html", "xlsx")


def report_files(  # noqa: PLR0913 - one for each thing that it depends on
    store: str, scope: ReportScope, shown: int, lang: Lang, now: datetime, name: str
) -> tuple[dict[str, bytes], int]:
    """The files of a report by their names, which begin with `name`; and how many visits it covers.

    Raises RecordError, UsageError, PhraseSetError. Nothing in them leads to a recording on this machine.
    """
    sets, translate = known_sets(record=record_file(store)), translator(lang)
    with open_record(store, create=False) as record:
        data = gather_data(record, scope, sets, shown, now)
    used = {name: sets[name] for name, _hash in data.sets if name in sets}
    content = make_report(data, used, lambda _path: None, lang=lang, made=now, zone=None, translate=translate)
    return {f"{name}.{form}": rendered(content, form, translate) for form in FORMS}, content.total.visits
