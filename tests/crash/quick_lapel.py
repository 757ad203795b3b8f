"""`lapel`, but more patient with a City that dies again and again, and quicker to ask it again."""

from __future__ import annotations

from functools import partial

import lapel.app
from lapel.cli import main
from lapel.commerce import Policy

MANY = 1000

lapel.app.Policy = partial(  # type: ignore[misc,assignment]
    Policy,
    quote_attempts=MANY,
    pay_attempts=MANY,
    place_attempts=MANY,
    cancel_attempts=MANY,
    refund_attempts=MANY,
    retry_s=0.1,
    retry_most_s=0.2,
    long_retry_s=0.2,
    long_retry_most_s=0.4,
    track_first_s=0.3,
    track_s=0.4,
    track_most_s=0.8,
)

if __name__ == "__main__":
    main()
