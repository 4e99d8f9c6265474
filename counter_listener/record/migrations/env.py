"""Runs the migrations over the connection, and in the transaction, that upgrade() passes to Alembic."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
