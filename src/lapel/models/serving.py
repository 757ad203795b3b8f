"""The child process that runs a local model: llama.cpp behind the OpenAI API, on loopback alone.

It prints its address once it answers, and ends when its input ends, so that it never outlives
Lapel. A crash of the engine takes nothing else with it, and its memory goes back when it ends.
"""

from __future__ import annotations

import os
import sys
from typing import Any, cast

SLOT_TOKENS = 4096
"""Of the tools, the examples and what was said together."""


def main(file: str, key: str) -> None:
    """Serve `file` to who knows `key`, until the input ends."""
    import xllamacpp

    engine = cast("Any", xllamacpp)
    wanted = engine.CommonParams()
    wanted.model.path = file
    wanted.hostnames = ["127.0.0.1"]
    wanted.port = 0
    wanted.n_ctx = SLOT_TOKENS
    wanted.n_parallel = 1
    # Half of the processors, and nobody spins: hearing must not wait for thinking.
    wanted.cpuparams.n_threads = max(1, min(8, (os.cpu_count() or 1) // 2))
    wanted.cpuparams.poll = 0
    wanted.api_keys = [key]
    wanted.verbosity = -1
    server = engine.Server(wanted)
    print(server.listening_address, flush=True)
    sys.stdin.read()
    os._exit(0)  # the engine would first end what it is about to say


if __name__ == "__main__":
    main(sys.argv[1], os.environ["LAPEL_MODEL_KEY"])
