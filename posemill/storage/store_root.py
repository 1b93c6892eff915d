"""What the two kinds of store have in common: how one is made, found and recognised."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from posemill.errors import ConfigurationMismatch, InputError, StoreCorrupted
from posemill.provenance import canonical_json, content_hash, differences
from posemill.storage.commits import require_create_if_absent
from posemill.storage.durable import (
    input_faults,
    publish_folder,
    remove_tree,
    temporary_name,
    write_file,
)

COMMITS = "commits"
PLAN = "plan"
METADATA = "zarr.json"


def group_metadata(attributes: Mapping[str, Any], **members: Any) -> bytes:
    """The `zarr.json` of a Zarr v3 group."""
    content = {"zarr_format": 3, "node_type": "group", "attributes": attributes, **members}
    return json.dumps(content, indent=1, sort_keys=True).encode()


def is_absent(path: Path) -> bool:
    """Whether nothing is at `path`, or an empty folder.

    Raises:
        InputError: that cannot be seen.
    """
    with input_faults(path):
        return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def create_store(
    path: Path, attributes: Mapping[str, Any], populate: Callable[[Path], None]
) -> bool:
    """Make a store, whole or not at all; False where something is there, e.g. another's store.

    `populate` adds what this kind of store needs to the draft folder.

    Raises:
        InputError: the place cannot be written to, or is the current folder.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100  `..` and `.` have no name to draft beside
    if not is_absent(path):
        return False
    _require_elsewhere(path)
    draft = temporary_name(path)
    try:
        draft.mkdir(parents=True)
        require_create_if_absent(draft)
        write_file(draft / METADATA, group_metadata(attributes))
        for name in (COMMITS, PLAN):
            # A group, so that whoever lists the store's members finds nothing unknown.
            (draft / name).mkdir()
            write_file(draft / name / METADATA, group_metadata({}))
        populate(draft)
        return publish_folder(draft, path)
    except OSError as error:
        raise InputError(
            f"{path}: no store can be made there ({error.strerror or error}); expected a path in "
            "a writable folder. Choose another output path, or correct the permissions."
        ) from error
    finally:
        remove_tree(draft)


def already_there(path: Path) -> InputError:
    """What to say where a store must be new and something is there."""
    return InputError(f"{path}: exists already. Choose another output path.")


def read_kind(path: Path) -> str | None:
    """The kind of store at `path`, None where none is.

    Raises:
        InputError: what is there may not be read.
    """
    attributes = _root_attributes(path) or {}
    return str(attributes["kind"]) if "kind" in attributes else None


def read_attributes(path: Path, kind: str, schema_version: int) -> dict[str, Any]:
    """The root attributes of the store of this kind at `path`.

    Raises:
        InputError: there is no such store, or of another schema version.
        StoreCorrupted: its configuration does not match its own hash.
    """
    attributes = _root_attributes(path)
    if attributes is None:
        raise InputError(_not_a_store(path, kind, "has no readable zarr.json"))
    if attributes.get("kind") != kind:
        raise InputError(_not_a_store(path, kind, f"is of kind {attributes.get('kind')!r}"))
    if attributes["schema_version"] != schema_version:
        newer = attributes["schema_version"] > schema_version
        raise InputError(
            f"{path}: store of schema version {attributes['schema_version']}; this posemill reads "
            f"version {schema_version}. {'Upgrade' if newer else 'Use an older'} posemill, or make "
            "the store again."
        )
    if content_hash(attributes["configuration"]) != attributes["configuration_hash"]:
        raise StoreCorrupted(
            f"{path}: the configuration in zarr.json does not match its hash: the file was edited "
            "or damaged. Restore it from a backup, or make the store again."
        )
    return attributes


def describe_configuration(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes by which a store knows its configuration."""
    plain = json.loads(canonical_json(configuration))
    return {"configuration": plain, "configuration_hash": content_hash(plain)}


def require_same(path: Path, asked: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    """Refuse a store that was made in another way.

    Raises:
        ConfigurationMismatch: with a line for every difference.
    """
    found = differences(json.loads(canonical_json(asked)), stored)
    if found:
        raise ConfigurationMismatch(
            f"{path}: was made with another configuration:\n  "
            + "\n  ".join(found)
            + "\nGive the same options as before, or another output path."
        )


def _root_attributes(path: Path) -> dict[str, Any] | None:
    with input_faults(path):
        try:
            content = (path / METADATA).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
    try:
        attributes = json.loads(content)["attributes"]
    except (ValueError, KeyError, TypeError):
        return None
    return attributes if isinstance(attributes, dict) else None


def _require_elsewhere(path: Path) -> None:
    """A finished draft takes the folder's place: who stands in the old one stands nowhere."""
    if path.exists() and path.samefile("."):
        raise InputError(
            f"{path}: is the current folder, which a new store cannot replace. "
            "Give the name of a new folder in it."
        )


def _not_a_store(path: Path, kind: str, found: str) -> str:
    state = found if path.exists() else "does not exist"
    return f"{path}: is not a {kind} store: it {state}. Give the path of a store, or of a new one."
