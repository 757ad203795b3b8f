"""Goods by word: the shopping list and what is ordered from it."""

from lapel.assistant.goods.lists import ListSkill

__all__ = ["ListSkill"]
