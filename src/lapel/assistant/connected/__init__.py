"""Asking MCP servers by words: which tool, with which arguments, and a yes before it acts."""

from lapel.assistant.connected.skill import ConnectedSkill
from lapel.assistant.connected.wording import told, unknown

__all__ = ["ConnectedSkill", "told", "unknown"]
