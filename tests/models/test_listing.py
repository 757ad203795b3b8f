"""The list of models: order, keys that nobody else can read, addresses that are safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from lapel.models import Endpoint, Gguf, Listing, ModelRefused, ModelUnknown, checked_url

pytestmark = pytest.mark.unit

QWEN = Endpoint("qwen", "https://models.example/v1", "qwen-plus")


def test_the_order_is_the_order_of_the_list(tmp_path: Path):
    listing = Listing(tmp_path)
    assert listing.all() == ()
    listing.add(QWEN)
    listing.add(Gguf("small", "small.gguf", "0" * 64, 5))
    listing.add(Endpoint("near", "http://127.0.0.1:1/v1", "m"), first=True)
    assert [model.name for model in Listing(tmp_path).all()] == ["near", "qwen", "small"]
    listing.first("small")
    assert [model.name for model in Listing(tmp_path).all()] == ["small", "near", "qwen"]


def test_another_process_changes_the_list(tmp_path: Path):
    mine, theirs = Listing(tmp_path), Listing(tmp_path)
    mine.add(QWEN)
    assert theirs.all() == (QWEN,)
    mine.remove("qwen")
    assert theirs.all() == ()


def test_keys_are_for_the_owner_alone(tmp_path: Path):
    listing = Listing(tmp_path)
    listing.add(QWEN, key="sk-secret")
    path = tmp_path / "models" / "qwen.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"sk-secret" not in (tmp_path / "models" / "list.json").read_bytes()
    assert listing.key_of(QWEN, {}) == "sk-secret"
    path.chmod(0o644)
    with pytest.raises(ModelRefused, match="read by others"):
        listing.key_of(QWEN, {})
    path.chmod(0o600)
    listing.remove("qwen")
    assert not path.exists()


def test_a_key_of_the_environment(tmp_path: Path):
    model = Endpoint("qwen", "https://models.example/v1", "m", key_env="MY_KEY")
    assert Listing(tmp_path).key_of(model, {"MY_KEY": "abc"}) == "abc"
    assert Listing(tmp_path).key_of(model, {}) == ""


def test_names_are_fit_for_files_and_given_once(tmp_path: Path):
    listing = Listing(tmp_path)
    listing.add(QWEN)
    for name in ("qwen", "../up", "A", "", "list.json/x"):
        with pytest.raises(ModelRefused):
            listing.add(Endpoint(name, QWEN.url, "m"))
    with pytest.raises(ModelUnknown):
        listing.remove("other")


def test_a_list_that_is_broken_says_so(tmp_path: Path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "list.json").write_text('[{"type": "endpoint", "nmae": "x"}]')
    with pytest.raises(ModelRefused, match=r"list\.json"):
        Listing(tmp_path).all()


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://api.example/v1/", "https://api.example/v1"),
        ("https://api.example/v1/chat/completions", "https://api.example/v1"),
        ("http://localhost:11434/v1", "http://localhost:11434/v1"),
    ],
)
def test_addresses(url: str, safe: str):
    assert checked_url(url) == safe


@pytest.mark.parametrize(
    "url",
    [
        "http://gpu.lan/v1",
        "ftp://x/v1",
        "api.example",
        "https://me:pw@api.example/v1",
        "https://a.example/?key=1",
    ],
)
def test_addresses_that_are_not_safe(url: str):
    with pytest.raises(ModelRefused):
        checked_url(url)


def test_a_network_of_ones_own():
    assert checked_url("http://gpu.lan/v1", plain=True) == "http://gpu.lan/v1"
