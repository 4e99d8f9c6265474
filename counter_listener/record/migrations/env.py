"""How Alembic reaches the record: over the connection, and in the transaction, that upgrade() hands it."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
