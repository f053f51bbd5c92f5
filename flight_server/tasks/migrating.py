"""Bringing the state database to this program's version, with Alembic."""

from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

_SCRIPTS: Final = "flight_server.tasks:migrations"


def migrate(connection: Connection, found: str | None, *, version_table: str) -> None:
    """Run what is missing since the version `found`, in the transaction that `connection` has.

    None is a database that has no table of ours yet.
    """
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.attributes.update(connection=connection, version_table=version_table)
    if found is not None:
        command.stamp(config, found)
    command.upgrade(config, "head")
