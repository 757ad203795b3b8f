"""Merchants that speak UCP 2026-01-11 alone: the words of that version around the same shops."""
