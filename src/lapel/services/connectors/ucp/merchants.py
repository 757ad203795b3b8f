"""`lapel.commerce.ports.Merchants` over UCP: any merchant that speaks it, by its URL alone.

A merchant that speaks ACP is served by the same code: its client translates (see `doors`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import quote

import msgspec

from lapel.commerce.checkout import Checkout, CheckoutStatus, DraftLine, OrderDraft
from lapel.commerce.ports import Credential, MerchantOrder, Nonsense, Refused
from lapel.commerce.request import Request
from lapel.services.connectors.ucp.ap2 import TermsClient
from lapel.services.connectors.ucp.arithmetic import check_delivery
from lapel.services.connectors.ucp.asking import ask
from lapel.services.connectors.ucp.carts import put
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.drafts import Drafts
from lapel.services.connectors.ucp.heeded import code_messages, delivery_messages
from lapel.services.connectors.ucp.mapping import to_checkout, to_order
from lapel.services.connectors.ucp.pairing import check, pair
from lapel.services.connectors.ucp.profile import CART, CITY_BANK, VERSION
from lapel.services.connectors.ucp.rechecking import Seen, recheck, unseen
from lapel.services.connectors.ucp.refusals import CODES, errors_of, refusal
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.requests import (
    address_body,
    asked_lines,
    codes_body,
    complete_body,
    create_body,
    lines_body,
    selection_body,
)
from lapel.services.connectors.ucp.wire.amounts import Envelope
from lapel.services.connectors.ucp.wire.checkout import CheckoutBody
from lapel.services.connectors.ucp.wire.order import OrderBody

HANDLERS = (CITY_BANK,)
"""Payment handlers that Lapel can pay by, the preferred one first."""

_SETTLED = (CheckoutStatus.COMPLETED, CheckoutStatus.COMPLETE_IN_PROGRESS)
_MENU_IS_OLD = frozenset({"sold_out", "unknown_item", "option_invalid", "shop_closed"})
Defaults = Callable[[str, str], frozenset[str] | None]
"""(merchant id, item id) -> the item's default modifiers, None where its menu is not known."""


class UcpMerchants:
    """The port. It keeps no state: what was asked is read from the record, by `drafts`.

    `sold_out` hears of a merchant whose menu a refusal has shown to be old; `seen` is what the menu
    says of an item, which is looked up again when that is old. `mandates` says that
    Lapel's profile declares AP2: then a merchant that offers it must sign every checkout.
    """

    def __init__(
        self,
        registry: MerchantRegistry,
        client: Client,
        drafts: Drafts,
        *,
        clock: Callable[[], float],
        defaults: Defaults = lambda merchant_id, item_id: None,
        sold_out: Callable[[str], None] = lambda merchant_id: None,
        seen: Seen = unseen,
        handlers: Sequence[str] = HANDLERS,
        mandates: bool = False,
    ) -> None:
        self._registry = registry
        self._calls = client
        self._client = TermsClient(client, registry, mandates)
        self._drafts = drafts
        self._clock = clock
        self._defaults = defaults
        self._sold_out = sold_out
        self._seen = seen
        self._handlers = tuple(handlers)

    async def create_checkout(self, draft: OrderDraft, key: str) -> Checkout:
        """A priced cart, ready to be approved; Refused when the shop cannot serve it."""
        merchant = await self._registry.get(draft.merchant_id)
        with self._telling(merchant.id):
            changed = await recheck(self._calls, merchant, draft, self._seen)
            draft = await self._with_cart(merchant, draft, f"{key}/cart")
            body = await self._client.write(
                merchant,
                "POST",
                "/checkout-sessions",
                create_body(draft, merchant),
                key,
                CheckoutBody,
            )
            checkout = await self._priced(body, merchant, draft, key)
        return replace(checkout, messages=(*checkout.messages, *changed)) if changed else checkout

    async def _with_cart(self, merchant: Merchant, draft: OrderDraft, key: str) -> OrderDraft:
        """The draft from its cart, once that holds these very lines; else without one."""
        if not draft.cart_id or CART not in merchant.profile.capabilities:
            return msgspec.structs.replace(draft, cart_id="")
        try:
            kept = await put(self._calls, merchant, draft, key)
        except (Refused, Nonsense):
            kept = None
        same = kept is not None and kept.id == draft.cart_id
        return draft if same else msgspec.structs.replace(draft, cart_id="")

    async def update_checkout(self, checkout_id: str, draft: OrderDraft, key: str) -> Checkout:
        """The same checkout with other content; UCP's update replaces all of it."""
        merchant = await self._registry.get(draft.merchant_id)
        path = _path(checkout_id)
        if not draft.is_goods:
            whole = create_body(draft, merchant)
            body = await self._client.write(merchant, "PUT", path, whole, key, CheckoutBody)
            return _same(await self._priced(body, merchant, draft, key), checkout_id)
        with self._telling(merchant.id):
            body = await self._client.write(
                merchant, "PUT", path, lines_body(draft, merchant), key, CheckoutBody
            )
            _check_quote(body, merchant, draft, final=False)
            body = await self._client.write(
                merchant,
                "PUT",
                path,
                address_body(body, draft, merchant),
                f"{key}/address",
                CheckoutBody,
            )
            return _same(await self._priced(body, merchant, draft, key), checkout_id)

    async def get_checkout(self, merchant_id: str, checkout_id: str) -> Checkout:
        """What the merchant holds now. Compare its hash with the approved one before paying."""
        merchant = await self._registry.get(merchant_id)
        body = await self._client.read(merchant, _path(checkout_id), CheckoutBody)
        _check_envelope(body.ucp, merchant)
        if body.ucp.status == "error":
            raise refusal(errors_of(body.messages), merchant.name, None, fallback="not_found")
        return _same(await self._read(body, merchant, checkout_id), checkout_id)

    async def complete_checkout(
        self, merchant_id: str, checkout_id: str, credential: Credential, key: str
    ) -> Checkout:
        """Place the order. Refused: no order was placed. Anything else but an answer: find out.

        After a Refused the same key would repeat the same refusal; try again with a new one.
        """
        merchant = await self._registry.get(merchant_id)
        body = await self._client.write(
            merchant,
            "POST",
            _path(checkout_id) + "/complete",
            complete_body(credential),
            key,
            CheckoutBody,
        )
        _check_envelope(body.ucp, merchant)
        errors = errors_of(body.messages)
        if body.status not in _SETTLED and body.status != CheckoutStatus.REQUIRES_ESCALATION:
            with self._telling(merchant.id):
                raise refusal(errors, merchant.name, None, fallback="not_completed")
        return _same(await self._read(body, merchant, checkout_id), checkout_id)

    async def cancel_checkout(self, merchant_id: str, checkout_id: str, key: str) -> Checkout:
        """Give the checkout up. Refused (`already_completed`) when it has become an order."""
        merchant = await self._registry.get(merchant_id)
        path = _path(checkout_id) + "/cancel"
        body = await self._client.write(merchant, "POST", path, {}, key, CheckoutBody)
        _check_envelope(body.ucp, merchant)
        if body.status in _SETTLED:
            raise Refused(
                f"{merchant.name} has already accepted the order.", code="already_completed"
            )
        if body.status != CheckoutStatus.CANCELED:
            raise refusal(errors_of(body.messages), merchant.name, None, fallback="not_canceled")
        return _same(await self._read(body, merchant, checkout_id), checkout_id)

    async def get_order(self, merchant_id: str, order_id: str) -> MerchantOrder:
        """The order as the merchant has it now."""
        merchant = await self._registry.get(merchant_id)
        path = f"/orders/{quote(order_id, safe='')}"
        body = await self._client.read(merchant, path, OrderBody)
        _check_envelope(body.ucp, merchant)
        if body.ucp.status == "error":
            raise refusal(errors_of(body.messages), merchant.name, None, fallback="not_found")
        order = to_order(body, merchant.id, merchant.profile.url)
        if order.id != order_id:
            raise Nonsense(f"{merchant.name!r} answered with another order than {order_id!r}")
        return order

    async def answer_substitution(
        self, merchant_id: str, order_id: str, line_id: str, item_id: str, accept: bool, key: str
    ) -> None:
        """Whether a grocer shall bring what it offered; Refused when it does not ask any more."""
        merchant = await self._registry.get(merchant_id)
        path = f"/orders/{quote(order_id, safe='')}/substitutions"
        asked = {"line_item_id": line_id, "item_id": item_id, "accept": accept}
        body = await self._client.write(merchant, "POST", path, asked, key, OrderBody)
        _check_envelope(body.ucp, merchant)
        if body.ucp.status == "error":
            raise refusal(errors_of(body.messages), merchant.name, None, fallback="not_asked")

    async def ask(
        self, merchant_id: str, order_id: str, request: Request, key: str
    ) -> MerchantOrder:
        """Cancel, change or send back; the order as it is then."""
        merchant = await self._registry.get(merchant_id)
        return await ask(self._calls, merchant, order_id, request, key)

    async def _priced(
        self, body: CheckoutBody, merchant: Merchant, draft: OrderDraft, key: str
    ) -> Checkout:
        """Select address and delivery where the merchant has not, then check everything."""
        _check_quote(body, merchant, draft, final=False)
        if not draft.is_goods:
            return self._without_delivery(body, merchant, draft)
        codes = codes_body(draft, merchant) if draft.codes else None
        selection = selection_body(body, draft, codes=codes)
        if selection is not None:
            path = _path(body.id)
            body = await self._client.write(
                merchant, "PUT", path, selection, f"{key}/select", CheckoutBody
            )
        _check_quote(body, merchant, draft, final=True)
        if selection_body(body, draft) is not None:
            raise Nonsense(f"{merchant.name!r} does not select the delivery that it was told to")
        asked = asked_lines(draft, merchant)
        pairs = check(body.line_items, asked, lambda item_id: self._defaults(merchant.id, item_id))
        check_delivery(body, fastest=draft.fastest, pickup=draft.pickup)
        checkout = self._checkout(body, merchant, pairs, draft)
        notes = (*code_messages(body, draft, merchant), *delivery_messages(body, draft))
        return replace(checkout, messages=(*checkout.messages, *notes)) if notes else checkout

    def _without_delivery(
        self, body: CheckoutBody, merchant: Merchant, draft: OrderDraft
    ) -> Checkout:
        """A booking and a transfer have nothing to select."""
        _check_quote(body, merchant, draft, final=True)
        pairs = check(body.line_items, asked_lines(draft, merchant), lambda item_id: None)
        return self._checkout(body, merchant, pairs, draft)

    @contextmanager
    def _telling(self, merchant_id: str) -> Generator[None]:
        """Say so when a refusal shows that the menu is not what it was."""
        try:
            yield
        except Refused as error:
            if error.code in _MENU_IS_OLD:
                self._sold_out(merchant_id)
            raise

    async def _read(self, body: CheckoutBody, merchant: Merchant, checkout_id: str) -> Checkout:
        """In the draft's terms as far as it still is what was asked; the rest in the merchant's."""
        draft = await self._drafts(merchant.id, checkout_id)
        if draft is None:
            return self._checkout(body, merchant, [None] * len(body.line_items), None)
        # Which defaults a menu has now says nothing about a cart that was priced before.
        pairs = pair(body.line_items, asked_lines(draft, merchant), lambda item_id: None)
        return self._checkout(body, merchant, pairs, draft)

    def _checkout(
        self,
        body: CheckoutBody,
        merchant: Merchant,
        pairs: Sequence[DraftLine | None],
        draft: OrderDraft | None,
    ) -> Checkout:
        return to_checkout(
            body,
            merchant,
            pairs,
            draft=draft,
            handlers=self._handlers,
            now_s=self._clock(),
        )


def _check_envelope(ucp: Envelope, merchant: Merchant) -> None:
    if ucp.status != "error" and ucp.version != VERSION:
        raise Nonsense(f"{merchant.name!r} answers in UCP {ucp.version!r}, not {VERSION!r}")


def _check_quote(body: CheckoutBody, merchant: Merchant, draft: OrderDraft, *, final: bool) -> None:
    """Refused for what the shop cannot do. Before the selection, being incomplete is no fault."""
    _check_envelope(body.ucp, merchant)
    errors = errors_of(body.messages)
    if body.ucp.status == "error":
        raise refusal(errors, merchant.name, draft, fallback="refused")
    if body.status in _SETTLED:
        raise Refused(f"{merchant.name} has already accepted the order.", code="already_completed")
    if body.status == CheckoutStatus.CANCELED:
        raise refusal(errors, merchant.name, draft, fallback="checkout_expired")
    known = [message for message in errors if message.code in CODES]
    if known:
        raise refusal(known, merchant.name, draft, fallback="refused")
    open_ones = (CheckoutStatus.READY_FOR_COMPLETE, CheckoutStatus.REQUIRES_ESCALATION)
    if final and body.status not in open_ones:
        raise refusal(errors, merchant.name, draft, fallback="incomplete")


def _same(checkout: Checkout, checkout_id: str) -> Checkout:
    if checkout.id != checkout_id:
        raise Nonsense(f"the merchant answered with another checkout than {checkout_id!r}")
    if checkout.status is CheckoutStatus.COMPLETED and not checkout.order_id:
        raise Nonsense(f"{checkout.merchant_name!r} completed the checkout but names no order")
    return checkout


def _path(checkout_id: str) -> str:
    return f"/checkout-sessions/{quote(checkout_id, safe='')}"
