"""What `./run` starts: the City and Lapel, one link, one Ctrl-C.

Lapel is handed the City's URLs and nothing else; who has real merchants starts `lapel up` alone.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType

from lapel.together.programs import NotReady, Program, city, lapel


def main(arguments: Sequence[str] | None = None) -> int:
    """Start both, wait, stop both; the status of the one that ended first."""
    parser = argparse.ArgumentParser(prog="lapel.together")
    parser.add_argument("--city-port", default="8700")
    parser.add_argument("--city-args", default="")
    parser.add_argument("lapel", nargs="*")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    programs: list[Program] = []
    try:
        print("Starting the City ...", file=sys.stderr)
        town = city("--port", options.city_port, *shlex.split(options.city_args))
        programs.append(town)
        urls = town.ready()
        print(f"The City is at {urls['city']}\nStarting Lapel ...", file=sys.stderr)
        gateway = lapel(urls, *options.lapel)
        programs.append(gateway)
        found = gateway.ready()
        print(
            f"\n  Lapel is ready. Open this link:\n\n    {found['url']}/?token={found['token']}\n"
        )
        print("  Ctrl-C stops both.", flush=True)
        return _wait(programs)
    except KeyboardInterrupt:
        print("\nStopping ...", file=sys.stderr)
        return 0
    except NotReady as error:
        print(f"lapel: {error}", file=sys.stderr)
        return 1
    finally:
        # Lapel first, so that it is not left talking to shops that are gone.
        for program in reversed(programs):
            program.stop()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _wait(programs: list[Program]) -> int:
    while True:
        for program in programs:
            status = program.ended()
            if status is not None:
                print("lapel: a program ended by itself", file=sys.stderr)
                return status or 1
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
