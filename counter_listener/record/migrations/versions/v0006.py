"""What a server holds of other records: the counters that send theirs, and where each of their rows stands here.

Rows that are received join `events` and `recordings`, in the chain of this record, so that pages and figures need not
know of it. Nothing of these tables is in the chain.

`counters`: who sends, by the name that stands in `events.counter`; `many` is 1 if its record may hold rows of other
counters as well. `token` is the SHA-256 of its secret, NULL before it is enrolled and after it was closed; `heard` is
when it was heard from last, and `state` what it then said of itself (JSON).

`enrolments`: the SHA-256 of each code that makes a counter known, once.

`sources`: each record that is received; `seq` and `chain` are the last row of it that is here, `since` the row after
which this source began (above 0 for a record that was put back from a backup, and accepted), `signing` its public key,
`head` its newest signed head (JSON). `state` is `ok`, or what was found: `rewritten`, `cut`, `replaced`; `closed` once
another source follows it.

`received`: runs of rows. The rows `first` to `last` of a source are the rows `here` and following of this record;
`chain` is the link of `last` at the source. Of a run with `gone` no row is here: `claimed` says that the source purged
it before it was sent and no row has told of that yet, `purged` that one has, `here` that a purge of this record removed
it, `before` that these rows are those of an earlier source, whose record was put back from a backup.

`renamed`: of a row whose names are taken here by another source, the columns as they are at the source (JSON).
"""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Makes the tables."""
    suffix = ".postgresql.sql" if op.get_bind().dialect.name == "postgresql" else ".sql"
    for statement in Path(__file__).with_suffix(suffix).read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)
