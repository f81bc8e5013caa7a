"""s3://bucket/prefix: only what changed is downloaded, and the mirror loads as a copy on disk does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from finops_core.errors import InputRefused, UsageError
from finops_core.store.fetch import local_paths
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import csv_text, cur_row, focus_row, write_legacy_report


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A simulated S3 with a bucket named bills."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_CONFIG_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="bills")
        yield client


def put(s3: Any, **objects: str) -> None:
    for key, body in objects.items():
        s3.put_object(Bucket="bills", Key=key, Body=body.encode())


def upload(s3: Any, root: Path) -> None:
    """All files of a directory, by their relative names."""
    for file in root.rglob("*"):
        if file.is_file():
            s3.put_object(Bucket="bills", Key=file.relative_to(root).as_posix(), Body=file.read_bytes())


def fetched(home: Home, url: str) -> tuple[dict[str, str], list[str]]:
    """The mirrored files (relative name → text), and what was downloaded for it."""
    said: list[str] = []
    (path,) = local_paths(home, [url], said.append)
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    root = path.parent if path.is_file() else path
    return {f.relative_to(root).as_posix(): f.read_text() for f in files}, [w.split("/")[-1] for w in said]


def test_only_what_changed_is_downloaded(home: Home, s3: Any) -> None:
    put(s3, **{"cur/a.csv": "1", "cur/b/c.csv": "2", "cur/": ""})
    assert fetched(home, "s3://bills/cur/") == ({"a.csv": "1", "b/c.csv": "2"}, ["a.csv", "c.csv"])
    assert fetched(home, "s3://bills/cur/") == ({"a.csv": "1", "b/c.csv": "2"}, [])
    put(s3, **{"cur/a.csv": "3", "cur/d.csv": "4"})
    s3.delete_object(Bucket="bills", Key="cur/b/c.csv")
    assert fetched(home, "s3://bills/cur") == ({"a.csv": "3", "d.csv": "4"}, ["a.csv", "d.csv"])


def test_a_prefix_is_a_directory(home: Home, s3: Any) -> None:
    put(s3, **{"cur/a.csv": "1", "cur-old/a.csv": "2", "x.csv": "3"})
    assert fetched(home, "s3://bills")[0] == {"cur/a.csv": "1", "cur-old/a.csv": "2", "x.csv": "3"}
    assert fetched(home, "s3://bills/cur") == ({"a.csv": "1"}, [])
    assert fetched(home, "s3a://bills/x.csv") == ({"x.csv": "3"}, [])
    assert fetched(home, "s3://bills/")[0]["cur-old/a.csv"] == "2", "the rest of the mirror is still there"
    with pytest.raises(InputRefused, match="s3://bills/cu: there is nothing below this prefix"):
        fetched(home, "s3://bills/cu")


def test_a_file_of_the_mirror_that_was_lost_or_cut_is_downloaded_again(home: Home, s3: Any) -> None:
    put(s3, **{"cur/a.csv": "12", "cur/b.csv": "34"})
    (path,) = local_paths(home, ["s3://bills/cur"])
    (path / "a.csv").unlink()
    (path / "b.csv").write_text("3")
    (path / "left.csv").write_text("of a load that was killed")
    assert fetched(home, "s3://bills/cur") == ({"a.csv": "12", "b.csv": "34"}, ["a.csv", "b.csv"])
    next((home.cache / "s3" / "state").iterdir()).write_text('{"cur/')
    assert fetched(home, "s3://bills/cur") == ({"a.csv": "12", "b.csv": "34"}, ["a.csv", "b.csv"])


def test_a_download_that_fails_changes_no_file(home: Home, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(s3, **{"cur/a.csv": "1", "cur/b.csv": "2"})
    (path,) = local_paths(home, ["s3://bills/cur"])
    put(s3, **{"cur/b.csv": "3"})
    from botocore.client import BaseClient
    from botocore.exceptions import ConnectionClosedError

    def broken(self: BaseClient, operation: str, arguments: object) -> object:
        if operation in ("GetObject", "HeadObject"):
            raise ConnectionClosedError(endpoint_url="s3")
        return real(self, operation, arguments)

    real = BaseClient._make_api_call
    with monkeypatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", broken)
        with pytest.raises(InputRefused, match="s3://bills/cur: cannot be read"):
            local_paths(home, ["s3://bills/cur"])
    assert (path / "b.csv").read_text() == "2" and sorted(p.name for p in path.iterdir()) == [
        "a.csv",
        "b.csv",
    ]
    assert fetched(home, "s3://bills/cur") == ({"a.csv": "1", "b.csv": "3"}, ["b.csv"])


def test_what_cannot_be_read_is_said_in_words(home: Home, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputRefused, match=r"s3://nobody/cur: cannot be read: .*Check the bucket's name"):
        local_paths(home, ["s3://nobody/cur"])
    with pytest.raises(UsageError, match="names no bucket"):
        local_paths(home, ["s3:///cur"])
    put(s3, **{"up/../../../x.csv": "1"})
    with pytest.raises(InputRefused, match="the object's name leaves the cache"):
        local_paths(home, ["s3://bills/up"])
    put(s3, **{"twice/a": "1", "twice/a/b": "2"})
    with pytest.raises(InputRefused, match="one object's name is the folder of another's"):
        local_paths(home, ["s3://bills/twice"])
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    boto3.DEFAULT_SESSION = None
    with pytest.raises(InputRefused, match=r"Unable to locate credentials.*Log in"):
        local_paths(home, ["s3://bills/cur"])


def test_paths_on_disk_are_taken_as_they_stand(home: Home) -> None:
    assert local_paths(home, ["a/b.csv", "/c"]) == [Path("a/b.csv"), Path("/c")]
    assert not home.path.exists()


def test_a_report_on_s3_loads_as_the_same_report_on_disk(home: Home, s3: Any, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    write_legacy_report(disk, "20260901-20261001", "old", [[cur_row(cost="1")]])
    write_legacy_report(disk, "20260901-20261001", "new", [[cur_row(cost="2")], [cur_row(cost="3")]])
    upload(s3, disk)
    (first,) = load(home, local_paths(home, ["s3://bills/"]))
    assert (first.action, first.totals["USD"]["BilledCost"]) == ("added", "5")
    (same,) = load(home, [disk])
    assert (same.action, same.files) == ("unchanged", first.files)
    assert first.files[0] == "cur/report/20260901-20261001/new/report-00001.csv.gz"

    write_legacy_report(disk, "20260901-20261001", "newest", [[cur_row(cost="7.5")]])
    upload(s3, disk)
    (batch,) = load(home, local_paths(home, ["s3://bills"]))
    assert (batch.action, batch.totals["USD"]["BilledCost"]) == ("replaced", "7.5")


def test_an_export_that_is_overwritten_finds_no_old_chunks(home: Home, s3: Any) -> None:
    parts = [csv_text([focus_row(BilledCost=cost, ResourceId=cost)]) for cost in ("1", "2", "4")]
    put(s3, **{"e/r-00001.csv": parts[0], "e/r-00002.csv": parts[1]})
    (batch,) = load(home, local_paths(home, ["s3://bills/e"]))
    assert batch.totals["USD"]["BilledCost"] == "3"
    put(s3, **{"e/r-00001.csv": parts[2]})
    s3.delete_object(Bucket="bills", Key="e/r-00002.csv")
    (batch,) = load(home, local_paths(home, ["s3://bills/e"]))
    assert (batch.action, batch.totals["USD"]["BilledCost"], batch.files) == (
        "replaced",
        "4",
        ["r-00001.csv"],
    )
