"""What lies beside a record has its name in one table, so that a backup forgets nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import counter_listener
from counter_listener.domain import backed_up, companion
from counter_listener.domain.companions import NAMES

PACKAGE = Path(counter_listener.__file__).parent


def named_beside_a_record(file: Path) -> list[int]:
    """The lines that make a name beside a record themselves."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("with_name", "with_suffix", "with_stem")
        and ast.unparse(node.value).rpartition(".")[2].removesuffix("()") in ("record", "store", "record_file")
    ]


def test_no_module_makes_a_name_beside_a_record_but_the_one_with_the_table() -> None:
    found = {file.relative_to(PACKAGE).as_posix(): named_beside_a_record(file) for file in PACKAGE.rglob("*.py")}
    assert [name for name, lines in found.items() if lines] == ["domain/companions.py"], found


def test_two_companions_never_share_a_name() -> None:
    paths = {companion(Path("a/events.db"), what, "x") for what in NAMES}
    assert len(paths) == len(NAMES)
    assert {path.name for path in backed_up(Path("a/events.db"))} == {
        *(
            "events.db.phrases",
            "events.accounts.db",
            "events.db.transcripts",
            "events.db.jobs",
            "events.db.server.json",
            "events.retention.json",
        ),
    }
