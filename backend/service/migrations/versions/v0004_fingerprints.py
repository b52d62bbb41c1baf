"""Fingerprints of generators.

Revision 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fingerprints",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("generator", sa.String(128), nullable=False),
        sa.Column("denoiser", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fingerprints"),
        sa.UniqueConstraint("generator", "denoiser", name="uq_fingerprints_generator"),
    )


def downgrade() -> None:
    op.drop_table("fingerprints")
