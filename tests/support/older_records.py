"""Empty records as earlier versions of the program made them."""

from __future__ import annotations

from counter_listener.record.databases import find_database
from counter_listener.record.migrations import upgrade


def make_older(location: str, version: str) -> None:
    """Makes an empty record in either database one of an earlier version of the schema; opened without `upgrade`."""
    with find_database(location).open(create=True) as connection, connection.begin():
        if "://" in location:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        upgrade(connection, version)
