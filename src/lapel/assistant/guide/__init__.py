"""Finding the way: what is understood of maps, what is shown, and guidance turn by turn."""

from lapel.assistant.guide.skill import GuideSkill, asked

__all__ = ["GuideSkill", "asked"]
