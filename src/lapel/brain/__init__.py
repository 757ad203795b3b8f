"""Understanding of orders: words and a cart in, typed edits or a question out, without a model."""

from lapel.brain.actions import (
    Action,
    AddLine,
    Affirm,
    AskMenu,
    AskStatus,
    CancelOrder,
    ChangeLine,
    ChooseAddress,
    ChooseDelivery,
    ChooseMerchant,
    Deny,
    DropCodes,
    RemoveLine,
    RepeatLast,
    Understanding,
    UseCode,
)
from lapel.brain.brain import Brain
from lapel.brain.describe import CardLine, Description
from lapel.brain.frame import (
    USERS_OWN,
    CartLine,
    Frame,
    Question,
    Slot,
    Source,
    Span,
    Utterance,
)
from lapel.brain.menu import Menu, MenuItem, OptionGroup, OptionValue
from lapel.brain.places import AddressLabel
from lapel.brain.reorder import Reorder, ReorderPhrases, Which

__all__ = [
    "USERS_OWN",
    "Action",
    "AddLine",
    "AddressLabel",
    "Affirm",
    "AskMenu",
    "AskStatus",
    "Brain",
    "CancelOrder",
    "CardLine",
    "CartLine",
    "ChangeLine",
    "ChooseAddress",
    "ChooseDelivery",
    "ChooseMerchant",
    "Deny",
    "Description",
    "DropCodes",
    "Frame",
    "Menu",
    "MenuItem",
    "OptionGroup",
    "OptionValue",
    "Question",
    "RemoveLine",
    "Reorder",
    "ReorderPhrases",
    "RepeatLast",
    "Slot",
    "Source",
    "Span",
    "Understanding",
    "UseCode",
    "Utterance",
    "Which",
]
