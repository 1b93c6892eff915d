"""What the two kinds of store have in common: how one is made, found and recognised."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from posemill.errors import ConfigurationMismatch, InputError, StoreCorrupted
from posemill.provenance import canonical_json, content_hash, differences
from posemill.storage.durable import input_faults
from posemill.storage.objects import Objects, Place, open_objects
from posemill.storage.objects_base import require_primitives
from posemill.storage.store_parts import COMMITS, METADATA, PLAN, group_metadata

_SEAL = "attributes_hash"


def is_absent(place: Place) -> bool:
    """Whether nothing is at `place`, or nothing that counts: an empty folder, a half-made store.

    Raises:
        InputError: that cannot be seen.
    """
    objects = open_objects(place)
    with input_faults(objects.url):
        return objects.is_vacant(METADATA)


def create_store(place: Place, files: Mapping[str, bytes]) -> bool:
    """Make a store, whole or not at all; False where something is there, e.g. another's store.

    `files` are all its objects, apart from those parts that every store has; one
    of them is its root's metadata.

    Raises:
        InputError: the place cannot be written to, or is the current folder.
        EnvironmentFault: the object store cannot be reached or refuses.
    """
    objects = open_objects(place)
    if not is_absent(place):
        return False
    # Groups, so that whoever lists the store's members finds nothing unknown.
    parts = {f"{part}/{METADATA}": group_metadata({}) for part in (COMMITS, PLAN)}
    others = {name: data for name, data in files.items() if name != METADATA}
    try:
        return objects.create_tree(
            {**parts, **others, METADATA: files[METADATA]},
            partial(require_primitives, place=objects.url),
        )
    except (OSError, InputError) as error:
        if not is_absent(place):
            return False  # another made one, and `gc` took what this one had of its own
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{objects.url}: no store can be made there ({error.strerror or error}); expected a "
            "path in a writable folder. Choose another output path, or correct the permissions."
        ) from error


def already_there(place: Place) -> InputError:
    """What to say where a store must be new and something is there."""
    return InputError(f"{place}: exists already. Choose another output path.")


def read_kind(place: Place) -> str | None:
    """The kind of store at `place`, None where none is.

    Raises:
        InputError: what is there may not be read.
    """
    attributes = _root_attributes(open_objects(place)) or {}
    return str(attributes["kind"]) if "kind" in attributes else None


def read_attributes(objects: Objects, kind: str, schema_version: int) -> dict[str, Any]:
    """The root attributes of the store of this kind.

    Raises:
        InputError: there is no such store, or of another schema version.
        StoreCorrupted: they do not match their own hash.
    """
    attributes = _root_attributes(objects)
    if attributes is None:
        raise InputError(_not_a_store(objects, kind, "has no readable zarr.json"))
    if attributes.get("kind") != kind:
        raise InputError(_not_a_store(objects, kind, f"is of kind {attributes.get('kind')!r}"))
    version = attributes.get("schema_version")
    if isinstance(version, int) and version != schema_version:
        newer = version > schema_version
        raise InputError(
            f"{objects.url}: store of schema version {version}; this posemill reads version "
            f"{schema_version}. {'Upgrade' if newer else 'Use an older'} posemill, or make the "
            "store again."
        )
    if seal_attributes(attributes) != attributes:
        raise StoreCorrupted(
            f"{objects.url}: what zarr.json tells of the store does not match its hash: the file "
            "was edited or damaged. Restore it from a backup, or make the store again."
        )
    return attributes


def seal_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a store's root as JSON has them, with their own hash."""
    others = {name: value for name, value in attributes.items() if name != _SEAL}
    plain: dict[str, Any] = json.loads(canonical_json(others))
    return {**plain, _SEAL: content_hash(plain)}


def describe_configuration(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes by which a store knows its configuration."""
    plain = json.loads(canonical_json(configuration))
    return {"configuration": plain, "configuration_hash": content_hash(plain)}


def require_same(place: str, asked: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    """Refuse a store that was made in another way.

    Raises:
        ConfigurationMismatch: with a line for every difference.
    """
    found = differences(json.loads(canonical_json(asked)), stored)
    if found:
        raise ConfigurationMismatch(
            f"{place}: was made with another configuration:\n  "
            + "\n  ".join(found)
            + "\nGive the same options as before, or another output path."
        )


def _root_attributes(objects: Objects) -> dict[str, Any] | None:
    with input_faults(objects.url):
        try:
            content = objects.read(METADATA)
        except FileNotFoundError:
            return None
    try:
        attributes = json.loads(content)["attributes"]
    except (ValueError, KeyError, TypeError):
        return None
    return attributes if isinstance(attributes, dict) else None


def _not_a_store(objects: Objects, kind: str, found: str) -> str:
    state = "does not exist" if is_absent(objects.url) else found
    return (
        f"{objects.url}: is not a {kind} store: it {state}. Give the path of a store, or of a new "
        "one."
    )
