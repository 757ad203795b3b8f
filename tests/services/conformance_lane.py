"""Runs spck-conformance's merchant lane: `python conformance_lane.py PROFILE DESTINATION --server URL ...`.

The lane names its own profile on the internet as the platform's, and has everything sent to `{"address_country":
"US"}`. A merchant must be able to read the profile of whoever calls, and couriers need an address: PROFILE, on this
machine, and DESTINATION, a JSON object, are sent instead. Nothing else is changed.
"""

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

import spck_conformance
from spck_conformance.cli import main

OWN = "https://spck.dev/agent"
sys.path.insert(
    0, str(Path(spck_conformance.__file__).parent / "_bundle" / "conformance" / "checks")
)

import wire_shapes  # noqa: E402

profile, destination = sys.argv.pop(1), json.loads(sys.argv.pop(1))
_add_header = urllib.request.Request.add_header


def add_header(self: Any, key: str, value: str) -> None:
    _add_header(self, key, value.replace(OWN, profile) if key.lower() == "ucp-agent" else value)


urllib.request.Request.add_header = add_header  # type: ignore[method-assign]
wire_shapes.Shapes.destinations = lambda self, ctx: [{"id": "d1", **destination}]
sys.exit(main())
