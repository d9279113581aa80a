"""The installation key that a database belongs to, known by its fingerprint.

Whoever starts first on a database settles it. A machine with another key would find the
plans of the others unreadable, their approvals void and their comments a stranger's.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from prbot.adapters.store_dialect import insert_once
from prbot.adapters.store_tables import installation
from prbot.adapters.store_transaction import Transaction

KEY = "key"


async def settled_key(db: Transaction, mine: str, lost: str | None, now: datetime) -> str:
    """The fingerprint that stands: `mine` if there was none, or exactly the `lost` one."""
    await insert_once(db, installation, {"secret": KEY, "fingerprint": mine, "since": now})
    if lost is not None:
        await db.execute(
            update(installation)
            .where(installation.c.secret == KEY, installation.c.fingerprint == lost)
            .values(fingerprint=mine, since=now)
        )
    found = select(installation.c.fingerprint).where(installation.c.secret == KEY)
    return str((await db.execute(found)).scalar_one())
