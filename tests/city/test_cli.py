"""The `city` command, its pages, and what it refuses."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.net


def _city(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "city", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


async def test_pages(city, platform):
    page = (await platform.http.get(f"{city.base}/")).text
    assert "<svg" in page
    assert "OpenStreetMap" in page
    assert "Blue Door Coffee" in page
    part = (await platform.http.get(f"{city.base}/?part")).text
    assert part.startswith("<header>")
    menu = (await platform.http.get(f"{city.coffee}/")).text
    assert "Iced latte" in menu
    for path in ("/o/nothing", "/checkout/nothing"):
        assert (await platform.http.get(f"{city.coffee}{path}")).status_code == 404
    checkout = await platform.create(city.coffee, [{"item": {"id": "latte"}, "quantity": 1}])
    assert (await platform.http.get(checkout["continue_url"])).status_code == 200
    for link in checkout["links"]:
        assert (await platform.http.get(link["url"])).status_code == 200


async def test_directory_and_addresses_can_be_ordered_to(city, platform):
    shops = (await platform.http.get(f"{city.base}/directory")).json()["merchants"]
    assert [s["url"] for s in shops] == [*city.urls["merchants"], *city.urls["stores"]]
    places = (await platform.http.get(f"{city.base}/city/addresses")).json()["addresses"]
    assert {"office", "home"} <= {p["label"] for p in places}
    for place in places:
        sent = {k: v for k, v in place.items() if k != "label"}
        checkout = await platform.create(
            city.coffee, [{"item": {"id": "latte"}, "quantity": 3}], sent
        )
        assert checkout["status"] == "ready_for_complete", place
    schema = (await platform.http.get(f"{city.base}/schemas/food_modifiers.json")).json()
    assert schema["name"] == "dev.lapel.food.modifiers"


async def test_speed_can_be_set(city, platform):
    answer = await platform.http.post(f"{city.base}/city/speed", json={"speed": 600})
    assert answer.json() == {"speed": 600.0}
    assert (await platform.http.get(f"{city.base}/city/state")).json()["speed"] == 600.0


def test_one_folder_one_city(city):
    second = _city("up", "--data", str(city.data), "--port", "0")
    assert second.returncode == 1
    assert "already_running" in second.stderr
    assert _city("reset", "--data", str(city.data)).returncode == 1


def test_merchants_are_listed(city):
    listed = _city("merchants", "--data", str(city.data))
    assert listed.returncode == 0
    assert city.coffee in listed.stdout


def test_reset_empties(tmp_path, tools):
    running = tools.CityProcess(tmp_path).start()
    assert running.stop() == 0
    assert (tmp_path / "city.sqlite3").exists()
    assert _city("reset", "--data", str(tmp_path)).returncode == 0
    assert not (tmp_path / "city.sqlite3").exists()


def test_a_host_beyond_loopback_must_be_meant(tmp_path):
    refused = _city("up", "--data", str(tmp_path), "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 1
    assert "remote_refused" in refused.stderr


async def test_controls_are_off_unless_allowed(tmp_path, tools, platform):
    running = tools.CityProcess(tmp_path)
    running.controls = False
    running.start()
    try:
        for path, body in (("faults", {"fault": "slow"}), ("kill_at", {"point": "in_order"})):
            answer = await platform.http.post(f"{running.base}/city/{path}", json=body)
            assert answer.status_code == 403
    finally:
        running.stop()
