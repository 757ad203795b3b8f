"""Moves a cart to another merchant: the same dishes by name, the same options by title."""

from __future__ import annotations

from dataclasses import replace

from lapel.brain.frame import CartLine
from lapel.brain.lexicon import MenuIndex
from lapel.brain.menu import MenuItem


def move_lines(
    lines: tuple[CartLine, ...], old: MenuIndex | None, new: MenuIndex
) -> tuple[tuple[CartLine, ...], list[str]]:
    """The lines as the new merchant has them, and what to say about those that it has not."""
    known = {item.id: item for item in old.menu.items} if old else {}
    moved: list[CartLine] = []
    lost: list[str] = []
    for line in lines:
        item = known.get(line.item_id)
        called = (item.title, *item.aliases) if item else ()
        names = [new.names[k] for t in called if (k := "".join(new.stems(t))) in new.names]
        places = [p for n in names for p in n.exact_items if new.menu.items[p].available]
        if item is None or not places:
            title = item.title if item else line.item_id
            lost.append(f"{new.menu.merchant_name} does not have {title}.")
            continue
        moved.append(_as(line, item, new.menu.items[places[0]]))
    return tuple(moved), lost


def _as(line: CartLine, old: MenuItem, new: MenuItem) -> CartLine:
    chosen = dict(line.options)
    titles = {
        value.title.lower()
        for group in old.groups
        for value in group.values
        if value.id in chosen.get(group.id, ())
    }
    options: list[tuple[str, tuple[str, ...]]] = []
    for group in new.groups:
        ids = [v.id for v in group.values if v.title.lower() in titles and v.available]
        if not ids and group.default:
            ids = [group.default]
        if ids:
            options.append((group.id, tuple(ids if group.multiple else ids[:1])))
    return replace(line, item_id=new.id, options=tuple(options))
