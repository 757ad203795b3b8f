"""What reminders, timers and notes understand, and what they leave to others."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from lapel.assistant.grammar import Grammar
from lapel.assistant.personal import load_words, requests
from lapel.assistant.personal.reading import (
    Request,
    answer_duration,
    answer_when,
    is_never_mind,
)
from lapel.services.personal import AlreadyPast, resolve

pytestmark = pytest.mark.unit

HELSINKI = ZoneInfo("Europe/Helsinki")
NOW = datetime(2026, 12, 1, 10, 0, tzinfo=HELSINKI).timestamp()
WORDS = load_words()
CORPUS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "data" / "personal.yaml").read_text("utf-8")
)


def shown(request: Request) -> str:
    parts = [request.name]
    if request.text:
        parts.append(f"[{request.text}]")
    if request.seconds:
        parts.append(f"{request.seconds:g}s")
    if request.when is not None:
        moment = resolve(request.when, NOW, HELSINKI)
        due = datetime.fromtimestamp(moment.due_at, HELSINKI)
        parts.append(f"{due.day} {due:%b %H:%M}")
        if moment.rule:
            parts.append(dict(part.split("=") for part in moment.rule.split(";"))["BYDAY"])
    return " ".join(parts)


@pytest.mark.parametrize("case", CORPUS["claims"], ids=lambda case: case["say"])
def test_it_is_understood(case: dict[str, Any]):
    found = requests(case["say"], WORDS)
    assert found is not None
    assert [shown(request) for request in found] == case["is"]


@pytest.mark.parametrize("text", CORPUS["leaves"])
def test_it_is_left_to_others(text: str):
    assert requests(text, WORDS) is None


def test_the_corpora_are_large_enough():
    assert len(CORPUS["claims"]) >= 60
    assert len(CORPUS["leaves"]) >= 60


@pytest.mark.parametrize(
    "lead", ["if ", "she said ", "I never said ", "do not ", "what if you ", "yesterday you "]
)
@pytest.mark.parametrize(
    "case",
    [c for c in CORPUS["claims"] if not c["say"].startswith("don't")],
    ids=lambda c: c["say"],
)
def test_no_request_is_one_in_somebody_elses_mouth(lead: str, case: dict[str, Any]):
    assert requests(lead + case["say"], WORDS) is None


def test_answers_to_questions():
    when = answer_when("at six, please", WORDS)
    assert when is not None
    assert datetime.fromtimestamp(resolve(when, NOW, HELSINKI).due_at, HELSINKI).hour == 18
    assert answer_when("7", WORDS) is not None
    assert answer_when("two lattes to my office", WORDS) is None
    assert answer_duration("for ten minutes", WORDS) == 600
    assert answer_duration("a latte", WORDS) is None
    assert is_never_mind("never mind", WORDS)
    assert not is_never_mind("a latte, never mind the foam", WORDS)


def test_a_time_of_today_that_is_over_is_said_to_be():
    found = requests("remind me today at 9 am to run", WORDS)
    assert found is not None
    assert found[0].when is not None
    with pytest.raises(AlreadyPast):
        resolve(found[0].when, NOW, HELSINKI)


def test_words_without_end_are_left_quickly():
    assert requests("remind me at six to " + "buy milk and " * 400, WORDS) is None


@pytest.mark.parametrize("text", ["(a|b", "a)", "{nothing}", "a|b"])
def test_a_broken_template_is_refused(text: str):
    with pytest.raises(ValueError, match=r".+"):
        Grammar({"rule": {"key": [text]}})
