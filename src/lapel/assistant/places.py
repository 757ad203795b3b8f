"""The user's own addresses: labels that they say, and the place that each means."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from lapel.brain import AddressLabel
from lapel.commerce import Address
from lapel.failures import Code
from lapel.store import Store
from lapel.store.schema import addresses

MOST = 50
"""Addresses a user; more is a mistake somewhere."""


class PlaceError(Exception):
    """The address cannot be kept; the text says what is wrong with it."""

    code: Code = "bad_address"


class SavedPlaces:
    """One user's addresses in the record."""

    def __init__(self, store: Store, user_id: str) -> None:
        self._store = store
        self._user_id = user_id

    async def find(self, label: str) -> Address | None:
        """The address with this label, or None."""
        return next(
            (address for address, _, _ in await self._rows() if address.label == label), None
        )

    async def labels(self) -> list[AddressLabel]:
        """What the brain listens for."""
        return [
            AddressLabel(address.label, aliases, default)
            for address, aliases, default in await self._rows()
        ]

    async def all(self) -> list[tuple[Address, tuple[str, ...], bool]]:
        """Every address, its other names, and whether it is the one used when none is said."""
        return await self._rows()

    async def save(
        self, address: Address, *, aliases: tuple[str, ...] = (), default: bool = False
    ) -> None:
        """Add the address, or replace the one with its label."""
        _check(address)

        def work(connection: sa.Connection) -> None:
            mine = addresses.c.user_id == self._user_id
            known = connection.scalars(sa.select(addresses.c.label).where(mine)).all()
            if address.label not in known and len(known) >= MOST:
                raise PlaceError(f"there are {MOST} addresses already; remove one first")
            connection.execute(addresses.delete().where(mine, addresses.c.label == address.label))
            if default:
                connection.execute(addresses.update().where(mine).values(is_default=False))
            connection.execute(
                addresses.insert().values(
                    user_id=self._user_id,
                    aliases=msgspec.json.encode(aliases).decode(),
                    is_default=default,
                    **msgspec.structs.asdict(address),
                )
            )

        await self._store.write(work)

    async def remove(self, label: str) -> bool:
        """Forget the address; false when there was none."""

        def work(connection: sa.Connection) -> bool:
            gone = connection.execute(
                addresses.delete().where(
                    addresses.c.user_id == self._user_id, addresses.c.label == label
                )
            )
            return gone.rowcount > 0

        return await self._store.write(work)

    async def _rows(self) -> list[tuple[Address, tuple[str, ...], bool]]:
        def work(connection: sa.Connection) -> list[tuple[Address, tuple[str, ...], bool]]:
            rows = connection.execute(
                sa.select(addresses)
                .where(addresses.c.user_id == self._user_id)
                .order_by(addresses.c.label)
            )
            return [
                (
                    Address(
                        label=row.label,
                        street=row.street,
                        city=row.city,
                        postal_code=row.postal_code,
                        country=row.country,
                        latitude=row.latitude,
                        longitude=row.longitude,
                        instructions=row.instructions,
                    ),
                    tuple(msgspec.json.decode(row.aliases, type=list[str])),
                    row.is_default,
                )
                for row in rows
            ]

        return await self._store.read(work)


def _check(address: Address) -> None:
    if not (address.label and address.label == address.label.strip().lower()):
        raise PlaceError(f"label {address.label!r} must be lower case, for example 'office'")
    if not (address.street and address.city):
        raise PlaceError("street and city are needed")
    if not (-90 <= address.latitude <= 90 and -180 <= address.longitude <= 180):
        raise PlaceError(f"{address.latitude!r}, {address.longitude!r} is no place on earth")
