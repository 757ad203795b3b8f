import pytest

from lapel.commerce.ports import Nonsense, Refused, Unreachable
from lapel.services import RetryingMerchants, RetryingPayments

pytestmark = pytest.mark.unit


class Shaky:
    """Fails with the given errors, then answers; notes the keys it was called with."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.keys: list[str] = []

    async def cancel_checkout(self, merchant_id: str, checkout_id: str, key: str) -> str:
        self.keys.append(key)
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def release(self, user_id: str, target: object, authorization_id: str, key: str) -> str:
        return await self.cancel_checkout(user_id, authorization_id, key)


async def run(shaky: Shaky) -> tuple[object, list[float]]:
    slept: list[float] = []

    async def sleep(pause_s: float) -> None:
        slept.append(pause_s)

    merchants = RetryingMerchants(shaky, pauses_s=(0.5, 2.0), sleep=sleep)  # type: ignore[arg-type]
    try:
        return await merchants.cancel_checkout("m", "c", "key"), slept
    except Exception as error:  # the outcome is what is looked at
        return error, slept


async def test_silence_is_repeated_with_the_same_key():
    shaky = Shaky(Unreachable("1"), Unreachable("2"))
    assert await run(shaky) == ("done", [0.5, 2.0])
    assert shaky.keys == ["key"] * 3


async def test_patience_ends():
    last = Unreachable("3")
    shaky = Shaky(Unreachable("1"), Unreachable("2"), last, Unreachable("4"))
    assert (await run(shaky))[0] is last
    assert len(shaky.keys) == 3


@pytest.mark.parametrize("error", [Refused("no"), Nonsense("?"), ValueError("ours")])
async def test_nothing_else_is_repeated(error: Exception):
    shaky = Shaky(error)
    assert await run(shaky) == (error, [])


async def test_payments_too():
    shaky = Shaky(Unreachable("1"))

    async def sleep(pause_s: float) -> None: ...

    payments = RetryingPayments(shaky, sleep=sleep)  # type: ignore[arg-type]
    assert await payments.release("u", None, "a", "key") == "done"  # type: ignore[arg-type]
    assert shaky.keys == ["key", "key"]
