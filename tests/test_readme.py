"""What the documents say is there, and nothing in the tree speaks of one machine."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.main import get_command
from typer.testing import CliRunner

import city.cli
import lapel.cli
from city.crash import POINTS
from city.faults import Fault, Level, rate
from lapel.settings import Settings

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


APPS = {"lapel": lapel.cli.app, "city": city.cli.app}


@dataclass(frozen=True)
class Written:
    """A command as some document has it."""

    page: Path
    line: str

    def __str__(self) -> str:
        return f"{self.page.name}: {self.line}"


def written() -> Iterator[Written]:
    """Every command in a document: after a prompt, or in a sentence as inline code."""
    for page in [*PAGES, ROOT / "CHANGELOG.md"]:
        text = page.read_text("utf-8")
        for line in re.findall(r"^\$ (.+?)(?:\s{2,}#.*)?$", text, re.MULTILINE):
            yield Written(page, line)
        for line in re.findall(r"`((?:lapel|city) [^`]+)`", text):
            yield Written(page, line)


def found(line: str) -> tuple[Any, list[str]]:
    """The command that a line calls, and its words; names in capitals and texts are arguments."""
    name, *words = re.sub(r'"[^"]*"|\'[^\']*\'', "TEXT", line).split()
    command: Any = get_command(APPS[name])
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    return command, words


def options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


COMMANDS = [w for w in written() if w.line.split()[0] in APPS]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_written_command_exists_with_its_options(command: Written):
    what, words = found(command.line)
    assert what is not get_command(APPS[command.line.split()[0]])
    own = words[: words.index("--")] if "--" in words else words  # after it stands what is run
    assert {word for word in own if word.startswith("--")} <= options(what) | {"--help"}
    if getattr(what, "commands", None):
        assert not [word for word in words if word.islower() and not word.startswith("-")]


def leaves(name: str, command: Any) -> Iterator[list[str]]:
    yield [name]
    for child, inner in getattr(command, "commands", {}).items():
        yield from ([name, *rest] for rest in leaves(child, inner))


@pytest.mark.parametrize(
    "words", [w for name, app in APPS.items() for w in leaves(name, get_command(app))], ids=" ".join
)
def test_every_command_explains_itself(words: list[str]):
    told = CliRunner().invoke(APPS[words[0]], [*words[1:], "--help"])
    assert told.exit_code == 0
    command: Any = get_command(APPS[words[0]])
    for word in words[1:]:
        command = command.commands[word]
    assert command.help
    assert all(option in told.stdout for option in options(command) if option.startswith("--"))


def test_the_city_document_names_every_option_point_and_fault():
    text = (ROOT / "docs" / "city.md").read_text("utf-8")
    up, _ = found("city up")
    assert set(re.findall(r"--[a-z][a-z-]+", text)) == options(up)
    named = text.partition("makes\nthe process kill itself")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z]+_[a-z]+)`", named)) == POINTS
    rates = re.findall(r"^\| `(\w+)` \|.*\| ([\d.]+) \| ([\d.]+) \|$", text, re.MULTILINE)
    assert {name: (float(gentle), float(rough)) for name, gentle, rough in rates} == {
        fault.value: (rate(Level.GENTLE, fault), rate(Level.ROUGH, fault)) for fault in Fault
    }


def test_settings_that_documents_name_exist():
    groups = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    for page in PAGES:
        named = re.findall(r"`(" + "|".join(groups) + r")\.(\w+)`", page.read_text("utf-8"))
        for group, name in named:
            assert name in {field.name for field in msgspec.structs.fields(groups[group])}, page


def test_the_two_first_commands_are_there_and_explain_themselves():
    assert SHOWN[:2] == ["./run", "./test"]
    told = subprocess.run([ROOT / "run", "--help"], capture_output=True, text=True, check=True)
    script = (ROOT / "run").read_text("utf-8")
    cases = " ".join(re.findall(r"^ +(-\S+)\) ", script, re.MULTILINE))
    taken = set(re.findall(r"--[a-z-]+", cases))
    assert taken >= {"--text", "--data", "--port", "--speed", "--help"}
    assert set(re.findall(r"^  (--[a-z-]+)", told.stdout, re.MULTILINE)) == taken - {"--help"}
    for page in PAGES:
        for used in re.findall(r"`\./run (--[a-z-]+)", page.read_text("utf-8")):
            assert used in taken


def test_an_unknown_option_of_run_is_refused():
    told = subprocess.run([ROOT / "run", "--fly"], capture_output=True, text=True, check=False)
    assert told.returncode != 0
    assert "--fly" in told.stderr


def test_decisions_have_numbers_of_their_own():
    numbers = Counter(page.name[:4] for page in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [number for number, count in numbers.items() if count > 1] == []


MACHINE = re.compile(r"(?<![\w.])/(?:root|work|farm|tmp/[a-z])[\w/.-]*")
INDEX = re.compile(
    r"https?://[^\s)\"']*(?:pypi|pythonhosted|npmjs|debian)|\bpypi\.org|^-.*(?:index-url|find-links)\b",
    re.IGNORECASE,
)


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
