"""Every command that fails says what happened, what it cost and what can be done, and never shows a traceback."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from lapel.cli import app, console, main
from lapel.failures import FAILURES, code_of

pytestmark = pytest.mark.unit

ALONE = {"bench", "explain", "receipt verify", "receipts verify", "up", "version"}
"""Commands that need no running Lapel."""
WORDS = {"latitude": "60.1", "longitude": "24.9", "--latitude": "60.1", "--longitude": "24.9", "--most": "5",
         "--budget": "9"}  # fmt: skip


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
            if command.invoke_without_command:
                yield f"{path}{name}", command
        else:
            yield f"{path}{name}", command


ALL = dict(commands(typer.main.get_command(app)))
ALONE |= {name for name in ALL if name.startswith(("eval ", "models"))}


def needed(name: str, tmp_path: Path) -> list[str]:
    """Words for everything that the command cannot do without."""
    given: list[str] = []
    for parameter in ALL[name].params:
        if parameter.required:
            option = parameter.opts[0] if parameter.opts[0].startswith("-") else None
            word = WORDS.get(option or parameter.name, str(tmp_path / "x.png"))
            given += [option, word] if option else [word]
    return given


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run a command that must fail; its code and what it said."""

    def run(*arguments: str, status: tuple[int, ...] = (1, 2)) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["lapel", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert ended.value.code in status, said
        happened, cost, remedy, more = said.err.strip().splitlines()
        code = code_of(more.rpartition(" ")[2])
        assert code is not None
        assert happened.startswith("lapel: ")
        assert cost.startswith("  It cost: ")
        assert remedy.startswith("  You can: ")
        assert more == f"  More:    lapel explain {code}"
        assert len(remedy) > 18
        assert "Traceback" not in said.err + said.out
        return code, said.err

    return run


def test_all_commands_are_met():
    assert len(ALL) > 30
    assert set(ALL) >= ALONE


@pytest.mark.parametrize("name", sorted(set(ALL) - ALONE))
def test_no_lapel_runs(name: str, refused, tmp_path: Path):
    (tmp_path / "x.png").write_bytes(b"P5\n1 1\n255\n\0")
    code, said = refused(*name.split(), *needed(name, tmp_path), "--data", str(tmp_path))
    assert code == "not_running"
    assert "lapel up" in said


@pytest.mark.parametrize(
    "name", sorted(set(ALL) - {"services add"})
)  # it takes the words of a program
def test_an_option_that_does_not_exist(name: str, refused):
    code, said = refused(*name.split(), "--no-such-option", status=(2,))
    assert code == "unknown_option"
    assert f"`lapel {name} --help`" in said


def test_a_command_that_does_not_exist(refused):
    assert "nosuch" in refused("nosuch", status=(2,))[1]


@pytest.mark.parametrize(
    "name", ["orders", "link", "devices", "ask x", "receipts export /dev/null"]
)
@pytest.mark.parametrize("written", ["{", "[]", "{}", '"x"', '{"url": 1}', "\x00"])
def test_a_folder_that_names_no_lapel(name: str, written: str, refused, tmp_path: Path):
    (tmp_path / "running.json").write_text(written)
    (tmp_path / "token").write_text("t")
    assert refused(*name.split(), "--data", str(tmp_path))[0] == "bad_file"


def test_a_lapel_that_is_gone(refused, tmp_path: Path):
    (tmp_path / "running.json").write_text('{"url": "http://127.0.0.1:1"}')
    (tmp_path / "token").write_text("t")
    for name in sorted(set(ALL) - ALONE - {"link"}):
        (tmp_path / "x.png").write_bytes(b"P5\n1 1\n255\n\0")
        code, _ = refused(*name.split(), *needed(name, tmp_path), "--data", str(tmp_path))
        assert code == "not_running", name


def test_a_disk_that_is_full(refused, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(console.Running, "content", lambda *_, **__: b"x")
    monkeypatch.setattr("lapel.cli.receipts.running", lambda _: console.Running("http://x", "t"))
    monkeypatch.setattr(Path, "write_bytes", full)
    code, said = refused("receipts", "export", "no.jsonl")
    assert (code, "No space left" in said) == ("bad_file", True)


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [(1250, "EUR", "12.50 EUR"), (1250, "JPY", "1250 JPY"), (1250, "KWD", "1.250 KWD")],
)
def test_a_scan_says_the_amount_as_its_currency_has_it(
    minor: int, currency: str, shown: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    found = {"payee": {"name": "Kiosk", "handle": "@kiosk"}, "amount": minor, "currency": currency}
    monkeypatch.setattr("lapel.cli.pay.running", lambda _: console.Running("http://x", "t"))
    monkeypatch.setattr(console.Running, "send", lambda *_: found)
    (tmp_path / "code.pgm").write_bytes(b"P5\n1 1\n255\n\0")
    said = CliRunner().invoke(app, ["scan", str(tmp_path / "code.pgm")]).output
    assert said == f"{shown} to Kiosk (@kiosk): confirm it on a screen.\n"


def test_a_fault_is_named_without_its_words(refused, monkeypatch: pytest.MonkeyPatch):
    def broken(_: object) -> console.Running:
        raise KeyError("what the user said")

    monkeypatch.setattr("lapel.cli.show.running", broken)
    code, said = refused("orders")
    assert code == "fault"
    assert "KeyError" in said
    assert "what the user said" not in said


def test_explain_says_all_three(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for code, row in FAILURES.items():
        monkeypatch.setattr(sys, "argv", ["lapel", "explain", code])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().out
        assert ended.value.code == 0
        assert all(part in said for part in (row.happened, row.cost, row.remedy))


def test_files_that_are_none(refused, tmp_path: Path):
    file = tmp_path / "x"
    file.write_bytes(b"\xff\x00 no receipt")
    for command in ("receipt", "receipts"):
        assert "NOT valid" in refused(command, "verify", str(file))[1]
        assert refused(command, "verify", str(tmp_path / "none"))[0] == "bad_file"
    assert refused("scan", str(file))[0] == "bad_picture"
    assert refused("explain", "nosuch")[0] == "unknown"
