"""One module a version of the schema; a published one never changes."""
