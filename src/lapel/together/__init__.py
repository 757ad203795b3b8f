"""Running Lapel and the City side by side, as two programs that know each other by URLs alone."""

from lapel.together.programs import NotReady, Program, city, lapel

__all__ = ["NotReady", "Program", "city", "lapel"]
