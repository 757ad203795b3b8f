"""Plain UCP options: a grid of variants, read as option groups, and back to the one variant.

An option value's id lists the variants that have it, the nearest to the featured one first.
So the way back needs no catalogue: it works after a restart, and for a repeated call it gives the
same variant, whatever the merchant has changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote, unquote

from lapel.brain.menu import OptionGroup, OptionValue
from lapel.commerce.ports import Refused
from lapel.services.connectors.ucp.wire.catalogue import Product, Variant

_PREFIX = "variants:"


def is_variant_value(value_id: str) -> bool:
    return value_id.startswith(_PREFIX)


def groups_of(product: Product) -> tuple[OptionGroup, ...]:
    """One required group for each option of the product that distinguishes its variants."""
    if len(product.variants) < 2:
        return ()
    featured = product.variants[0]
    return tuple(
        _group(name, labels, product.variants, featured)
        for name, labels in _options(product)
        if len(labels) > 1
    )


def resolve(item_id: str, options: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """The variant to order, and the options that are not variants but true modifiers."""
    modifiers: list[str] = []
    left: list[str] | None = None
    for option in options:
        if not is_variant_value(option):
            modifiers.append(option)
            continue
        having = [unquote(x) for x in option.removeprefix(_PREFIX).split("|")]
        left = having if left is None else [x for x in left if x in having]
    if left is None:
        return item_id, tuple(modifiers)
    if not left:
        raise Refused("that combination is not sold; choose another", code="option_invalid")
    return (item_id if item_id in left else left[0]), tuple(modifiers)


def _options(product: Product) -> list[tuple[str, tuple[str, ...]]]:
    """Names and labels in the product's order; variants may use more than the product lists."""
    found: dict[str, list[str]] = {
        option.name: [value.label for value in option.values] for option in product.options or ()
    }
    for variant in product.variants:
        for chosen in variant.options or ():
            labels = found.setdefault(chosen.name, [])
            if chosen.label not in labels:
                labels.append(chosen.label)
    return [(name, tuple(labels)) for name, labels in found.items()]


def _group(
    name: str, labels: Sequence[str], variants: Sequence[Variant], featured: Variant
) -> OptionGroup:
    values: list[OptionValue] = []
    default: str | None = None
    for label in labels:
        having = [variant for variant in variants if (name, label) in _chosen(variant)]
        if not having:
            continue
        having.sort(key=lambda variant: -len(_chosen(variant) & _chosen(featured)))
        value = OptionValue(
            id=_PREFIX + "|".join(quote(variant.id, safe="") for variant in having),
            title=label,
            price_delta=having[0].price.amount - featured.price.amount,
            available=any(is_available(variant) for variant in having),
        )
        if featured in having:
            default = value.id
        values.append(value)
    return OptionGroup(id=name, title=name, values=tuple(values), required=True, default=default)


def is_available(variant: Variant) -> bool:
    return variant.availability is None or variant.availability.available


def _chosen(variant: Variant) -> frozenset[tuple[str, str]]:
    return frozenset((option.name, option.label) for option in variant.options or ())
