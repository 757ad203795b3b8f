"""Measures of understanding on labelled data: what `lapel eval` prints."""

from lapel.evals.data import DataError
from lapel.evals.delivery import DeliveryReport, EndpointError, measure_delivery
from lapel.evals.injection import InjectionReport, measure_injection
from lapel.evals.intents import IntentsReport, measure_intents
from lapel.evals.menu import MenuReport, measure_menu
from lapel.evals.taskmaster import TaskmasterReport, measure_taskmaster
from lapel.evals.tools import OURS, ToolsReport, measure_tools

__all__ = [
    "OURS",
    "DataError",
    "DeliveryReport",
    "EndpointError",
    "InjectionReport",
    "IntentsReport",
    "MenuReport",
    "TaskmasterReport",
    "ToolsReport",
    "measure_delivery",
    "measure_injection",
    "measure_intents",
    "measure_menu",
    "measure_taskmaster",
    "measure_tools",
]
