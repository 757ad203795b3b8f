"""Orders that others smuggle into what is read, against an agent that obeys each of them."""

from lapel.evals.injection.cases import Case, Task, load
from lapel.evals.injection.measure import InjectionReport, measure_injection

__all__ = ["Case", "InjectionReport", "Task", "load", "measure_injection"]
