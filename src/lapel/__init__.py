"""Lapel, the open gateway for AI wearables: one assistant, every wearable, real services."""

__version__ = "0.1.0"

__all__ = ["__version__"]
