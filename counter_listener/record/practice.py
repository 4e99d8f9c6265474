"""What somebody practised: how often each line of a dialogue was answered, and how often rightly. No words.

It is in the file of the accounts, not in the record, for it is no evidence: it belongs to who practises, who can erase
it.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from counter_listener.record.accounts_store import AccountsFile
from counter_listener.record.rows import iso, storable


@dataclass(frozen=True, slots=True)
class Practised:
    """How one line was answered."""

    tries: int
    right: int
    """Tries with everything expected and nothing wrong."""
    at: datetime
    """The last time."""


class Practice:
    """What people practised, by account. Every method raises RecordError if the file is unusable."""

    def __init__(self, path: Path) -> None:
        self._begin = AccountsFile(path).begin

    def add(self, account: str, dialogue: str, turn: int, *, right: bool, now: datetime) -> None:
        """Counts one try."""
        statement = (
            "INSERT INTO practice VALUES (?, ?, ?, 1, ?, ?) ON CONFLICT DO UPDATE"
            " SET tries = tries + 1, right = right + excluded.right, at = excluded.at"
        )
        with self._begin(create=True) as connection:
            connection.exec_driver_sql(statement, (storable(account), dialogue, turn, int(right), iso(now)))

    def of(self, account: str) -> dict[tuple[str, int], Practised]:
        """What an account practised, by dialogue and number of the line."""
        query = "SELECT dialogue, turn, tries, right, at FROM practice WHERE account = ?"
        with self._begin() as connection:
            rows = connection.exec_driver_sql(query, (storable(account),)).all()
        return {
            (dialogue, turn): Practised(tries, right, datetime.fromisoformat(at))
            for dialogue, turn, tries, right, at in rows
        }

    def forget(self, account: str) -> None:
        """Erases all that an account practised."""
        with self._begin() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
            connection.exec_driver_sql("DELETE FROM practice WHERE account = ?", (storable(account),))
