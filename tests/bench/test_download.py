from __future__ import annotations

import hashlib
import http.server
import io
import os
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from bench.download import fetch
from bench.errors import DataError
from bench.interfaces import Download

CONTENT = np.random.default_rng(0).bytes(3_000_000)  # several chunks


@dataclass
class Server:
    """What a real server on this machine gives, how it fails, and what it was asked."""

    url: str
    content: bytes = CONTENT
    ranges: bool = True
    breaks_after: int | None = None  # bytes of one answer
    asked: list[str | None] = field(default_factory=list)  # the Range header of each request
    sent: int = 0  # bytes of all answers

    def file(self, name: str = "all.bin", *, unpack: bool = False, checksum: str = "") -> Download:
        """Return the file as a dataset would name it."""
        right = f"sha256:{hashlib.sha256(self.content).hexdigest()}"
        return Download(f"{self.url}/{name}", checksum or right, len(self.content), unpack)


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            facts.asked.append(asked)
            if self.path.startswith("/absent"):
                self.send_error(404, "no such file")
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and facts.ranges else 0
            body = facts.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            if start:
                end = len(facts.content)
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
            self.end_headers()
            body = body[: facts.breaks_after]
            self.wfile.write(body)
            facts.sent += len(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        facts = Server(f"http://127.0.0.1:{listening.server_port}")
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield facts
        listening.shutdown()
        thread.join()


def get(file: Download, folder: Path) -> list[tuple[int, int]]:
    """Fetch a file and return what `progress` was told."""
    steps: list[tuple[int, int]] = []
    name = file.url.rpartition("/")[2].partition("?")[0]
    assert fetch(file, folder, progress=lambda *step: steps.append(step)) == folder / name
    return steps


def visible(folder: Path) -> list[str]:
    """Return every file below a folder except locks."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    )


def test_a_file_is_downloaded_and_its_bytes_are_counted(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    steps = get(server.file(), folder)
    assert (folder / "all.bin").read_bytes() == CONTENT
    assert visible(folder) == ["all.bin"]
    done, totals = zip(*steps, strict=True)
    assert set(totals) == {len(CONTENT)}
    assert list(done) == sorted(set(done))
    assert len(done) > 1
    assert done[-1] == len(CONTENT)
    assert server.asked == [None]


def test_the_name_is_that_of_the_address_without_its_query(server: Server, tmp_path: Path) -> None:
    get(server.file("all.bin?download=1"), tmp_path)
    assert visible(tmp_path) == ["all.bin"]


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha512"])
def test_checksums_of_other_algorithms_are_checked_too(
    algorithm: str, server: Server, tmp_path: Path
) -> None:
    right = hashlib.new(algorithm, CONTENT).hexdigest()
    get(server.file(checksum=f"{algorithm}:{right}"), tmp_path)
    wrong = f"{algorithm}:{right[::-1]}"
    with pytest.raises(DataError, match=f"has checksum {algorithm}:{right}; expected {wrong}"):
        get(server.file("other.bin", checksum=wrong), tmp_path)


def test_a_finished_file_is_not_downloaded_again(server: Server, tmp_path: Path) -> None:
    get(server.file(), tmp_path)
    time = (tmp_path / "all.bin").stat().st_mtime_ns
    assert get(server.file(), tmp_path) == []
    assert len(server.asked) == 1
    assert (tmp_path / "all.bin").stat().st_mtime_ns == time


def test_a_file_of_other_content_is_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / "all.bin").write_bytes(b"of another version")
    get(server.file(), tmp_path)
    assert (tmp_path / "all.bin").read_bytes() == CONTENT


def test_wrong_bytes_are_removed_with_one_line(server: Server, tmp_path: Path) -> None:
    wrong = "sha256:" + "0" * 64
    with pytest.raises(DataError, match=f"expected {wrong}. The download was removed") as raised:
        get(server.file(checksum=wrong), tmp_path)
    assert f"{server.url}/all.bin has checksum sha256:" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert visible(tmp_path) == []
    get(server.file(), tmp_path)
    assert server.asked == [None, None], "nothing wrong is gone on with"


def test_a_broken_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.breaks_after = 1_234_567
    with pytest.raises(DataError, match=r"ended after 1,234,567 of 3,000,000 bytes; .* goes on"):
        get(server.file(), tmp_path)
    assert visible(tmp_path) == ["all.bin.part"]
    with pytest.raises(DataError, match="ended after 2,469,134 of 3,000,000 bytes"):
        get(server.file(), tmp_path)
    server.breaks_after = None
    steps = get(server.file(), tmp_path)
    assert (tmp_path / "all.bin").read_bytes() == CONTENT
    assert visible(tmp_path) == ["all.bin"]
    assert server.asked == [None, "bytes=1234567-", "bytes=2469134-"]
    assert server.sent == len(CONTENT), "each byte once"
    assert steps[0][0] > 2_469_134
    assert steps[-1] == (len(CONTENT), len(CONTENT))


def test_a_server_that_knows_no_ranges_sends_all_of_it_again(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "all.bin.part").write_bytes(CONTENT[:1000])
    server.ranges = False
    steps = get(server.file(), tmp_path)
    assert (tmp_path / "all.bin").read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-"]
    assert server.sent == len(CONTENT)
    assert steps[-1] == (len(CONTENT), len(CONTENT))


def test_a_part_that_is_whole_is_only_checked(server: Server, tmp_path: Path) -> None:
    (tmp_path / "all.bin.part").write_bytes(CONTENT)
    get(server.file(), tmp_path)
    assert server.asked == []
    assert visible(tmp_path) == ["all.bin"]


def test_a_part_that_is_too_long_is_begun_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "all.bin.part").write_bytes(CONTENT + b"!")
    get(server.file(), tmp_path)
    assert server.asked == [None]
    assert (tmp_path / "all.bin").read_bytes() == CONTENT


def test_a_part_of_something_else_ends_in_an_error_and_then_in_a_new_download(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "all.bin.part").write_bytes(b"?" * 1000)
    with pytest.raises(DataError, match="has checksum"):
        get(server.file(), tmp_path)
    get(server.file(), tmp_path)
    assert server.asked == ["bytes=1000-", None]


def test_an_address_that_is_not_there_is_one_line(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.bin cannot be downloaded: no such file; the"):
        get(server.file("absent.bin"), tmp_path)
    assert visible(tmp_path) == []


def test_a_server_that_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), http.server.BaseHTTPRequestHandler
    ) as closed:
        port = closed.server_port  # free once more when the block ends
    url = f"http://127.0.0.1:{port}/all.bin"
    (tmp_path / "all.bin.part").write_bytes(CONTENT[:10])
    with pytest.raises(DataError, match=r"cannot be downloaded: .*refused.*; the same") as raised:
        get(Download(url, "md5:0", len(CONTENT)), tmp_path)
    assert str(raised.value).startswith(url)
    assert "\n" not in str(raised.value)
    assert visible(tmp_path) == ["all.bin.part"], "what is there is kept"


def test_a_server_that_does_not_speak_http_is_one_line(tmp_path: Path) -> None:
    import socket

    def greet() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(10_000)
            connection.sendall(b"220 some other service\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=greet)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/all.bin"
        with pytest.raises(DataError, match="cannot be downloaded"):
            get(Download(url, "md5:0", 10), tmp_path)
        thread.join()


MEMBERS = {"images/a.jpg": b"first", "images/more/b.jpg": b"second", "list.txt": b"a b"}


def tar_of(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            facts = tarfile.TarInfo(name)
            facts.size = len(content)
            archive.addfile(facts, io.BytesIO(content))
    return buffer.getvalue()


def zip_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def plain_tar_of(members: dict[str, bytes]) -> bytes:
    return tar_of(members, "w")


ARCHIVES = {"all.zip": zip_of, "all.tgz": tar_of, "all.tar": plain_tar_of}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_unpacked_beside_itself(name: str, server: Server, tmp_path: Path) -> None:
    server.content = ARCHIVES[name](MEMBERS)
    get(server.file(name, unpack=True), tmp_path)
    assert visible(tmp_path) == sorted([name, *MEMBERS])
    for member, content in MEMBERS.items():
        assert (tmp_path / member).read_bytes() == content


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_is_there_is_unpacked_without_a_download(
    name: str, server: Server, tmp_path: Path
) -> None:
    server.content = ARCHIVES[name](MEMBERS)
    (tmp_path / name).write_bytes(server.content)
    get(server.file(name, unpack=True), tmp_path)
    assert server.asked == []
    assert (tmp_path / "list.txt").read_bytes() == b"a b"


def test_what_is_there_stays_as_it_is(server: Server, tmp_path: Path) -> None:
    server.content = zip_of(MEMBERS)
    (tmp_path / "list.txt").write_text("corrected by hand")
    get(server.file("all.zip", unpack=True), tmp_path)
    assert (tmp_path / "list.txt").read_text() == "corrected by hand"
    assert (tmp_path / "images/more/b.jpg").read_bytes() == b"second"


def test_what_a_killed_unpacking_left_does_not_matter(server: Server, tmp_path: Path) -> None:
    server.content = zip_of(MEMBERS)
    left = tmp_path / ".all.zip.unpacked" / "images"
    left.mkdir(parents=True)
    (left / "half.jpg").write_bytes(b"ha")
    get(server.file("all.zip", unpack=True), tmp_path)
    assert visible(tmp_path) == sorted(["all.zip", *MEMBERS])


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("path", ["../outside.txt", "a/../../outside.txt", "{root}/outside.txt"])
def test_a_member_that_leaves_the_folder_is_refused(
    name: str, path: str, server: Server, tmp_path: Path
) -> None:
    outside = path.format(root=tmp_path)
    server.content = ARCHIVES[name]({"fine.txt": b"fine", outside: b"evil"})
    folder = tmp_path / "data" / "toy"
    if name != "all.zip" and path.startswith("{"):
        # the tar filter takes the slash away, so that the member stays inside
        get(server.file(name, unpack=True), folder)
    else:
        with pytest.raises(DataError, match=f"{name} (holds|cannot be unpacked)") as raised:
            get(server.file(name, unpack=True), folder)
        assert "\n" not in str(raised.value)
        assert visible(folder) == [name], "nothing is unpacked, not even what is fine"
    assert not list(tmp_path.glob("**/.*.unpacked"))
    assert not (tmp_path / "outside.txt").exists()
    assert not (tmp_path / "data" / "outside.txt").exists()


def test_a_link_out_of_the_folder_is_refused(server: Server, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../.."
        archive.addfile(link)
    server.content = buffer.getvalue()
    with pytest.raises(DataError, match="cannot be unpacked"):
        get(server.file("all.tgz", unpack=True), tmp_path / "data")
    assert not os.path.lexists(tmp_path / "data" / "link")


def test_a_tar_that_ends_in_a_zip_is_a_tar(server: Server, tmp_path: Path) -> None:
    server.content = tar_of({"inner.zip": zip_of(MEMBERS)}, "w")
    assert zipfile.is_zipfile(io.BytesIO(server.content)), "Python takes it for a zip"
    get(server.file("all.tar", unpack=True), tmp_path)
    assert visible(tmp_path) == ["all.tar", "inner.zip"]


def test_what_is_no_archive_is_one_line(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"all\.zip cannot be unpacked: .*not a zip file") as raised:
        get(server.file("all.zip", unpack=True), tmp_path)
    assert "\n" not in str(raised.value)
    assert visible(tmp_path) == ["all.zip"]


def test_two_at_once_download_a_file_once(server: Server, tmp_path: Path) -> None:
    threads = [threading.Thread(target=get, args=(server.file(), tmp_path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.asked) == 1
    assert (tmp_path / "all.bin").read_bytes() == CONTENT
