"""kill -9 at every touch of the world and of a disk, restart, and count the money. Every touch of every scenario, on both engines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from commerce_checks import all_met, check, prepare
from commerce_forks import host, noted, server  # noqa: F401  # a fixture
from commerce_host import Cast
from commerce_scenarios import SCENARIOS

pytestmark = pytest.mark.crash


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_anywhere_an_order_ends_well(
    scenario, engine, tmp_path, untouched, request, record_property
):
    url = request.getfixturevalue("database") if engine == "postgresql" else None
    whole = Cast(str(tmp_path / "whole"), scenario, {"o_whole": None}, url)
    prepare(whole, untouched)
    assert host(whole) == 0
    check(whole)
    touches = noted(whole).touched["o_whole"]

    held = {f"o_{n}": touch for n, touch in enumerate(touches)}
    dying = Cast(str(tmp_path / "dying"), scenario, held, url)
    prepare(dying, untouched)
    assert host(dying) == -9
    killed = [held[id] for id in noted(dying).held]
    record_property("killed", killed)
    all_met(f"{scenario}, {engine}", touches, killed)

    again = replace(dying, held=dict.fromkeys(held), name="again")
    assert host(again) == 0, "they did not end after the kill"
    check(again)
