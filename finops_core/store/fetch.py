"""Exports in object stores: s3://bucket/prefix is mirrored into the home's cache; only what changed is downloaded.

A prefix is taken as a directory, as `aws s3 sync` takes it: s3://bucket/cur is s3://bucket/cur/, and not cur-old/. So the
mirror has the same relative names as a copy on disk, and manifests decide in it as they do there.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.store.home import Home, full_disk_in_words

Progress = Callable[[str], None]
Tag = dict[str, Any]
"""What tells a version of an object: its ETag and size."""

_ADVICE = {
    "NoSuchBucket": "Check the bucket's name",
    "AccessDenied": "These credentials may not list or read it: s3:ListBucket and s3:GetObject are needed",
    "ExpiredToken": "The session has expired: log in again",
    "NoCredentialsError": "Log in (aws sso login), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
}


def local_paths(home: Home, paths: Iterable[str], progress: Progress = lambda words: None) -> list[Path]:
    """The paths on this machine for what the user named: s3:// is fetched, anything else is taken as it stands.

    Raises InputRefused where a bucket or an object cannot be read, or where nothing is below the prefix.
    """
    return [
        _fetch(home, path, progress) if path.startswith(("s3://", "s3a://")) else Path(path) for path in paths
    ]


def _fetch(home: Home, url: str, progress: Progress) -> Path:
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = url.split("://", 1)[1].partition("/")
    if not bucket:
        raise UsageError(f"{url!r} names no bucket: write s3://bucket/prefix")
    try:
        with full_disk_in_words(home.path):
            return _Mirror.of(home, bucket).update(key, progress)
    except (BotoCoreError, Boto3Error, ClientError) as error:
        response = getattr(error, "response", None) or {}
        code = response.get("Error", {}).get("Code") or type(error).__name__
        advice = _ADVICE.get(code, "Check the name and the credentials (AWS_PROFILE, AWS_REGION)")
        raise InputRefused(f"cannot be read: {error}", Place(url), advice) from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise InputRefused(
            "one object's name is the folder of another's, which a disk cannot hold",
            Place(f"{url}: {error.filename}"),
            "Name a prefix that has only one of them",
        ) from error


@dataclass
class _Mirror:
    """The copy of a bucket's objects on this machine, as far as they have been asked for."""

    client: Any
    bucket: str
    root: Path
    state_file: Path
    """Which version of each object the mirror has."""

    @classmethod
    def of(cls, home: Home, bucket: str) -> "_Mirror":
        import boto3

        cache = home.cache / "s3"
        return cls(boto3.client("s3"), bucket, cache / "objects" / bucket, cache / "state" / f"{bucket}.json")

    def update(self, key: str, progress: Progress) -> Path:
        """Brings an object, or all objects below a folder, up to date; returns where it is."""
        folder = key if not key or key.endswith("/") else f"{key}/"
        found = {k: item for k, item in self._list(key) if k == key or k.startswith(folder)}
        if not found:
            raise InputRefused("there is nothing below this prefix", Place(f"s3://{self.bucket}/{key}"))
        state = self._state()
        try:
            for name, item in found.items():
                self._bring(name, item, state, progress)
            if key not in found:
                self._forget(folder, set(found), state)
        finally:
            self._remember(state)
        return self._inside(key)

    def _list(self, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        for page in pages:
            for item in page.get("Contents", ()):
                if not item["Key"].endswith("/"):
                    yield item["Key"], item

    def _bring(self, key: str, item: dict[str, Any], state: dict[str, Tag], progress: Progress) -> None:
        """Downloads an object, unless the mirror has this version of it; its time is kept."""
        tag = {"etag": item["ETag"], "size": item["Size"]}
        target = self._inside(key)
        if state.get(key) == tag and target.is_file() and target.stat().st_size == item["Size"]:
            return
        progress(f"Downloading s3://{self.bucket}/{key}")
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        state.pop(key, None)
        try:
            self.client.download_file(self.bucket, key, str(partial))
            modified = item["LastModified"].timestamp()
            os.utime(partial, (modified, modified))
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
        state[key] = tag

    def _forget(self, folder: str, seen: set[str], state: dict[str, Tag]) -> None:
        """Removes what is no longer in the bucket: an overwritten export must not find its old files."""
        for key in [k for k in state if k.startswith(folder) and k not in seen]:
            del state[key]
        wanted = {self._inside(key) for key in seen}
        for file in self._inside(folder).rglob("*"):
            if file.is_file() and file not in wanted:
                file.unlink(missing_ok=True)

    def _inside(self, key: str) -> Path:
        target = (self.root / key).resolve()
        if not target.is_relative_to(self.root.resolve()):
            raise InputRefused("the object's name leaves the cache", Place(f"s3://{self.bucket}/{key}"))
        return target

    def _state(self) -> dict[str, Tag]:
        try:
            found = json.loads(self.state_file.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _remember(self, state: dict[str, Tag]) -> None:
        self.state_file.parent.mkdir(parents=True, exist_ok=True)
        partial = self.state_file.with_name(f"{self.state_file.name}.{os.getpid()}.tmp")
        partial.write_text(json.dumps(state))
        os.replace(partial, self.state_file)
