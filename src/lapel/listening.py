"""Where Lapel listens: the socket, who may reach it, its certificate, the web server's settings."""

from __future__ import annotations

import ipaddress
import socket
import ssl

import uvicorn
from starlette.applications import Starlette

from lapel.failures import Code
from lapel.settings import Settings

BACKLOG = 512


class StartError(Exception):
    """Lapel cannot start; the text says why."""

    def __init__(self, text: str, *, code: Code = "cannot_start") -> None:
        super().__init__(text)
        self.code: Code = code


def url_of(settings: Settings, port: int) -> str:
    """Where this machine reaches the gateway; who listens everywhere listens on loopback too."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.server.host, settings.server.host)
    scheme = "https" if settings.server.tls_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def refuse_open_door(settings: Settings) -> None:
    server = settings.server
    if server.tls_certificate or server.allow_plain_remote or _is_loopback(server.host):
        return
    raise StartError(
        f"{server.host!r} is not loopback: everybody on the network could listen in. Set "
        "server.tls_certificate and server.tls_key, or pass --allow-plain-remote"
    )


def check_certificate(settings: Settings) -> None:
    server = settings.server
    if not server.tls_certificate and not server.tls_key:
        return
    try:
        # A key with a password would make the server wait for somebody to type it.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            server.tls_certificate, server.tls_key or None, password=lambda: ""
        )
    except OSError as error:
        raise StartError(
            f"server.tls_certificate {server.tls_certificate!r} and server.tls_key "
            f"{server.tls_key!r} cannot be used ({error.strerror or error}); both must be PEM "
            "files that belong together, without a password"
        ) from error


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(settings: Settings) -> socket.socket:
    host, port = settings.server.host, settings.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle off: 40 ms less on every small answer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # From now on callers wait in the queue instead of being refused: orders that go on after a
        # crash may reach a merchant, who asks for our profile, before the server is up.
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise StartError(
            f"cannot listen on {host}:{port} ({error.strerror})", code="port_taken"
        ) from error
    return listening


def server_config(app: Starlette, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=1 << 17,
        ws_ping_interval=None,  # the protocol has its own heartbeat, which devices can hold
        ssl_certfile=settings.server.tls_certificate or None,
        ssl_keyfile=settings.server.tls_key or None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
    )
