"""`lapel bench`: a crowd of wearers against a real Lapel and a real City, and their waits."""

from lapel.benchmark.crowd import Crowd, run
from lapel.benchmark.report import Report, as_json, as_text

__all__ = ["Crowd", "Report", "as_json", "as_text", "run"]
