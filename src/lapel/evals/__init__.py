"""Measures of understanding on labelled data of other people: what `lapel eval` prints."""

from lapel.evals.data import DataError
from lapel.evals.intents import IntentsReport, measure_intents
from lapel.evals.menu import MenuReport, measure_menu
from lapel.evals.taskmaster import TaskmasterReport, measure_taskmaster

__all__ = [
    "DataError",
    "IntentsReport",
    "MenuReport",
    "TaskmasterReport",
    "measure_intents",
    "measure_menu",
    "measure_taskmaster",
]
