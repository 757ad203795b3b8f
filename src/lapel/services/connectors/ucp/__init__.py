"""The Universal Commerce Protocol, version 2026-04-08, from the platform's side, over REST."""
