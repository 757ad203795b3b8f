"""Every failure that a user can meet: what happened, what it cost, what can be done.

A new code is named in `codes.Code` (else pyright refuses it) and gets its row in one of the tables
(else the tests do). What is said, shown and printed of it is composed from there.
"""

from lapel.failures.codes import Code
from lapel.failures.model import Failure, Section, Way
from lapel.failures.table import FAILURES, SECTIONS, code_of

__all__ = ["FAILURES", "SECTIONS", "Code", "Failure", "Section", "Way", "code_of"]
