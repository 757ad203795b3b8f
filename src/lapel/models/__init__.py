"""Language models that the user has added: none to begin with, asked in the order of a list."""

from lapel.models.cascade import PATIENCE_S, Cascade, chat_of
from lapel.models.chat import Chat, open_models
from lapel.models.errors import (
    EngineMissing,
    ModelAltered,
    ModelError,
    ModelFailed,
    ModelRefused,
    ModelUnknown,
)
from lapel.models.importing import Imported, hash_of, import_weights
from lapel.models.known import KNOWN, Known, known
from lapel.models.listing import Endpoint, Gguf, Listed, Listing, Use, checked_url
from lapel.models.local import Local

__all__ = [
    "KNOWN",
    "PATIENCE_S",
    "Cascade",
    "Chat",
    "Endpoint",
    "EngineMissing",
    "Gguf",
    "Imported",
    "Known",
    "Listed",
    "Listing",
    "Local",
    "ModelAltered",
    "ModelError",
    "ModelFailed",
    "ModelRefused",
    "ModelUnknown",
    "Use",
    "chat_of",
    "checked_url",
    "hash_of",
    "import_weights",
    "known",
    "open_models",
]
