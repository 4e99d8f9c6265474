"""The head of the chain, signed: one row, written anew with every change of the record.

Only the newest head is kept. A record cut off at an earlier row has then no signature that fits its end.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

HEAD = """CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    record TEXT NOT NULL,
    seq INTEGER,
    chain TEXT,
    signed TEXT,
    key TEXT,
    signature TEXT
)"""

FIRST = """INSERT INTO head (id, record) VALUES (1, coalesce(
    (SELECT substr(chain, 1, 32) FROM events ORDER BY seq LIMIT 1),
    (SELECT substr(chain, 1, 32) FROM recordings ORDER BY seq LIMIT 1),
    lower(hex(randomblob(16)))
))"""


def upgrade() -> None:
    """Makes the table, and gives the record an id: from its first row, so that each copy gets the same one."""
    if op.get_bind().dialect.name == "postgresql":  # whose schema begins with v0005
        return
    op.execute(HEAD)
    op.execute(FIRST)
