"""Exports in object stores: s3://bucket/prefix is mirrored into the home's cache; only what changed is downloaded."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.store.home import Home

STATE = ".objects.json"


def local_paths(
    home: Home, paths: Iterable[str], progress: Callable[[str], None] = lambda words: None
) -> list[Path]:
    """The paths on this machine for what the user named: s3:// is fetched, anything else is taken as it stands."""
    return [
        _mirror(home, path, progress) if path.startswith(("s3://", "s3a://")) else Path(path)
        for path in paths
    ]


def _mirror(home: Home, url: str, progress: Callable[[str], None]) -> Path:
    """Brings the objects below a prefix up to date in HOME/cache. Raises InputRefused where the bucket cannot be read."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, prefix = url.split("://", 1)[1].partition("/")
    if not bucket:
        raise UsageError(f"{url!r} names no bucket: write s3://bucket/prefix")
    root = home.cache / "s3" / bucket
    state_file = root / STATE
    state: dict[str, dict[str, Any]] = json.loads(state_file.read_text()) if state_file.exists() else {}
    try:
        client = boto3.client("s3")
        seen: set[str] = set()
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for item in (item for page in pages for item in page.get("Contents", ())):
            key, tag = item["Key"], {"etag": item["ETag"], "size": item["Size"]}
            if key.endswith("/"):
                continue
            seen.add(key)
            target = _inside(root, key)
            if state.get(key) == tag and target.exists() and target.stat().st_size == item["Size"]:
                continue
            progress(f"Downloading s3://{bucket}/{key}")
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(target.name + ".tmp")
            client.download_file(bucket, key, str(partial))
            os.replace(partial, target)
            modified = item["LastModified"].timestamp()
            os.utime(target, (modified, modified))
            state[key] = tag
    except (BotoCoreError, ClientError) as error:
        raise InputRefused(
            f"cannot be read: {error}",
            Place(url),
            "Check the name and the credentials (AWS_PROFILE, AWS_REGION)",
        ) from error
    if not seen:
        raise InputRefused("there is nothing below this prefix", Place(url))
    _forget(root, prefix, seen, state)
    state_file.write_text(json.dumps(state))
    return _inside(root, prefix) if prefix in seen else root / _folder(prefix)


def _folder(prefix: str) -> str:
    return prefix if prefix.endswith("/") else prefix.rpartition("/")[0]


def _inside(root: Path, key: str) -> Path:
    target = (root / key).resolve()
    if not target.is_relative_to(root.resolve()):
        raise InputRefused("the object's name leaves the cache", Place(key))
    return target


def _forget(root: Path, prefix: str, seen: set[str], state: dict[str, dict[str, Any]]) -> None:
    """Removes what is no longer in the bucket: an overwritten export must not find its old files."""
    for key in [k for k in state if k.startswith(prefix) and k not in seen]:
        _inside(root, key).unlink(missing_ok=True)
        del state[key]
