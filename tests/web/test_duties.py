"""What the server does by itself goes on whatever happens, and what happens is logged once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from counter_listener.domain import ReportError, Sentence, packed, sentence, unpacked
from counter_listener.web.duties import Duties
from counter_listener.web.memory import Memory, memory_file

NOW = datetime(2026, 3, 9, 7, tzinfo=UTC)


def test_a_fault_is_logged_once_until_it_changes_and_ends_nothing() -> None:
    lines: list[tuple[str, str]] = []
    faults: list[Exception | None] = [ReportError("no room"), ReportError("no room"), KeyError("secret"), None]
    faults += [ReportError("no room")]

    def log(event: str, text: Sentence, *, failed: bool) -> None:
        assert failed
        lines.append((event, str(text)))

    def duty() -> None:
        if (fault := faults.pop(0)) is not None:
            raise fault

    duties = Duties(cast("Any", None), cast("Any", None), cast("Any", None), lambda: NOW, log)
    for _ in range(5):
        duties.run("report", duty)
    assert [event for event, _ in lines] == ["report"] * 3
    assert [text.partition(" for")[0] for _, text in lines] == ["no room", "report: failed", "no room"]
    assert "secret" not in str(lines)


def test_what_is_remembered_is_there_after_a_restart_and_a_damaged_file_is_none(tmp_path: Path) -> None:
    file = memory_file(str(tmp_path / "events.db"))
    assert file == tmp_path / "events.db.server.json"
    memory, table = Memory(file), {"sent": ["a"]}
    memory.put("report", table)
    table["sent"].append("b")
    assert memory.get("report") == {"sent": ["a"]}
    memory.put("report", table)
    assert Memory(file).get("report") == {"sent": ["a", "b"]}
    assert [each.name for each in tmp_path.iterdir()] == [file.name]
    file.write_text("{", encoding="utf-8")
    assert Memory(file).get("report") == {}


def test_a_sentence_that_was_kept_can_still_be_translated() -> None:
    told = sentence("{path} cannot be read ({why})", path=Path("a"), why=sentence("no room for {count}", count=3))
    kept = unpacked(json.loads(json.dumps(packed(told))))
    assert str(kept) == str(told)
    assert kept
    assert kept.translated(lambda text: text.replace("no room", "full")) == "a cannot be read (full for 3)"
    assert unpacked("text") is None
