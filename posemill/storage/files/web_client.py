"""The client for web servers: no way from https to http, waits that end, bytes as they are."""

from __future__ import annotations

import os
from typing import Any

from posemill.errors import InputError, MissingDependency

_CONNECT_SECONDS = 20.0
_SILENCE_SECONDS = 45.0
"""Shorter than the supervisor's patience: a silent server is no fault of the video."""
_ALLOW = "POSEMILL_ALLOW_HTTP"


def require_web(scheme: str) -> None:
    """Raises:
    MissingDependency: aiohttp is not installed.
    InputError: plain http is not allowed here.
    """
    try:
        import aiohttp  # noqa: F401  the file system of fsspec needs it
    except ImportError as error:
        raise MissingDependency("aiohttp", "remote", f"A video at {scheme}://") from error
    if scheme == "http" and not _http_is_allowed():
        raise InputError(
            "http:// is not taken: whoever is on the way may read and change the video. Expected "
            f"https://; or set {_ALLOW}=1, e.g. for a server in your own network."
        )


def open_web() -> Any:
    """fsspec's file system of web servers, with our own client."""
    from fsspec.implementations.http import HTTPFileSystem

    return HTTPFileSystem(get_client=_client, encoded=True, skip_instance_cache=True)


def _http_is_allowed() -> bool:
    return os.environ.get(_ALLOW, "") == "1"


async def _client(**options: Any) -> Any:
    import aiohttp

    async def refuse_http(request: Any, handler: Any) -> Any:
        """Also where a server sends us on."""
        if request.url.scheme != "https" and not _http_is_allowed():
            raise aiohttp.ClientError(f"it sends us to {request.url.scheme}:, which is not taken")
        return await handler(request)

    return aiohttp.ClientSession(
        **options,
        headers={"Accept-Encoding": "identity"},
        middlewares=(refuse_http,),
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS
        ),
        trust_env=True,
    )
