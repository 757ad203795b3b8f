"""Measures of understanding on labelled data of other people: what `lapel eval` prints."""

from lapel.evals.data import DataError
from lapel.evals.intents import IntentsReport, measure_intents
from lapel.evals.menu import MenuReport, measure_menu

__all__ = ["DataError", "IntentsReport", "MenuReport", "measure_intents", "measure_menu"]
