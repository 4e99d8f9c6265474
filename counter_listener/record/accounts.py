"""Accounts: who may sign in to the pages, kept in a file of their own beside the record, for they are no evidence.

Passwords are kept as Argon2id hashes, tokens as SHA-256. Every method is one transaction with a connection of its own,
so that threads can share an object.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Final, Literal, get_args

import sqlalchemy as sa

from counter_listener.domain import AccountError, companion
from counter_listener.record.accounts_store import AccountsFile
from counter_listener.record.rows import iso, storable

AccountRole = Literal["clerk", "reviewer", "supervisor", "administrator", "auditor"]
SHORTEST, LONGEST = 10, 1_000
"""Letters of a password."""
WINDOW: Final = timedelta(minutes=15)
"""Failed attempts count for this long."""
MOST_FAILURES: Final = {"name and address": 5, "address": 20, "name": 50}
"""Failed attempts within WINDOW after which none is looked at: who guesses cannot lock out somebody else at once."""
HASHING: Final = Lock()
"""One hash at a time: each takes 64 MB."""
LARGEST: Final = 2**63 - 1
"""The largest number that SQLite takes."""
COLUMNS: Final = "name, role, counter, branch, region, disabled, created, changed"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    name: str
    role: AccountRole
    counter: str | None
    """Of a clerk: the only counter whose visits the account sees."""
    branch: str | None
    """The only branch whose counters the account sees; None for all."""
    region: str | None
    """The same of a region."""
    disabled: bool
    created: str
    """ISO 8601 in UTC."""
    changed: str
    """When password, role, counter or state were set last: sessions that began before are over."""


@dataclass(frozen=True, slots=True)
class Token:
    """A secret with which a program signs in as an account."""

    id: int
    account: str
    title: str
    created: str
    used: str | None
    """When it was used last, to the hour."""
    ended: str | None


def accounts_file(record: Path) -> Path:
    """The file of the accounts that belongs to a record."""
    return companion(record, "accounts")


class Accounts:
    """The accounts in a file, which is made with the first one. Every method raises RecordError if it is unusable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begin = AccountsFile(path).begin

    def all(self) -> list[Account]:
        """Every account, in order of names."""
        with self._begin() as connection:
            query = f"SELECT {COLUMNS} FROM accounts ORDER BY name"  # noqa: S608 - our own names
            return [_account(row) for row in connection.exec_driver_sql(query)]

    def find(self, name: str) -> Account | None:
        """The account with this name; None if there is none, or if it is disabled."""
        with self._begin() as connection:
            found = _find(connection, name)
        return None if found is None or found.disabled else found

    def add(  # noqa: PLR0913 - one for each column
        self,
        name: str,
        role: AccountRole,
        password: str,
        now: datetime,
        counter: str | None = None,
        branch: str | None = None,
        region: str | None = None,
    ) -> Account:
        """Adds an account. Raises AccountError for a name that is taken, a short password, a clerk without counter."""
        name = name.strip()
        if not name or not name.isprintable() or len(name) > 100:  # noqa: PLR2004 - room for any name
            raise AccountError("the name of an account has 1 to 100 letters")
        _check(name, role, counter, password)
        scope = (counter and storable(counter), branch and storable(branch), region and storable(region))
        values = (name, role, *scope, _hashed(password), 0, iso(now), iso(now))
        with self._begin(create=True) as connection:
            if _find(connection, name) is not None:
                raise AccountError("there is an account {name} already", name=name)
            statement = (
                "INSERT INTO accounts (name, role, counter, branch, region, password, disabled, created, changed)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            )
            connection.exec_driver_sql(statement, values)
            return _known(connection, name)

    def change(  # noqa: PLR0913 - one for each column
        self,
        name: str,
        now: datetime,
        *,
        role: AccountRole | None = None,
        counter: str | None = None,
        branch: str | None = None,
        region: str | None = None,
        password: str | None = None,
        disabled: bool | None = None,
    ) -> Account:
        """Changes what is given, which ends the sessions of the account. Raises AccountError as add() does.

        An empty branch or region lets it see all again. The last administrator who can sign in stays one.
        """
        hashed = None if password is None else _hashed(password)
        with self._begin() as connection:
            old = _known(connection, name)
            new_role, new_counter = role or old.role, storable(counter) if counter is not None else old.counter
            _check(name, new_role, new_counter, password)
            off = old.disabled if disabled is None else disabled
            if old.role == "administrator" and (off or new_role != "administrator"):
                _require_another_administrator(connection, name)
            statement = (
                "UPDATE accounts SET role = ?, counter = ?, branch = nullif(coalesce(?, branch), ''),"
                " region = nullif(coalesce(?, region), ''), password = coalesce(?, password), disabled = ?,"
                " changed = ? WHERE name = ?"
            )
            places = [each if each is None else storable(each) for each in (branch, region)]
            values = (new_role, new_counter, *places, hashed, int(off), iso(now), name)
            connection.exec_driver_sql(statement, values)
            return _known(connection, name)

    def sign_in(self, name: str, password: str, now: datetime, address: str = "") -> Account | None:
        """The account, if the password is right; `address` is where the attempt comes from.

        Raises AccountError after too many failed attempts, whether the password is right or not.
        """
        since = iso(now - WINDOW)
        with self._begin() as connection:
            _refuse_guessing(connection, name, address, since)
            found = _find(connection, name)
            query = "SELECT password FROM accounts WHERE name = ?"
            hashed = connection.exec_driver_sql(query, (name,)).scalar()
            # written first: attempts at the same time count as well
            connection.exec_driver_sql("DELETE FROM attempts WHERE at < ?", (since,))
            connection.exec_driver_sql("INSERT INTO attempts VALUES (?, ?, ?)", (name[:100], address[:100], iso(now)))
        right = _is_right(hashed, password)
        if found is None or found.disabled or not right:
            return None
        with self._begin() as connection:
            statement = "DELETE FROM attempts WHERE name = ? AND address = ?"
            connection.exec_driver_sql(statement, (name[:100], address[:100]))
        return found

    def add_token(self, account: str, title: str, now: datetime) -> tuple[Token, str]:
        """A new token and its secret, which is told this once. Raises AccountError if there is no such account."""
        secret, kept = f"cl_{secrets.token_urlsafe(32)}", storable(title.strip())[:100]
        with self._begin() as connection:
            found = _known(connection, account)
            if found.disabled:
                raise AccountError("the account {name} is closed", name=account)
            statement = "INSERT INTO tokens (account, title, secret, created) VALUES (?, ?, ?, ?)"
            number = connection.exec_driver_sql(statement, (found.name, kept, _digest(secret), iso(now))).lastrowid
        return Token(number, found.name, kept, iso(now), None, None), secret

    def tokens(self, account: str | None = None) -> list[Token]:
        """The tokens of an account, or all, the newest first."""
        query = "SELECT id, account, title, created, used, ended FROM tokens WHERE ? IN ('', account) ORDER BY id DESC"
        with self._begin() as connection:
            return [Token(*row) for row in connection.exec_driver_sql(query, (storable(account or ""),))]

    def end_token(self, number: int, now: datetime) -> Token:
        """Ends a token; one that is ended stays as it is. Raises AccountError if there is none with this number."""
        with self._begin() as connection:
            statement = "UPDATE tokens SET ended = coalesce(ended, ?) WHERE id = ?"
            connection.exec_driver_sql(statement, (iso(now), min(number, LARGEST)))
            query = "SELECT id, account, title, created, used, ended FROM tokens WHERE id = ?"
            row = connection.exec_driver_sql(query, (min(number, LARGEST),)).first()
        if row is None:
            raise AccountError("there is no token {number}", number=number)
        return Token(*row)

    def of_token(self, secret: str, now: datetime) -> Account | None:
        """The account of a token that has not ended; its use is noted to the hour."""
        query = "SELECT id, account, used FROM tokens WHERE secret = ? AND ended IS NULL"
        hour = iso(now.replace(minute=0, second=0, microsecond=0))
        with self._begin() as connection:
            row = connection.exec_driver_sql(query, (_digest(secret),)).first()
            found = None if row is None else _find(connection, row.account)
            if row is None or found is None or found.disabled:
                return None
            if row.used != hour:
                connection.exec_driver_sql("UPDATE tokens SET used = ? WHERE id = ?", (hour, row.id))
            return found


def _account(row: sa.Row[*tuple[Any, ...]]) -> Account:
    name, role, counter, branch, region, disabled, created, changed = row
    return Account(name, role, counter, branch, region, bool(disabled), created, changed)


def _find(connection: sa.Connection, name: str) -> Account | None:
    query = f"SELECT {COLUMNS} FROM accounts WHERE name = ?"  # noqa: S608 - our own names
    row = connection.exec_driver_sql(query, (storable(name),)).first()
    return None if row is None else _account(row)


def _known(connection: sa.Connection, name: str) -> Account:
    found = _find(connection, name)
    if found is None:
        raise AccountError("there is no account {name}", name=name)
    return found


def _check(name: str, role: str, counter: str | None, password: str | None) -> None:
    if role not in get_args(AccountRole):
        raise AccountError(
            "there is no role {role!r}; choose one of {names}", role=role, names=", ".join(get_args(AccountRole))
        )
    if role == "clerk" and not counter:
        raise AccountError("a clerk sees the visits of one counter; name it")
    if password is not None and not SHORTEST <= len(password) <= LONGEST:
        raise AccountError("a password has {least} to {most} letters", least=SHORTEST, most=LONGEST)
    if password is not None and name.lower() in password.lower():
        raise AccountError("a password does not contain the name of the account")


def _require_another_administrator(connection: sa.Connection, name: str) -> None:
    query = "SELECT count(*) FROM accounts WHERE role = 'administrator' AND NOT disabled AND name <> ?"
    if not connection.exec_driver_sql(query, (name,)).scalar():
        raise AccountError("{name} is the last administrator; make somebody else one first", name=name)


def _refuse_guessing(connection: sa.Connection, name: str, address: str, since: str) -> None:
    conditions = {"name and address": "name = ? AND address = ?", "address": "address = ?", "name": "name = ?"}
    values = {"name and address": (name[:100], address[:100]), "address": (address[:100],), "name": (name[:100],)}
    for kind, condition in conditions.items():
        query = f"SELECT count(*) FROM attempts WHERE at >= ? AND {condition}"  # noqa: S608 - our own words
        if kind == "address" and not address:
            continue
        if connection.exec_driver_sql(query, (since, *values[kind])).scalar_one() >= MOST_FAILURES[kind]:
            minutes = int(WINDOW.total_seconds() // 60)
            raise AccountError("too many failed attempts; try again in {minutes} minutes", minutes=minutes)


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "backslashreplace")).hexdigest()


def _hashed(password: str) -> str:
    from argon2 import PasswordHasher  # the extra [web]

    with HASHING:
        return PasswordHasher().hash(password.encode("utf-8", "backslashreplace"))


def _is_right(hashed: str | None, password: str) -> bool:
    """Whether the password fits; without an account a hash is made all the same, so that time does not tell."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    if hashed is None or len(password) > LONGEST:
        _hashed(password[:LONGEST])
        return False
    try:
        with HASHING:
            return PasswordHasher().verify(hashed, password.encode("utf-8", "backslashreplace"))
    except (VerificationError, InvalidHashError):
        return False
