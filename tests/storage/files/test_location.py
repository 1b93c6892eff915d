"""What is taken as a video's place, and what is refused."""

from __future__ import annotations

import pytest

from posemill.errors import InputError
from posemill.storage.files.location import Location, join, relative_uri


@pytest.mark.parametrize(
    ("text", "scheme", "member", "suffix"),
    [
        ("/data/a.MP4", "", "", ".mp4"),
        ("/data/a#1.mp4", "", "", ".mp4"),
        ("/data/concat:a|b.mp4", "", "", ".mp4"),
        ("/data/file:x::y.mp4", "", "", ".mp4"),
        ("/data/x.tar#a/b.webm", "", "a/b.webm", ".webm"),
        ("/data/x.tar", "", "", ".tar"),
        ("s3://bucket/a/b c#1?x.mp4", "s3", "", ".mp4"),
        ("s3://bucket/x.tar#a.mp4", "s3", "a.mp4", ".mp4"),
        ("gs://bucket/a.mkv", "gs", "", ".mkv"),
        ("https://host.org:8443/v/a.mp4?sig=1%2F2&x=a.b", "https", "", ".mp4"),
        ("https://[::1]:80/a.mp4", "https", "", ".mp4"),
        ("http://127.0.0.1/x.tar?sig=1#a/b.mp4", "http", "a/b.mp4", ".mp4"),
    ],
)
def test_a_place_is_a_file_an_address_or_a_member(
    text: str, scheme: str, member: str, suffix: str
) -> None:
    location = Location.parse(text)
    assert (location.scheme, location.member, location.suffix) == (scheme, member, suffix)
    assert str(location) == text
    assert Location.parse(str(location)) == location
    assert location.whole.member == ""
    assert str(location).startswith(location.whole.place)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.mp4", "a relative path"),
        ("../a.mp4", "a relative path"),
        ("simplecache::https://host/a.mp4", "not chained"),
        ("filecache::s3://bucket/a.mp4", "not chained"),
        ("https://host/a.mp4::s3://bucket/b.mp4", "not chained"),
        ("s3://bucket/zip://a::b.mp4", "not chained"),
        ("s3://bucket/a::b.mp4", "not chained"),
        ("concat:a.mp4|b.mp4", "concat: is not taken"),
        ("file:/etc/passwd", "file: is not taken"),
        ("file:///etc/passwd", "file: is not taken"),
        ("file://host/a.mp4", "file: is not taken"),
        ("FILE:///a.mp4", "FILE: is not taken"),
        ("HTTPS://host/a.mp4", "HTTPS: is not taken"),
        ("ftp://host/a.mp4", "ftp: is not taken"),
        ("data:video/mp4;base64,AAAA", "data: is not taken"),
        ("pipe:0", "pipe: is not taken"),
        ("subfile,,start,0,end,9,,:/a.mp4", "a relative path"),
        ("crypto+https://host/a.mp4", "crypto+https: is not taken"),
        ("https:/a.mp4", "needs // and a host"),
        ("s3:/bucket/a.mp4", "needs // and a bucket"),
        ("s3:///a.mp4", "no name of a bucket"),
        ("s3://user:secret@bucket/a.mp4", "no name of a bucket"),
        ("s3://bucket/a/../b.mp4", "an empty, `.` or `..` part"),
        ("s3://bucket/a//b.mp4", "an empty, `.` or `..` part"),
        ("https://user:secret@host/a.mp4", "a user or a password"),
        ("https://host\\@evil/a.mp4", "a user or a password"),
        ("https://ho st/a.mp4", "no name of a host"),
        ("https:///a.mp4", "no name of a host"),
        ("https://host", "its path is absent"),
        ("https://host/a/../b.mp4", "`..` part"),
        ("https://host/a b.mp4", "%20"),
        ("https://host/a.mp4#t=3", "members of a .tar"),
        ("https://host/a.mp4\nX-Header: 1", "a control character"),
        ("/data/a\nb.mp4", "a control character"),
        ("/data/a\udce9.mp4", "not UTF-8"),
        ("/data/x.tar#../a.mp4", "the member's name"),
        ("/data/x.tar#/etc/passwd", "the member's name"),
        ("/data/x.tar#a//b.mp4", "the member's name"),
        ("s3://bucket/x.tar#a/../../b.mp4", "the member's name"),
    ],
)
def test_nothing_else_is(text: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        Location.parse(text)
    assert reason in str(caught.value)
    assert "Correct the place" in str(caught.value)


def test_a_relative_uri_is_below_the_root_and_an_address_is_not() -> None:
    assert join("/data", "a/b.mp4") == "/data/a/b.mp4"
    assert join("/", "a.mp4") == "/a.mp4"
    assert join("s3://bucket/set/", "a.mp4") == "s3://bucket/set/a.mp4"
    assert join("/data", "/other/a.mp4") == "/other/a.mp4"
    assert join("/data", "https://host/a.mp4") == "https://host/a.mp4"
    assert join("/data", relative_uri("Re: a.mp4")) == "/data/Re: a.mp4"
    assert relative_uri("12:30.mp4") == "12:30.mp4"


@pytest.mark.parametrize("uri", ["concat:a|b", "file:/etc/passwd", "simplecache::s3://b/a.mp4"])
def test_a_catalog_names_no_other_protocol(uri: str) -> None:
    with pytest.raises(InputError, match="no place of a video"):
        join("/data", uri)
