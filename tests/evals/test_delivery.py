"""Delivery tasks: orders made by the brain, or by whatever answers at an endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lapel.cli import app
from lapel.evals import DataError, EndpointError, measure_delivery
from lapel.evals.delivery.desk import Desk
from lapel.evals.delivery.tasks import tasks

pytestmark = pytest.mark.net

HOME, WORK = "12, Elm Lane, Northby", "Tower B, 3 Quay Street"


def product(name: str, *attributes: str) -> dict[str, Any]:
    return {
        "product_id": f"P-{name}",
        "name": name,
        "price": 4,
        "attributes": list(attributes),
        "tags": [],
    }


def store(name: str, *products: dict[str, Any]) -> dict[str, Any]:
    place = {"address": "somewhere"}
    return {
        "store_id": name,
        "name": name,
        "score": 4.5,
        "location": place,
        "tags": [],
        "products": list(products),
    }


def wanted(
    shop: str, name: str, count: int, where: str, attributes: str = "", status: str = "paid"
) -> dict[str, Any]:
    items = [{"product_id": f"P-{name}", "quantity": count, "attributes": attributes}]
    return {"store_id": shop, "location": {"address": where}, "status": status, "products": items}


def task(
    name: str, wish: str, *required: dict[str, Any], orders: dict[str, Any] | None = None
) -> dict[str, Any]:
    shops = (
        store("Fern", product("fern soup", "Hot", "Cold"), product("fern bread")),
        store("Moss", product("moss tea")),
    )
    return {
        "id": name,
        "instructions": wish,
        "environment": {
            "time": "2026-01-02 10:00:00",
            "orders": orders or {},
            "stores": {s["store_id"]: s for s in shops},
        },
        "user_scenario": {"user_profile": {"home address": HOME, "work_address": WORK}},
        "evaluation_criteria": {"expected_states": [{"required_orders": [*required]}]},
    }


OLD = wanted("Moss", "moss tea", 1, HOME)
TASKS = [
    task("first", "Two fern breads to my home, please.", wanted("Fern", "fern bread", 2, HOME.replace(",", ""))),
    task(
        "second",
        "It is cold here at work and I do not want the tea any more, but something hot.",
        {**OLD, "status": "cancelled"},
        wanted("Fern", "fern soup", 1, WORK, "Hot"),
        orders={"old": OLD},
    ),
]  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in TASKS), "utf-8")
    return path


def call(name: str, **arguments: Any) -> dict[str, Any]:
    told = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": f"call-{name}", "type": "function", "function": told}


SCRIPT = {
    "fern breads": [
        [call("list_stores"), call("list_products", store_id="Fern")],
        [call("create_order", store_id="Fern", items=[{"product_id": "P-moss tea"}], address=HOME)],
        [call("create_order", store_id="Fern", items=[{"product_id": "P-fern bread", "quantity": 2}], address=HOME)],
        [],
    ],
    "something hot": [
        [call("list_orders")],
        [call("cancel_order", order_id="old")],
        [call("create_order", store_id="Fern", items=[{"product_id": "P-fern soup", "quantity": 1, "attributes": "hot"}], address=WORK)],
        [],
    ],
}  # fmt: skip


class Scripted(BaseHTTPRequestHandler):
    """Answers chat completions with the next calls of the script of the task that it is told."""

    heard: list[dict[str, Any]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.heard.append(asked)
        told = asked["messages"][1]["content"]
        steps = next(steps for words, steps in SCRIPT.items() if words in told)
        said = sum(message["role"] == "assistant" for message in asked["messages"])
        message = {"role": "assistant", "content": "done", "tool_calls": steps[said]}
        answer = json.dumps({"choices": [{"message": message}]}).encode()
        self.send_response(200 if self.path == "/v1/chat/completions" else 404)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    Scripted.heard.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_model_at_an_endpoint_does_the_tasks_with_tools(data: Path, endpoint: str) -> None:
    report = measure_delivery(data, llm=endpoint, model="some", keep=2)
    assert [miss.made for miss in report.misses] == []
    assert (report.tasks, report.done, report.asked) == (2, 1.0, 8)
    assert {asked["model"] for asked in Scripted.heard} == {"some"}
    refused = Scripted.heard[2]["messages"][-1]
    assert "Fern has no product 'P-moss tea'" in refused["content"]


def test_the_brain_does_what_it_understands_and_nothing_else(data: Path) -> None:
    report = measure_delivery(data, keep=2)
    assert (report.done, report.wrong_orders, report.untouched) == (0.5, 0, 1)
    assert [miss.id for miss in report.misses] == ["second"]


def test_an_order_too_many_is_wrong(data: Path) -> None:
    first = next(tasks(data))
    desk = Desk(first)
    desk.create("Fern", [("P-fern bread", 2, "")], HOME)
    assert first.reached(desk.orders)
    desk.create("Moss", [("P-moss tea", 1, "")], HOME)
    assert not first.reached(desk.orders)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("fly", "{}", "no tool 'fly'"),
        ("list_products", '{"store_id": "Nowhere"}', "no store"),
        ("cancel_order", '{"order_id": "1"}', "no order"),
        ("create_order", "{", "error"),
        ("create_order", '{"store_id": "Fern", "items": [], "address": "x"}', "needs items"),
        ("create_order", '{"store_id": "Fern", "items": [{"product_id": "P-fern bread", "quantity": 0}], "address": "x"}', "quantity"),
        ("create_order", '{"store_id": "Fern", "items": [{"product_id": "P-fern soup", "attributes": "raw"}], "address": "x"}', "attributes"),
        ("create_order", '{"store_id": "Fern", "items": [{"product_id": "P-fern bread"}], "address": "the moon"}', "address must be"),
    ],
)  # fmt: skip
def test_a_desk_refuses_what_is_not_there(
    data: Path, name: str, arguments: str, words: str
) -> None:
    desk = Desk(next(tasks(data)))
    assert words in desk.call(name, arguments)
    assert desk.orders == []


def test_what_cannot_be_measured_says_why(data: Path, tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(EndpointError, match="does not answer"):
        measure_delivery(data, llm=endpoint.removesuffix("/v1"))
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": "1"}\n')
    with pytest.raises(DataError, match="line 1"):
        measure_delivery(other)
    done = CliRunner().invoke(app, ["eval", "delivery", "--data", str(data), "--json"])
    assert json.loads(done.stdout)["tasks"] == 2
