"""Alembic revisions of the database. Add one: change `tables.py`, then `alembic revision --autogenerate -m "what"`."""

HEAD = "0004"
"""The newest revision; a database at it is not touched at start."""
