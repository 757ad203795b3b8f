"""The HTTP face of the gateway: sign-in, device lab, API, UCP profile and webhooks."""

from lapel.web.api import Api
from lapel.web.connected import ConnectedApi
from lapel.web.consent import ConsentApi
from lapel.web.gate import Gate, SecurityHeaders
from lapel.web.limits import LimitsApi
from lapel.web.merchants import MerchantsApi
from lapel.web.passkeys import PasskeysApi, relying_party
from lapel.web.pay import PayApi
from lapel.web.personal import PersonalApi
from lapel.web.routes import routes
from lapel.web.webhooks import Webhooks

__all__ = [
    "Api",
    "ConnectedApi",
    "ConsentApi",
    "Gate",
    "LimitsApi",
    "MerchantsApi",
    "PasskeysApi",
    "PayApi",
    "PersonalApi",
    "SecurityHeaders",
    "Webhooks",
    "relying_party",
    "routes",
]
