"""A record with visits, served to people of several roles who review it."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from counter_listener.record import Row, open_record
from support.pages_record import fill
from support.pages_site import PASSWORD, accounts, browser, program, settings, sign_in


class ReviewSite:
    """A record with visits, and two people who review it."""

    def __init__(self, folder: Path) -> None:
        self.open = ExitStack()
        self.store = folder / "events.db"
        self.visits = fill(folder)
        kept = accounts(folder, "li", "wang", role="reviewer")
        kept.add("zhao", "clerk", PASSWORD, settings().clock(), counter="4")
        kept.add("qian", "auditor", PASSWORD, settings().clock())
        self.settings = settings(self.store, key_file=folder / "key" / "key.pem", accounts=kept, tokens=kept)

    def person(self, name: str) -> Any:
        client = self.open.enter_context(browser(self.settings))
        sign_in(client, name)
        return client

    def program(self, name: str) -> Any:
        return self.open.enter_context(program(self.settings, name))

    def rows(self, what: str, kind: str = "review") -> list[Row]:
        with open_record(self.store) as record:
            return [row for row in record.read(visit=self.visits[what]) if row.kind == kind]


def form_of(page: str, uid: str = "") -> dict[str, str]:
    """The hidden fields of the form about an event, or of the first form that names what was seen."""
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
        if "after" in fields and (not uid or fields.get("event") == uid):
            return fields
    raise AssertionError(f"no form about {uid}")


def missed(site: ReviewSite, what: str = "ungreeted") -> Row:
    with open_record(site.store) as record:
        return next(row for row in record.read(visit=site.visits[what]) if row.verdict == "not_heard")
