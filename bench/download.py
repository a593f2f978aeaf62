"""Downloading what anybody may download: resumed after a break, checked, then unpacked."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from bench.annotations import is_inside
from bench.errors import DataError
from bench.interfaces import Download
from bench.storage import only_one

CHUNK = 1 << 20
TIMEOUT = 60  # seconds without a byte


def fetch(file: Download, folder: Path, *, progress: Callable[[int, int], None]) -> Path:
    """Return the downloaded file in `folder`, unpacked beside it if it is an archive.

    What an earlier attempt left is gone on with; a file that is there with the right checksum is
    not downloaded again. `progress(done, total)` counts bytes. Raises `DataError` where the server
    cannot be reached or the bytes are not those that the checksum is of.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / PurePosixPath(file.url.partition("?")[0]).name
    with only_one(target.with_name(f".{target.name}.lock"), lambda: None):
        if not (target.is_file() and _checksum(target, file) == file.checksum):
            part = target.with_name(f"{target.name}.part")
            _download(file, part, progress)
            found = _checksum(part, file)
            if found != file.checksum:
                here = part.stat().st_size
                if here < file.size:  # a connection that breaks off looks like the file's end
                    raise DataError(
                        f"{file.url} ended after {here:,} of {file.size:,} bytes; the same command "
                        "goes on where this stopped"
                    )
                part.unlink()
                raise DataError(
                    f"{file.url} has checksum {found}; expected {file.checksum}. The download was "
                    "removed; try again"
                )
            part.replace(target)
        if file.unpack:
            _unpack(target, folder)
    return target


def _checksum(path: Path, file: Download) -> str:
    algorithm = file.checksum.partition(":")[0]
    with path.open("rb") as opened:
        return f"{algorithm}:{hashlib.file_digest(opened, algorithm).hexdigest()}"


def _download(file: Download, part: Path, progress: Callable[[int, int], None]) -> None:
    have = part.stat().st_size if part.is_file() else 0
    if have == file.size:
        return
    request = urllib.request.Request(file.url)  # noqa: S310 (the addresses are in plugins)
    if 0 < have < file.size:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            resumed = response.status == 206  # else the server sends all of it again
            done = have if resumed else 0
            with part.open("ab" if resumed else "wb") as opened:
                while chunk := response.read(CHUNK):
                    opened.write(chunk)
                    done += len(chunk)
                    progress(done, file.size)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise DataError(
            f"{file.url} cannot be downloaded: {reason}; the same command goes on where this "
            "stopped"
        ) from None


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack into `folder`, each top entry whole or not at all; what is there stays."""
    unpacked = folder / f".{archive.name}.unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)  # of an attempt that was killed
    unpacked.mkdir()
    try:
        if tarfile.is_tarfile(archive):  # asked first: a tar that ends in a zip passes for a zip
            with tarfile.open(archive) as tar:
                tar.extractall(unpacked, filter="data")
        else:
            with zipfile.ZipFile(archive) as opened:
                outside = [name for name in opened.namelist() if not is_inside(name)]
                if outside:
                    raise DataError(f"{archive} holds {outside[0]!r}, a path outside itself")
                opened.extractall(unpacked)  # noqa: S202 (checked above)
        for entry in sorted(unpacked.iterdir()):
            if not (folder / entry.name).exists():
                entry.rename(folder / entry.name)
    except (tarfile.TarError, zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{archive} cannot be unpacked: {error}") from None
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
