"""kill -9 at every touch of the world and of a disk, restart, and count the money. Every touch of every scenario, on both engines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from commerce_checks import check, dies_everywhere, ended, prepare
from commerce_forks import host, noted, server  # noqa: F401  # a fixture
from commerce_host import Cast
from commerce_scenarios import SCENARIOS

pytestmark = pytest.mark.crash


@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_anywhere_an_order_ends_well(scenario, engine, tmp_path, untouched, request):
    url = request.getfixturevalue("database") if engine == "postgresql" else None
    whole = Cast(str(tmp_path / "whole"), scenario, {"o_whole": None}, url)
    prepare(whole, untouched)
    assert host(whole) == 0
    check(whole)
    touches = noted(whole).touched["o_whole"]

    def dies(dying: Cast) -> None:
        prepare(dying, untouched)
        ended(dying, host(dying))
        again = replace(dying, held=dict.fromkeys(dying.held), name="again")
        assert host(again) == 0, "they did not end after the kill"
        check(again)

    cast = Cast(str(tmp_path / "dying"), scenario, {}, url)
    dies_everywhere(f"{scenario}, {engine}", cast, touches, dies)
