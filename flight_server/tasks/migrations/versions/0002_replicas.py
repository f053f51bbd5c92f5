"""Replicas: who has a task, and whether that process lives."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_EARLIER = "version-1"
"""Stands for whichever process wrote the tasks that are there: it ran alone, and has stopped."""


def upgrade() -> None:
    """Give every task an owner; those of before belong to a replica that is gone."""
    replicas = op.create_table(
        "export_replicas",
        sa.Column("replica_id", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("spools", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("lease_until", sa.BigInteger, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
    )
    op.add_column(
        "export_tasks",
        sa.Column("replica", sa.Text, nullable=False, server_default=_EARLIER),
    )
    op.add_column("export_tasks", sa.Column("rows_per_second", sa.Float))
    op.add_column("export_tasks", sa.Column("position", sa.Integer))
    op.create_index("export_tasks_by_replica", "export_tasks", ["replica", "state"])
    if sa.inspect(op.get_bind()).has_table("export_schema_version"):
        op.drop_table("export_schema_version")
        earlier = {"replica_id": _EARLIER, "host": "", "spools": "", "gone": True}
        op.bulk_insert(replicas, [{**earlier, "started_at": 0, "lease_until": 0}])
