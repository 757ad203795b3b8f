"""What the documents say is there, and nothing in the tree speaks of one machine."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from typer.main import get_command

from lapel.cli import app

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "bench" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
SHOWN = re.findall(
    r"^\$ (.+?)(?:\s{2,}#.*)?$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
)


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if names.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in names.stdout.splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    targets = [target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("line", [line for line in SHOWN if line.startswith("lapel ")])
def test_a_shown_command_exists_with_its_options(line: str):
    words = re.sub(r'"[^"]*"|\'[^\']*\'', "TEXT", line).split()[1:]
    command = get_command(app)
    for word in words:
        children = getattr(command, "commands", {})
        if word in children:
            command = children[word]
    known = {option for parameter in command.params for option in parameter.opts}
    assert command is not get_command(app)
    assert {word for word in words if word.startswith("--")} <= known


def test_the_two_first_commands_are_there_and_explain_themselves():
    assert SHOWN[:2] == ["./run", "./test"]
    told = subprocess.run([ROOT / "run", "--help"], capture_output=True, text=True, check=True)
    for option in ("--text", "--data", "--port", "--speed"):
        assert option in told.stdout


def test_an_unknown_option_of_run_is_refused():
    told = subprocess.run([ROOT / "run", "--fly"], capture_output=True, text=True, check=False)
    assert told.returncode != 0
    assert "--fly" in told.stderr


def test_decisions_have_numbers_of_their_own():
    numbers = Counter(page.name[:4] for page in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [number for number, count in numbers.items() if count > 1] == []


MACHINE = re.compile(r"(?<![\w.])/(?:root|work|farm|tmp/[a-z])[\w/.-]*")
INDEX = re.compile(r"https?://[^\s)\"']*(?:pypi|pythonhosted|npmjs|debian)", re.IGNORECASE)


def test_no_tracked_text_names_a_machine_or_an_index():
    wrong: list[str] = []
    for path in tracked():
        if (
            path == Path(__file__)
            or path.suffix in {".png", ".gz", ".svg", ".flac"}
            or not path.is_file()
        ):
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            if MACHINE.search(line) or INDEX.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert wrong == []
