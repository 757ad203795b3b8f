"""How Lapel speaks to merchants: one package a protocol."""
