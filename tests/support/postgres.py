"""A real PostgreSQL for tests: a server in a temporary folder, reached by a socket, that ends with the process."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from counter_listener.record.store import open_record

numbers = count(1)
HBA = """
local all guarded scram-sha-256
local all stranger reject
local all all trust
"""
"""Who needs a password."""
FAST = ("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=32MB", "listen_addresses=")


def programs() -> Path | None:
    """The folder of initdb and pg_ctl; None if PostgreSQL is not installed."""
    found = shutil.which("pg_ctl")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda file: int(file.parts[-3]))
    return Path(found).parent if found else installed[-1].parent if installed else None


def _user() -> dict[str, Any]:
    """As whom the server runs: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@cache
def socket_folder() -> Path:
    """The folder of the socket of a server that runs; it ends with this process."""
    tools = programs()
    if tools is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="counter-listener-pg-"))
    if user:
        os.chown(folder, user["user"], user["group"])

    def run(*words: str) -> None:
        # into a file: the server keeps it open, and a pipe would never end
        with (folder / "said").open("a") as said:
            done = subprocess.run(words, cwd="/", stdout=said, stderr=said, check=False, **user)
        assert done.returncode == 0, (folder / "said").read_text()

    data = folder / "data"
    run(str(tools / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
    (data / "pg_hba.conf").write_text(HBA)
    options = " ".join(f"-c {each}" for each in (*FAST, f"unix_socket_directories={folder}"))
    pg_ctl = str(tools / "pg_ctl")
    run(pg_ctl, "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")

    def end() -> None:
        run(pg_ctl, "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return folder


def url_of(database: str, user: str = "postgres") -> str:
    """The URL of a database of the server."""
    return f"postgresql://{user}@/{database}?host={socket_folder()}"


def as_administrator(*statements: str, database: str = "postgres") -> list[Any]:
    """Runs statements as somebody who may do everything; returns the rows of the last one."""
    import psycopg

    with psycopg.connect(url_of(database), autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@cache
def template() -> str:
    """A database with an empty record. It sorts text as Chinese do, which a record must not depend on."""
    sorting = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'zh-CN' LOCALE 'C'"
    version = as_administrator("SHOW server_version_num")[0][0]
    as_administrator(f"CREATE DATABASE empty_record {sorting if int(version) >= 150000 else ''}")
    with open_record(url_of("empty_record")):
        return "empty_record"


@contextmanager
def new_database() -> Iterator[str]:
    """The name of a database with an empty record, which is gone after the block."""
    name = f"record_{next(numbers)}"
    as_administrator(f"CREATE DATABASE {name} TEMPLATE {template()}")
    yield name
    as_administrator(f"DROP DATABASE {name} WITH (FORCE)")
