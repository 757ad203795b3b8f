"""What a user keeps for themselves: reminders, timers and notes. Nothing here leaves the record."""

from lapel.services.personal.notes import Note, Notes
from lapel.services.personal.reminders import Due, Kind, Reminder, Reminders, TooMany
from lapel.services.personal.ringing import Ringing
from lapel.services.personal.when import (
    After,
    AlreadyPast,
    At,
    Clock,
    Date,
    Every,
    InDays,
    Moment,
    Part,
    Weekday,
    When,
    next_occurrence,
    resolve,
)
from lapel.services.personal.zone import UnknownZone, zone_of

__all__ = [
    "After",
    "AlreadyPast",
    "At",
    "Clock",
    "Date",
    "Due",
    "Every",
    "InDays",
    "Kind",
    "Moment",
    "Note",
    "Notes",
    "Part",
    "Reminder",
    "Reminders",
    "Ringing",
    "TooMany",
    "UnknownZone",
    "Weekday",
    "When",
    "next_occurrence",
    "resolve",
    "zone_of",
]
