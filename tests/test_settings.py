"""Settings: defaults, one file, the environment, and no key that does not exist."""

from pathlib import Path

import pytest

from lapel.settings import Settings, SettingsError, load

pytestmark = pytest.mark.unit


def write(folder: Path, text: str) -> Path:
    file = folder / "lapel.toml"
    file.write_text(text, "utf-8")
    return file


def test_without_a_file_the_defaults_stand(tmp_path: Path):
    assert load(tmp_path / "none.toml", {}) == Settings() == load(None, {})
    assert Settings().server.host == "127.0.0.1"


def test_the_environment_wins_over_the_file(tmp_path: Path):
    file = write(tmp_path, '[server]\nport = 1\n[commerce]\nmerchants = ["http://a"]\n')
    environment = {
        "LAPEL_SERVER__PORT": "8700",
        "LAPEL_COMMERCE__MERCHANTS": "http://b,http://c",
        "HOME": "x",
    }
    found = load(file, environment)
    assert found.server.port == 8700
    assert found.commerce.merchants == ("http://b", "http://c")


def test_limits_are_whole_minor_units(tmp_path: Path):
    file = write(tmp_path, "[commerce.max_order_minor]\nEUR = 5000\n")
    assert load(file, {}).commerce.max_order_minor == {"EUR": 5000}
    with pytest.raises(SettingsError):
        load(write(tmp_path, "[commerce.max_order_minor]\nEUR = 50.5\n"), {})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nprot = 1\n", "prot"),
        ("[sever]\nport = 1\n", "sever"),
        ('[server]\nport = "many"\n', "port"),
        ("port = [", "not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, named: str):
    with pytest.raises(SettingsError, match=named):
        load(write(tmp_path, text), {})


@pytest.mark.parametrize("name", ["LAPEL_SERVER__PROT", "LAPEL_PORT", "LAPEL_SERVER__PORT__X"])
def test_a_mistake_in_the_environment_is_an_error(name: str):
    with pytest.raises(SettingsError):
        load(None, {name: "1", "LAPEL_SERVER__PORT": "2"})


def test_variables_that_are_no_settings_are_left_alone():
    assert (
        load(None, {"LAPEL_DATA": "/recordings", "LAPEL_HOME": "/data", "LAPELS": "2"})
        == Settings()
    )
