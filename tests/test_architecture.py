"""The house: arrows point down only, public faces are complete, and nothing personal gets into a log message."""

import ast
import importlib
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"

MAY_IMPORT: dict[str, set[str]] = {
    "settings": set(),
    "store": {"settings"},
    "speech": {"settings"},
    "commerce": {"store", "settings"},
    "brain": {"commerce", "store", "settings"},
    "services": {"brain", "commerce", "store", "settings"},
    "models": {"brain"},
    "turns": {"settings"},
    "devices": {"speech", "store", "settings"},
    "assistant": {
        "devices",
        "turns",
        "brain",
        "services",
        "commerce",
        "speech",
        "store",
        "settings",
    },
    "web": {"assistant", "devices", "turns", "services", "brain", "commerce", "store", "settings"},
    "together": set(),
}
"""Package -> what it may import. `app` and `cli` know everybody and are not listed."""

EVERYBODYS = {"failures", "faults", "warming"}
"""What every room may import."""

ABOVE = {"app", "listening", "verticals", "cli", "first_run", "benchmark", "evals"}


def modules(top: str) -> list[Path]:
    return [
        path
        for path in sorted((SOURCE / top).rglob("*.py"))
        if "migrations/versions" not in str(path)
    ]


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(node.module or "")
    return found


def room(path: Path) -> str:
    return path.relative_to(SOURCE / "lapel").parts[0].removesuffix(".py")


def test_every_room_is_drawn():
    rooms = {room(path) for path in modules("lapel")} - {"__init__"}
    drawn = set(MAY_IMPORT) | EVERYBODYS | ABOVE
    assert rooms <= drawn, rooms - drawn


def test_arrows_point_down_only():
    wrong = []
    for path in modules("lapel"):
        own = room(path)
        if own in ABOVE or own == "__init__":
            continue
        for name in imported(path):
            parts = name.split(".")
            if parts[0] != "lapel" or len(parts) < 2 or parts[1] == own:
                continue
            if parts[1] not in MAY_IMPORT[own] | EVERYBODYS:
                wrong.append(f"{path.relative_to(SOURCE)} imports {name}")
    assert wrong == []


def test_consent_stands_on_commerce_and_the_store_alone():
    """What proves consent must not depend on what asks for it."""
    below = ("lapel.commerce", "lapel.store", "lapel.failures")
    wrong = [
        f"{path.name} imports {name}"
        for path in modules("lapel/commerce/consent")
        for name in imported(path)
        if name.startswith("lapel") and not name.startswith(below)
    ]
    assert wrong == []
    assert modules("lapel/commerce/consent")


def test_lapel_and_the_city_do_not_know_each_other():
    for top, other in (("lapel", "city"), ("city", "lapel")):
        wrong = [
            path for path in modules(top) for name in imported(path) if name.split(".")[0] == other
        ]
        assert wrong == []


@pytest.mark.parametrize(
    "name",
    sorted(
        path.parent.name
        for path in (SOURCE / "lapel").glob("*/__init__.py")
        if path.parent.name != "cli"
    ),
)
def test_a_public_face_is_importable(name: str):  # its order is ruff's RUF022
    face = importlib.import_module(f"lapel.{name}")
    assert len(set(face.__all__)) == len(face.__all__)
    for entry in face.__all__:
        assert getattr(face, entry) is not None


def test_files_stay_readable():
    long = {
        str(path.relative_to(ROOT)): lines
        for top in ("lapel", "city")
        for path in modules(top)
        if (lines := len(path.read_text("utf-8").splitlines())) > 600
    }
    assert long == {}


LOGGED = re.compile(r"\blog(?:ger)?\.(?:debug|info|warning|error|exception|critical)\((?P<rest>.*)")
PERSONAL = re.compile(
    r"\b(text|said|transcript|utterance|speech|note|address|owner|user_name|card)\b"
)


def test_no_message_of_a_log_holds_what_was_said():
    wrong = []
    for top in ("lapel", "city"):
        for path in modules(top):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                found = LOGGED.search(line)
                if found is None:
                    continue
                rest = re.sub(r'"[^"]*"', "", found["rest"])
                if PERSONAL.search(rest) or "{" in found["rest"].split(",")[0]:
                    wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert wrong == []


def test_importing_lapel_is_light():
    import subprocess
    import sys

    code = (
        "import sys, lapel, lapel.settings, lapel.speech, lapel.turns;"
        "print(sorted({'numpy','ctranslate2','onnxruntime','dbos','alembic','hibari'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-text.lock", "requirements-dev.lock"]
)
def test_a_lock_names_versions_and_hashes_and_no_host(name: str):
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    pinned = re.findall(r"^[a-z0-9].*$", text, re.MULTILINE)
    assert len(pinned) > 20
    assert all("==" in line and line.rstrip().endswith("\\") for line in pinned)
