"""The wheel is whole: built, put into a fresh environment with the pinned packages alone, and ordered with."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest

from lapel.together import Program
from lapel.together.programs import of_city

pytestmark = pytest.mark.net

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def named(requirement: str) -> str:
    """The package that a requirement is about, in the one way of writing it."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def locked(lock: str) -> set[str]:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    return {named(line) for line in lines if re.match(r"[a-z0-9]", line)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by way of the source distribution, as a package index would have it."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if uv is None:
        pytest.skip("there is no uv here; ./test installs it")
    out = tmp_path_factory.mktemp("dist")
    for network in (
        ["--offline"],
        [],
    ):  # the build tool is in the cache, if Lapel was ever installed
        built = subprocess.run(
            [uv, "build", *network, "--out-dir", str(out), str(ROOT)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if built.returncode == 0:
            break
    assert built.returncode == 0, built.stderr
    (found,) = out.glob("*.whl")
    (source,) = out.glob("*.tar.gz")
    assert source.stat().st_size < 20e6
    return found


def test_it_holds_every_file_of_both_programs(wheel: Path):
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
        (metadata,) = (name for name in packed.namelist() if name.endswith("dist-info/METADATA"))
        about = packed.read(metadata).decode()
        (entry,) = (name for name in packed.namelist() if name.endswith("entry_points.txt"))
        points = packed.read(entry).decode()
        (licence,) = (name for name in packed.namelist() if name.endswith("/LICENSE"))
        assert packed.read(licence) == (ROOT / "LICENSE").read_bytes()
    source = ROOT / "src"
    files = {
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == files
    for needed in (
        "lapel/py.typed", "city/py.typed", "city/schema.sql", "city/data/helsinki.json.gz",
        "city/data/merchants/1-blue-door.toml", "lapel/web/static/lab.html", "lapel/web/static/device/worklet.js",
        "lapel/brain/language/en.toml",
    ):  # fmt: skip
        assert needed in names
    assert any(re.fullmatch(r"lapel/store/migrations/versions/\w+\.py", name) for name in names)
    assert "License-Expression: Apache-2.0" in about
    assert "lapel = lapel.cli:main" in points
    assert "city = city.cli:main" in points


def test_what_it_needs_is_pinned():
    extras = PROJECT["optional-dependencies"]
    needed = {named(requirement) for requirement in PROJECT["dependencies"]}
    speech = {named(requirement) for requirement in extras["speech"]}
    tools = {named(requirement) for requirement in extras["dev"]}
    assert needed <= locked("requirements-text.lock")
    assert not speech & locked("requirements-text.lock")
    assert not {"pytest", "ruff", "pyright"} & locked("requirements.lock")
    assert needed | speech <= locked("requirements.lock")
    assert needed | speech | tools <= locked("requirements-dev.lock")


def test_nothing_is_imported_that_is_not_asked_for():
    """A package that comes along with another one may be gone with its next version."""
    extras = PROJECT["optional-dependencies"]
    for_users = ("speech", "understanding", "llm", "evals")
    wanted = [*PROJECT["dependencies"], *(x for name in for_users for x in extras[name])]
    asked = {named(r) for r in wanted}
    homes = packages_distributions()
    strangers: set[str] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Import(names=names):
                    tops = {alias.name.partition(".")[0] for alias in names}
                case ast.ImportFrom(module=str(module), level=0):
                    tops = {module.partition(".")[0]}
                case _:
                    continue
            for top in tops - sys.stdlib_module_names - {"lapel", "city"}:
                if not {named(home) for home in homes.get(top, [])} & asked:
                    strangers.add(f"{path.relative_to(ROOT)}: {top}")
    assert strangers == set()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's `bin`: the wheel, and what `requirements-text.lock` names, nothing else."""
    place = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    assert uv is not None
    subprocess.run(
        [uv, "pip", "install", "-q", "--offline", "--no-deps", "--python", str(python), str(wheel)], check=True
    )  # fmt: skip
    (site,) = (place / "lib").glob("python*/site-packages")
    for name in locked("requirements-text.lock"):
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # for another system
        for top in {Path(file).parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(package.locate_file(top))))
    return place / "bin"


def run(*command: object, cwd: Path) -> str:
    """What it prints, in an environment that knows nothing of this checkout."""
    clean = {"PATH": os.environ.get("PATH", ""), "HOME": str(cwd)}
    words = [str(word) for word in command]
    ended = subprocess.run(words, capture_output=True, text=True, cwd=cwd, env=clean, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_importing_it_is_light(installed: Path, tmp_path: Path):
    """What a command loads before it knows what it is to do is what everybody waits for."""
    show = "import sys, {}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    python = installed / "python"
    bare = set(run(python, "-c", show.format("json"), cwd=tmp_path).split())
    alone = set(run(python, "-c", show.format("lapel"), cwd=tmp_path).split())
    assert alone - bare <= {"lapel"}
    command = set(run(python, "-c", show.format("lapel.cli"), cwd=tmp_path).split())
    heavy = {
        "alembic", "cryptography", "dbos", "httpx", "numpy", "pydantic", "rapidfuzz", "rich", "sqlalchemy",
        "sqlite3", "starlette", "uvicorn", "websockets",
    }  # fmt: skip
    assert command & heavy == set()


def test_commands_of_the_wheel(installed: Path, tmp_path: Path):
    assert run(installed / "lapel", "version", cwd=tmp_path).strip() == PROJECT["version"]
    assert "merchants" in run(installed / "city", "--help", cwd=tmp_path)
    where = "import lapel, city; print(lapel.__file__, city.__file__)"
    for file in run(installed / "python", "-c", where, cwd=tmp_path).split():
        assert file.startswith(str(installed.parent))
    probe = "import importlib.util as u; print(u.find_spec('ctranslate2'), u.find_spec('pytest'))"
    assert run(installed / "python", "-c", probe, cwd=tmp_path).split() == ["None", "None"]


@pytest.fixture
def data(installed: Path, tmp_path: Path) -> Iterator[Path]:
    """Both programs of the wheel, running; Lapel's data folder."""
    clean = {"PATH": os.environ.get("PATH", ""), "HOME": str(tmp_path)}
    with ExitStack() as stack:
        town = Program(
            [str(installed / "city"), "up", "--json", "--port", "0", "--speed", "600", "--data",
             str(tmp_path / "city")], environment=clean,
        )  # fmt: skip
        stack.callback(town.stop)
        gateway = Program(
            [str(installed / "lapel"), "up", "--text", "--json", "--port", "0", *of_city(town.ready()), "--data",
             str(tmp_path / "lapel")], environment=clean,
        )  # fmt: skip
        stack.callback(gateway.stop)
        gateway.ready()
        yield tmp_path / "lapel"


def test_an_order_with_nothing_but_the_wheel(installed: Path, data: Path, tmp_path: Path):
    def lapel(*words: str) -> str:
        return run(installed / "lapel", *words, "--data", data, cwd=tmp_path)

    until = time.monotonic() + 30
    while len(json.loads(lapel("merchants", "--json"))) < 6:
        assert time.monotonic() < until
    asked = json.loads(lapel("ask", "two iced lattes to my office", "--json").splitlines()[-1])
    assert asked["kind"] == "approval"
    lapel("press", "--device", "ring")
    until = time.monotonic() + 60
    while (order := json.loads(lapel("orders", "--json"))[0])["state"] != "delivered":
        assert time.monotonic() < until, order
        time.sleep(0.2)
    lapel("receipt", "save", order["id"], "receipt.json")
    assert "Approved by press" in run(
        installed / "lapel", "receipt", "verify", "receipt.json", cwd=tmp_path
    )
