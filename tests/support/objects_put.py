"""Puts objects into the test session's bucket."""

from __future__ import annotations

import obstore
from obstore.store import S3Store


def put_object(address: str, data: bytes) -> str:
    """Write the object at `s3://bucket/key`; its address."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    obstore.put(S3Store(bucket, client_options={"allow_http": True}), key, data)
    return address
