"""A record of a counter that uses a small phrase set of its own, and a site that edits it."""

from __future__ import annotations

import hashlib
import html
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from counter_listener.batch import CheckResult, transcripts_folder
from counter_listener.batch.stored_transcripts import store_transcript
from counter_listener.phrases import sets_folder
from counter_listener.pipeline import judge_events, with_ticks
from counter_listener.record import Origin, Recording, open_record
from counter_listener.record.store import Record
from support.pages_site import NOW
from support.small_counter import FULL, SMALL, SMALL_FILE, small, talk

SET = "small"
GREETED_OTHERWISE = ("早安欢迎光临", *FULL[1:])
"""A greeting that the set does not know."""


def make_record(folder: Path, *, stored: bool = True) -> Path:
    """A record of four visits in `folder`, judged with the small set; returns its path. `stored`: with transcripts."""
    store = folder / "events.db"
    sets_folder(store).mkdir()
    (sets_folder(store) / f"{SET}.toml").write_text(SMALL, encoding="utf-8")
    with open_record(store, key_file=folder / "key" / "key.pem") as record:
        for number, sentences in enumerate((FULL, GREETED_OTHERWISE, GREETED_OTHERWISE, FULL[:-1])):
            _add(record, number, sentences, stored=stored)
    return store


def _add(record: Record, number: int, sentences: tuple[str, ...], *, stored: bool) -> None:
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    items = tuple(talk(sentences))
    events = tuple(judge_events(with_ticks(items), small(), one_visit=True))
    digest = hashlib.sha256(SMALL_FILE.read_bytes()).hexdigest()
    began = NOW - timedelta(days=2 + number)
    origin = Origin(sha256[:12], sha256, "3", began, small().phrases.name, digest, "counter-cn")
    assert record.add_recording(Recording(sha256, f"{number}.wav", 22.5), events, origin, NOW)
    if stored:
        result = CheckResult(Path(f"{number}.wav"), events, sha256, 22.5, items=items)
        store_transcript(transcripts_folder(record.path), result, {"one_visit": True})


def form_of(page: str) -> dict[str, str]:
    """The fields of the form of an entry, as a browser would send them."""
    form = page[page.index('<form class="entry"') :]
    form = form[: form.index("</form>")]
    fields = dict(re.findall(r'<input[^>]*? name="([^"]+)" value="([^"]*)"', form))
    fields |= dict(re.findall(r'<textarea name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL))
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        fields[name] = chosen[1] if chosen else ""
    return {name: html.unescape(value) for name, value in fields.items()}


def faults_of(page: Any) -> list[str]:
    """The sentences of a page that say what is wrong."""
    return [html.unescape(one) for one in re.findall(r'class="flash bad"[^>]*>([^<]*)<', page.text)]


def flashed(page: Any) -> str:
    """The sentence that the last page left."""
    found = re.search(r'class="flash good"[^>]*>([^<]*)<', page.text)
    return html.unescape(found[1]) if found else ""
