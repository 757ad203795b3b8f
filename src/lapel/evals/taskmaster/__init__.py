"""Dialogues at a counter with the calls of a perfect agent (Taskmaster-4), read by the brain."""

from lapel.evals.taskmaster.measure import TaskmasterReport, measure_taskmaster

__all__ = ["TaskmasterReport", "measure_taskmaster"]
