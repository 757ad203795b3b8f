"""What can be done out there: merchants by their URL, menus, payments, couriers.

`UcpMerchants` and `BankPayments` implement the ports of `lapel.commerce`, `RetryingMerchants` and
`RetryingPayments` give them patience. `Food` knows the menus, `WebhookInbox` believes or refuses
what merchants push, `PlatformProfile` is what they read about Lapel. `Doors` speaks to each
merchant in its own protocol, UCP or ACP.
"""

from lapel.services.connectors.acp.access import Access, Accesses
from lapel.services.connectors.acp.client import AcpClient
from lapel.services.connectors.acp.door import AcpDoor, access_from
from lapel.services.connectors.acp.webhooks import PATH as ACP_WEBHOOKS
from lapel.services.connectors.acp.webhooks import AcpInbox
from lapel.services.connectors.doors import Doors
from lapel.services.connectors.ucp.carts import Carts
from lapel.services.connectors.ucp.checkup import CheckUp
from lapel.services.connectors.ucp.client import Client, UcpClient
from lapel.services.connectors.ucp.drafts import (
    Drafts,
    ordered_items,
    stored_drafts,
    stored_sessions,
)
from lapel.services.connectors.ucp.feeds import Feeds
from lapel.services.connectors.ucp.keys import GRACE_S, Jwk, SigningKeys
from lapel.services.connectors.ucp.merchants import UcpMerchants
from lapel.services.connectors.ucp.platform import PlatformProfile
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.webhooks import WebhookInbox
from lapel.services.contacts import Contact, ContactError, Contacts
from lapel.services.errors import ServiceError, SignatureRejected, WebhookError
from lapel.services.fetch import open_http
from lapel.services.food import Food
from lapel.services.owed import Owed, OwedRecord
from lapel.services.owed import Wish as OwedWish
from lapel.services.pay import MoneyRequest, Party, Pay, Payee, Received, Requests, Scanned
from lapel.services.payments import BankPayments
from lapel.services.pictures import PictureError, codes_in
from lapel.services.retry import RetryingMerchants, RetryingPayments
from lapel.services.rides import RideOffer, Rides
from lapel.services.tables import Tables
from lapel.services.tracking import Tracking
from lapel.services.travel import Travel
from lapel.services.watching import PayTeller, PayWatch

__all__ = [
    "ACP_WEBHOOKS",
    "GRACE_S",
    "Access",
    "Accesses",
    "AcpClient",
    "AcpDoor",
    "AcpInbox",
    "BankPayments",
    "Carts",
    "CheckUp",
    "Client",
    "Contact",
    "ContactError",
    "Contacts",
    "Doors",
    "Drafts",
    "Feeds",
    "Food",
    "Jwk",
    "Merchant",
    "MerchantRegistry",
    "MoneyRequest",
    "Owed",
    "OwedRecord",
    "OwedWish",
    "Party",
    "Pay",
    "PayTeller",
    "PayWatch",
    "Payee",
    "PictureError",
    "PlatformProfile",
    "Received",
    "Requests",
    "RetryingMerchants",
    "RetryingPayments",
    "RideOffer",
    "Rides",
    "Scanned",
    "ServiceError",
    "SignatureRejected",
    "SigningKeys",
    "Tables",
    "Tracking",
    "Travel",
    "UcpClient",
    "UcpMerchants",
    "WebhookError",
    "WebhookInbox",
    "access_from",
    "codes_in",
    "open_http",
    "ordered_items",
    "stored_drafts",
    "stored_sessions",
]
