"""Accounts: passwords and tokens are kept as hashes, guessing is stopped, and changes end what began before."""

from __future__ import annotations

import re
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from support.record_cases import NOW, raw

from counter_listener.domain import AccountError, RecordError
from counter_listener.record import Accounts, accounts_file

argon2 = pytest.importorskip("argon2")
WORD, OTHER = "喝完茶再去散步看看湖", "another long one"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts(accounts_file(tmp_path / "events.db"))


def test_who_was_added_can_sign_in_with_the_password_alone(accounts: Accounts) -> None:
    assert accounts.all() == []
    assert accounts.sign_in("anna", WORD, NOW) is None
    assert not accounts.path.exists()
    anna = accounts.add("anna", "supervisor", WORD, NOW, branch="西湖支行")
    assert (anna.name, anna.role, anna.branch, anna.disabled) == ("anna", "supervisor", "西湖支行", False)
    assert accounts.sign_in("anna", WORD, NOW) == anna
    assert accounts.sign_in("anna", WORD + "x", NOW) is None
    assert accounts.sign_in("nobody", WORD, NOW) is None
    assert accounts.path.name == "events.accounts.db"
    assert stat.S_IMODE(accounts.path.stat().st_mode) == 0o600
    content = accounts.path.read_bytes()
    assert WORD.encode() not in content
    assert b"$argon2id$" in content


def test_a_hash_is_as_dear_to_guess_as_argon2_advises(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(argon2, "PasswordHasher", argon2.PasswordHasher.func)  # conftest made it quick
    accounts.add("anna", "administrator", WORD, NOW)
    content = accounts.path.read_bytes().decode("latin-1")
    memory, passes = re.search(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),", content).groups()  # type: ignore[union-attr]
    assert (int(memory), int(passes)) >= (19_456, 2), "what OWASP advises at least"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "anna"}, "there is an account anna already"),
        ({"name": " "}, "1 to 100 letters"),
        ({"password": "short"}, "has 10 to 1000 letters"),
        ({"password": "it is Ben-says"}, "does not contain the name"),
        ({"role": "clerk"}, "sees the visits of one counter"),
        ({"role": "king"}, "no role 'king'"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(accounts: Accounts, change: dict[str, str], message: str) -> None:
    accounts.add("anna", "administrator", WORD, NOW)
    given = {"name": "ben", "role": "auditor", "password": OTHER, **change}
    with pytest.raises(AccountError, match=message):
        accounts.add(given["name"], given["role"], given["password"], NOW)  # type: ignore[arg-type]
    assert [each.name for each in accounts.all()] == ["anna"]


def test_changes_are_dated_disabled_ones_cannot_sign_in_and_one_administrator_stays(accounts: Accounts) -> None:
    accounts.add("anna", "administrator", WORD, NOW)
    accounts.add("li", "clerk", WORD, NOW, counter="3")
    with pytest.raises(AccountError, match="the last administrator"):
        accounts.change("anna", NOW, disabled=True)
    with pytest.raises(AccountError, match="the last administrator"):
        accounts.change("anna", NOW, role="auditor")
    changed = accounts.change("li", NOW + MINUTE, password=OTHER)
    assert changed.changed > changed.created
    assert accounts.sign_in("li", WORD, NOW) is None
    assert accounts.sign_in("li", OTHER, NOW) == changed
    accounts.change("li", NOW, disabled=True)
    assert accounts.find("li") is None
    assert accounts.sign_in("li", OTHER, NOW) is None
    assert [each.disabled for each in accounts.all()] == [False, True]
    with pytest.raises(AccountError, match="no account nobody"):
        accounts.change("nobody", NOW, disabled=True)


def test_guessing_is_stopped_for_a_while_and_locks_nobody_else_out(accounts: Accounts) -> None:
    accounts.add("anna", "administrator", WORD, NOW)
    for _ in range(5):
        assert accounts.sign_in("anna", "a wrong password", NOW, "10.0.0.9") is None
    with pytest.raises(AccountError, match="try again in 15 minutes"):
        accounts.sign_in("anna", WORD, NOW + MINUTE, "10.0.0.9")
    assert accounts.sign_in("anna", WORD, NOW + MINUTE, "10.0.0.1"), "from her own desk she still can"
    assert accounts.sign_in("anna", WORD, NOW + 16 * MINUTE, "10.0.0.9")


def test_a_token_signs_in_until_it_is_ended_and_is_kept_as_a_hash(accounts: Accounts) -> None:
    accounts.add("head-office", "auditor", WORD, NOW)
    token, secret = accounts.add_token("head-office", "BI", NOW)
    found = accounts.of_token(secret, NOW + MINUTE)
    assert found
    assert found.name == "head-office"
    assert accounts.of_token(secret + "x", NOW) is None
    assert secret.encode() not in accounts.path.read_bytes()
    (kept,) = accounts.tokens("head-office")
    assert (kept.title, kept.ended) == ("BI", None)
    assert kept.used == "2024-05-20T09:00:00.000000+00:00"
    accounts.end_token(token.id, NOW)
    assert accounts.of_token(secret, NOW) is None
    assert accounts.tokens("nobody") == []


def test_another_file_is_not_taken_for_accounts(accounts: Accounts) -> None:
    raw(accounts.path, "CREATE TABLE notes (text)")
    with pytest.raises(RecordError, match="holds no accounts of this version"):
        accounts.add("anna", "auditor", WORD, NOW)
    accounts.path.write_bytes(b"nothing of a database " * 100)
    with pytest.raises(RecordError):
        accounts.all()
