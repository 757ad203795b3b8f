"""What can go wrong in the City; each error has a stable `code`.

CityError
  ProtocolError    a request that breaks a protocol: answered with an HTTP status, nothing happened
  BankRefusal      the bank says no; `status` is the HTTP status it answers with
  DataError        a merchant's file or the database cannot be used
"""

from __future__ import annotations


class CityError(Exception):
    """`code` is stable; the text says what failed and what to do next."""

    code = "city_error"

    def __init__(self, text: str, *, code: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.code = code or self.code


class ProtocolError(CityError):
    code = "invalid_request"

    def __init__(self, text: str, *, code: str = "", status: int = 400) -> None:
        super().__init__(text, code=code)
        self.status = status


class BankRefusal(CityError):
    code = "refused"

    def __init__(self, text: str, *, code: str, status: int) -> None:
        super().__init__(text, code=code)
        self.status = status


class DataError(CityError):
    code = "bad_data"
