"""The schema's history. `HEAD` is the newest revision; a test holds it against the folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lapel.store.errors import StoreTooNew

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0016"
FOLDER = Path(__file__).parent


def upgrade(connection: sa.Connection) -> None:
    """Bring the record up to `HEAD`; instant when it is there already."""
    found = _revision(connection)
    if found == HEAD:
        return
    # Imported here: Alembic costs 0.1 s, and a start of an up-to-date record does not need it.
    import alembic.command
    import alembic.script

    config = alembic_config()
    known = {
        entry.revision
        for entry in alembic.script.ScriptDirectory.from_config(config).walk_revisions()
    }
    if found is not None and found not in known:
        raise StoreTooNew(
            f"the record has schema {found!r}, newer than this Lapel's {HEAD!r}; upgrade Lapel"
        )
    with connection.begin():
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")


def alembic_config() -> Config:
    """Alembic's settings for this folder."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


def _revision(connection: sa.Connection) -> str | None:
    with connection.begin():
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)
