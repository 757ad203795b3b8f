"""Goods that are looked for rather than said out of a menu: groceries by a list, and stores."""

from lapel.services.goods.groceries import Good, Grocer, Groceries
from lapel.services.goods.matching import Match, Wanted, find, quantity_of
from lapel.services.goods.ranking import Offer, Ranked, Way, rank
from lapel.services.goods.shopping import ReturnOffer, Shopping
from lapel.services.goods.shopping_list import ListItem, ShoppingList, TooLong

__all__ = [
    "Good",
    "Grocer",
    "Groceries",
    "ListItem",
    "Match",
    "Offer",
    "Ranked",
    "ReturnOffer",
    "Shopping",
    "ShoppingList",
    "TooLong",
    "Wanted",
    "Way",
    "find",
    "quantity_of",
    "rank",
]
