"""Who owes what of a bill: exact to the minor unit, by a rule that is told."""

from __future__ import annotations

from collections.abc import Sequence

from lapel.commerce.errors import CommerceError
from lapel.commerce.money import Money


class ShareError(CommerceError):
    """The shares that were named do not fit the bill."""

    code = "bad_shares"


def split(total: Money, others: Sequence[Money | None]) -> tuple[Money, ...]:
    """The share of each of `others`; what they do not pay is the user's own.

    Who is None shares equally, with the user, what those with an amount leave. What cannot be
    divided is the user's, who has paid already: nobody is asked for a cent too much.
    """
    fixed = sum(share.minor for share in others if share is not None)
    if not others or total.minor <= 0:
        raise ShareError("there is nothing to split")
    wrong = any(share is not None and share.minor <= 0 for share in others)
    if wrong or fixed > total.minor:
        raise ShareError("the shares come to more than the bill")
    equal = (total.minor - fixed) // (sum(share is None for share in others) + 1)
    shares = tuple(Money(equal, total.currency) if x is None else x for x in others)
    if any(share.minor <= 0 for share in shares):
        raise ShareError("nothing is left for everybody to share")
    return shares
