"""Consent that can be proved: keys of users, AP2 mandates. Imports commerce and the store."""

from lapel.commerce.consent.keys import PublicUserKey, Vault, public_keys

__all__ = ["PublicUserKey", "Vault", "public_keys"]
