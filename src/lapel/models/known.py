"""Models that can be added by name: pinned to the file that their makers published."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """`size` is in bytes, `memory_mb` what it takes while it runs."""

    name: str
    sha256: str
    size: int
    licence: str
    url: str
    memory_mb: int


KNOWN = (
    Known(
        "qwen2.5-coder-1.5b-instruct",
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        1_117_320_768,
        "Apache-2.0",
        "https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
        "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        2000,
    ),
)


def known(name: str) -> Known | None:
    """The published model of that name."""
    return next((model for model in KNOWN if model.name == name), None)
