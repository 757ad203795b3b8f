import pytest

from lapel.commerce.ports import Nonsense
from lapel.services.urls import authority_of, check, check_page, is_loopback, origin_of

pytestmark = pytest.mark.unit

SHOP = "https://shop.example/.well-known/ucp"
LOCAL = "http://127.0.0.1:8701/.well-known/ucp"


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://Shop.EXAMPLE/x", "shop.example"),
        ("https://shop.example:443/x", "shop.example"),
        ("http://127.0.0.1:80", "127.0.0.1"),
        ("http://127.0.0.1:8701/x", "127.0.0.1:8701"),
        ("http://[::1]:8701/x", "[::1]:8701"),
    ],
)
def test_authority(url: str, authority: str):
    assert authority_of(url) == authority


def test_origin():
    assert origin_of("https://Shop.example:443/a?b") == "https://shop.example"


@pytest.mark.parametrize(
    "url", ["https://shop.example/a", LOCAL, "http://localhost:1/", "https://8.8.8.8/"]
)
def test_what_may_be_called(url: str):
    assert check(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "//shop.example/",
        "/relative",
        "",
        "https://",
        "https://user:pass@shop.example/",
        "https://shop.example/a b",
        "https://shop.example/\n",
        "https://shop.example:99999/",
        "https://shop.example/" + "a" * 3000,
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1.evil.example/",
        "https://[bad/",
    ],
)
def test_what_is_never_called(url: str):
    with pytest.raises(Nonsense) as refused:
        check(url)
    assert refused.value.code == "unsafe_url"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8600/api",
        "https://localhost/",
        "https://127.1.2.3/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
    ],
)
def test_a_merchant_out_there_cannot_point_inside(url: str):
    with pytest.raises(Nonsense):
        check(url, named_by=SHOP)


def test_a_merchant_on_loopback_may_name_loopback():
    assert check("http://127.0.0.1:8700/bank", named_by=LOCAL)
    assert is_loopback(LOCAL)


@pytest.mark.parametrize(
    ("page", "merchant", "fine"),
    [
        ("https://shop.example/c/1", "https://shop.example/.well-known/ucp", True),
        ("https://pay.shop.example/c/1", "https://shop.example/.well-known/ucp", True),
        ("https://checkout.shop.example", "https://www.shop.example/.well-known/ucp", True),
        ("https://SHOP.example./c", "https://shop.example/.well-known/ucp", True),
        ("http://127.0.0.1:8701/c", "http://127.0.0.1:8701/.well-known/ucp", True),
        ("http://127.0.0.1:8702/c", "http://127.0.0.1:8701/.well-known/ucp", False),
        ("http://shop.example/c", "https://shop.example/.well-known/ucp", False),
        ("https://evil.example/c", "https://shop.example/.well-known/ucp", False),
        ("https://shop.example.evil.example", "https://shop.example/.well-known/ucp", False),
        ("https://notshop.example", "https://shop.example/.well-known/ucp", False),
        ("https://b.shops.example", "https://a.shops.example/.well-known/ucp", False),
        ("https://example/c", "https://shop.example/.well-known/ucp", False),
        ("https://127.0.0.1/c", "https://shop.example/.well-known/ucp", False),
        ("https://shop.example@evil.example", "https://shop.example/.well-known/ucp", False),
        ("javascript:alert(1)", "https://shop.example/.well-known/ucp", False),
        ("/relative", "https://shop.example/.well-known/ucp", False),
    ],
)
def test_which_pages_a_merchant_may_send_the_user_to(page: str, merchant: str, fine: bool):
    if fine:
        assert check_page(page, named_by=merchant) == page
    else:
        with pytest.raises(Nonsense):
            check_page(page, named_by=merchant)
