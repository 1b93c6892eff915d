"""Fetches a file from a web server, streaming."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from posemill.errors import WeightsUnavailable

OnBytes = Callable[[int, int | None], None]
"""Hears how many bytes have come, and how many there will be where the server says so."""

_CHUNK_BYTES = 1 << 20
_SILENCE_SECONDS = 60.0


def download(url: str, target: Path, on_bytes: OnBytes) -> None:
    """Write what is at `url` to the new file `target`.

    Raises:
        WeightsUnavailable: the server cannot be reached, refuses, or breaks off.
        OSError: the file cannot be written.
    """
    received = 0
    with target.open("xb") as file:
        response = _open(url)
        with response:
            length = response.headers.get("Content-Length", "")
            expected = int(length) if length.isdecimal() else None
            while chunk := _read(response, url, received):
                file.write(chunk)
                received += len(chunk)
                on_bytes(received, expected)
    if expected is not None and received != expected:
        raise _unreachable(url, f"the server broke off after {received} of {expected} bytes")


def _open(url: str) -> HTTPResponse:
    request = Request(url, headers={"User-Agent": "posemill"})  # noqa: S310 (http(s), see WebFile)
    try:
        return cast(HTTPResponse, urlopen(request, timeout=_SILENCE_SECONDS))  # noqa: S310
    except HTTPError as error:
        error.close()
        raise _unreachable(url, f"the server says {error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        raise _unreachable(url, str(getattr(error, "reason", error))) from error


def _read(response: HTTPResponse, url: str, received: int) -> bytes:
    try:
        return response.read(_CHUNK_BYTES)
    except (OSError, HTTPException) as error:
        raise _unreachable(url, f"it broke off after {received} bytes: {error}") from error


def _unreachable(url: str, reason: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"{url} could not be fetched: {reason}; check the network and its proxy (HTTPS_PROXY), or "
        "fetch it on another machine and give the file with --weights PATH"
    )
