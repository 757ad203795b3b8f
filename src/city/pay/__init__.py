"""Siirto: money from one person to another, payment requests, and the codes of shops."""
