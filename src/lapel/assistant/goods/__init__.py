"""Goods by word: the shopping list and what is ordered from it, and things from stores."""

from lapel.assistant.goods.lists import ListSkill
from lapel.assistant.goods.shops import ShopSkill

__all__ = ["ListSkill", "ShopSkill"]
