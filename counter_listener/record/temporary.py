"""Temporary tables, which a transaction makes for its own queries and removes again."""

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable, DropTable

from counter_listener.record.schema import TYPES

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def temporary_table(name: str, key: str, *others: str) -> sa.Table:
    """A temporary table with these columns; no two of its rows have the same key."""
    columns = (sa.Column(each, TYPES.get(each, TEXT), primary_key=each == key) for each in (key, *others))
    return sa.Table(name, sa.MetaData(), *columns, prefixes=["TEMPORARY"])


def make_temporary(connection: sa.Connection, table: sa.Table) -> None:
    """Makes the table, empty."""
    drop_temporary(connection, table)
    connection.execute(CreateTable(table))


def drop_temporary(connection: sa.Connection, table: sa.Table) -> None:
    """Removes the table, if it is there."""
    connection.execute(DropTable(table, if_exists=True))
