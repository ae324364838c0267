"""Data sets are fetched over bad lines from strange servers, and archives of strangers are unpacked: whole, or not."""

import gzip
import hashlib
import io
import json
import os
import random
import stat
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from drumlib.__main__ import main
from drumlib.data.download import fetch as fetching
from drumlib.data.download.download import MARKER, SOURCES, DataSet, DownloadError, download, is_downloaded
from drumlib.data.download.unpack import ArchiveError, Bounds, unpack

SONGS = {f"toy/drummer{i % 3}/{i}.mid": bytes([i]) * (500 + 40 * i) for i in range(30)}
FILES = SONGS | {"toy/info.csv": b"file,style\n", "toy/README": b"Toys.", "toy/LICENSE": b"CC BY 4.0"}
NOISE = random.Random(0).randbytes(500)
BOUNDS = Bounds(entries=100, file_bytes=10_000, all_bytes=100_000)


def make_zip(files: dict[str, bytes], method=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def make_tar(files: dict[str, bytes]) -> bytes:
    return make_tar_of(*((tar_member(name, len(data)), data) for name, data in files.items()))


def tar_member(name: str, size: int = 0, **fields) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def make_tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


ARCHIVE = make_zip(FILES)


class Server:
    """A web server with one file, and with the manners that a test gives it.

    Attributes
    ----------
    content, etag, modified : the file, and what is said of its version.
    cuts : how many bytes of each of the next answers come before the connection is cut.
    statuses : the next answers are these errors.
    ranges, if_range : whether it knows Range, and If-Range.
    headers : more headers, or other ones; None leaves one out.
    skew, piece : how many bytes too early a range begins, and how many it has at most.
    chunked : whether the length is left open.
    after_cut : what happens when a connection was cut.
    asked : the headers of all requests so far.
    """

    def __init__(self):
        self.content, self.etag, self.modified = ARCHIVE, '"one"', None
        self.cuts, self.statuses, self.asked, self.headers = [], [], [], {}
        self.ranges = self.if_range = True
        self.skew, self.piece = 0, 1_000_000
        self.chunked, self.after_cut = False, lambda: None

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(handler):
                self.answer(handler)

            def log_message(handler, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/toy.zip"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def answer(self, handler) -> None:
        self.asked.append(dict(handler.headers))
        handler.close_connection = True
        if self.statuses:
            return handler.send_error(self.statuses.pop(0))
        first, asked = 0, handler.headers.get("Range")
        if asked and self.ranges:
            valid = handler.headers.get("If-Range", self.etag) in (self.etag, self.modified) or not self.if_range
            first = int(asked.removeprefix("bytes=").rstrip("-")) - self.skew if valid else 0
        if first >= len(self.content) > 0:
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(self.content)}")
            return handler.end_headers()
        body = self.content[first : first + self.piece if first else None]
        headers = {"ETag": self.etag, "Last-Modified": self.modified, "Content-Length": str(len(body))}
        if first:
            headers["Content-Range"] = f"bytes {first}-{first + len(body) - 1}/{len(self.content)}"
        if self.chunked:
            headers |= {"Content-Length": None, "Transfer-Encoding": "chunked"}
        handler.send_response(206 if first else 200)
        for name, value in (headers | self.headers).items():
            if value is not None:
                handler.send_header(name, value)
        handler.end_headers()
        cut = self.cuts.pop(0) if self.cuts else None
        body = body[:cut]
        if self.chunked:
            body = b"%x\r\n%s\r\n" % (len(body), body) + (b"0\r\n\r\n" if cut is None else b"")
        try:
            handler.wfile.write(body)
        except OSError:  # the client has had enough
            pass
        if cut is not None:
            self.after_cut()


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(fetching, "WAIT", 0)
    server = Server()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def toy(server, monkeypatch):
    """A source named toy on that server; its sum is that of the right archive, whatever the server sends."""
    return add_source(monkeypatch, server.url, ARCHIVE)


def add_source(monkeypatch, url: str, archive: bytes, bounds: Bounds = BOUNDS, room: int = 0) -> DataSet:
    sha256 = hashlib.sha256(archive).hexdigest()
    source = DataSet("toy", "toys", url, sha256, "CC BY 4.0", "Toymaker", len(archive) + room, bounds)
    monkeypatch.setitem(SOURCES, "toy", source)
    return source


def fetch_toy(tmp_path, **options):
    return download("toy", tmp_path / "data" / "toy", progress=False, **options)


def contents(folder) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_whole(tmp_path):
    """All songs are there, byte for byte; and nothing else is left lying about."""
    found = contents(tmp_path / "data" / "toy")
    assert json.loads(found.pop(MARKER))["sha256"] == hashlib.sha256(ARCHIVE).hexdigest()
    assert found == {name.removeprefix("toy/"): data for name, data in FILES.items()}
    assert os.listdir(tmp_path / "data") == ["toy"]


# Downloads that end well


def test_a_whole_download(server, toy, tmp_path):
    assert fetch_toy(tmp_path) == tmp_path / "data" / "toy"
    assert_whole(tmp_path)
    assert len(server.asked) == 1


def test_the_folder_says_whose_it_is(toy, tmp_path):
    about = json.loads((fetch_toy(tmp_path) / MARKER).read_text())
    assert about["licence"] == "CC BY 4.0" and about["citation"] == "Toymaker" and about["files"] == len(FILES)


def test_a_second_call_does_nothing(server, toy, tmp_path):
    folder = fetch_toy(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert fetch_toy(tmp_path) == folder
    assert len(server.asked) == 1 and before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_tar(server, tmp_path, monkeypatch):
    server.content = make_tar(FILES)
    server.headers = {
        "Content-Encoding": "x-gzip"
    }  # some servers say so; it is the file that is packed, not the answer
    add_source(monkeypatch, server.url, server.content)
    found = contents(fetch_toy(tmp_path))
    del found[MARKER]
    assert found == {name.removeprefix("toy/"): data for name, data in FILES.items()}


def test_a_cut_connection_is_taken_up_where_it_was_cut(server, toy, tmp_path):
    server.cuts = [10_000, 5_000, 1]
    fetch_toy(tmp_path)
    assert_whole(tmp_path)
    assert [asked.get("Range") for asked in server.asked] == [None, "bytes=10000-", "bytes=15000-", "bytes=15001-"]
    assert {asked.get("If-Range") for asked in server.asked[1:]} == {'"one"'}
    assert {asked["Accept-Encoding"] for asked in server.asked} == {"identity"}, "packed anew, it has other bytes"


def test_as_long_as_enough_comes_it_is_tried_again(server, toy, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "ENOUGH", 1000)
    server.cuts = [1000] * 20
    fetch_toy(tmp_path)
    assert_whole(tmp_path)


def test_a_trickle_is_given_up_and_the_next_call_goes_on(server, toy, tmp_path):
    server.cuts = [100] * 5
    with pytest.raises(DownloadError, match="broke off.* 500 bytes are here: call again to go on"):
        fetch_toy(tmp_path)
    assert len(server.asked) == 5 and not (tmp_path / "data" / "toy").exists()
    fetch_toy(tmp_path)
    assert_whole(tmp_path)
    assert server.asked[-1]["Range"] == "bytes=500-"


def test_an_answer_of_open_length_that_is_cut(server, toy, tmp_path):
    server.chunked, server.cuts = True, [7_000, 1]
    fetch_toy(tmp_path)
    assert_whole(tmp_path)
    assert len(server.asked) == 3


def test_a_server_without_ranges_begins_anew(server, toy, tmp_path):
    server.ranges, server.cuts = False, [20_000, 10]
    fetch_toy(tmp_path)
    assert_whole(tmp_path)


def test_a_server_without_ranges_that_always_breaks_off_is_given_up(server, toy, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "ENOUGH", 1000)
    server.ranges, server.cuts = False, [20_000] * 99
    with pytest.raises(DownloadError, match="broke off"):
        fetch_toy(tmp_path)
    assert len(server.asked) <= 6, "what comes again and again is no progress"


@pytest.mark.parametrize("if_range", [True, False], ids=["If-Range", "no If-Range"])
@pytest.mark.parametrize("modified", [None, "Mon, 01 Jan 2024 00:00:00 GMT"], ids=["ETag", "Last-Modified"])
def test_a_file_that_changed_between_two_tries_is_begun_anew(server, toy, tmp_path, if_range, modified):
    server.content, server.if_range = bytes(len(ARCHIVE)), if_range
    server.etag, server.modified = ('W/"weak"' if modified else '"old"'), modified
    server.cuts = [10_000]

    def change():
        server.content = ARCHIVE
        server.etag, server.modified = ('W/"weak"' if modified else '"new"'), modified and modified.replace("1", "2")

    server.after_cut = change
    fetch_toy(tmp_path)
    assert_whole(tmp_path)


def test_another_file_of_another_size_without_a_version_is_begun_anew(server, toy, tmp_path):
    server.etag, server.content, server.cuts = None, bytes(20_000), [10_000]
    server.after_cut = lambda: setattr(server, "content", ARCHIVE)
    fetch_toy(tmp_path)
    assert_whole(tmp_path)


def test_a_server_that_sends_another_range_than_it_was_asked_for(server, toy, tmp_path):
    server.cuts = [10_000]
    server.after_cut = lambda: setattr(server, "skew", 1)
    fetch_toy(tmp_path)
    assert_whole(tmp_path)


def test_a_server_that_sends_less_than_it_was_asked_for(server, toy, tmp_path):
    """It may: "bytes 10000-21999/37000" is a right answer to "bytes=10000-"."""
    server.cuts, server.piece = [10_000], 12_000
    fetch_toy(tmp_path)
    assert_whole(tmp_path)
    assert {"bytes=10000-", "bytes=22000-"} < {asked.get("Range") for asked in server.asked}


def test_a_mirror_goes_on_with_what_the_first_server_sent(server, toy, tmp_path):
    server.cuts = [100] * 5
    with pytest.raises(DownloadError):
        fetch_toy(tmp_path)
    server.etag = '"another server has other names for it"'
    fetch_toy(tmp_path, url=server.url.replace("toy.zip", "mirror"))
    assert_whole(tmp_path)
    assert server.asked[-1]["Range"] == "bytes=500-" and "If-Range" not in server.asked[-1]


@pytest.mark.parametrize("notes", [True, False], ids=["with notes", "without notes"])
def test_a_whole_file_that_was_not_checked_yet(server, toy, tmp_path, monkeypatch, notes):
    """Stopped in the last moment: after the last byte, before the sum."""
    with monkeypatch.context() as patch:
        patch.setattr(fetching, "sha256_of", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch_toy(tmp_path)
    if not notes:
        (tmp_path / "data" / "toy.zip.part.json").unlink()
    fetch_toy(tmp_path)
    assert_whole(tmp_path)
    assert len(server.asked) == (1 if notes else 2)  # without notes the server is asked, and answers 416


@pytest.mark.parametrize("extra", [1, 200_000])
def test_a_part_that_is_longer_than_the_file_is_begun_anew(server, toy, tmp_path, monkeypatch, extra):
    add_source(monkeypatch, server.url, ARCHIVE, room=1000)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "toy.zip.part").write_bytes(ARCHIVE + bytes(extra))
    fetch_toy(tmp_path)
    assert_whole(tmp_path)


@pytest.mark.parametrize("notes", ["", "[]", "{", '{"url": 3, "version": [], "size": "x"}', "\0", "[" * 9999])
def test_damaged_notes_are_no_harm(server, toy, tmp_path, notes):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "toy.zip.part").write_bytes(ARCHIVE[:1234])
    (tmp_path / "data" / "toy.zip.part.json").write_text(notes)
    fetch_toy(tmp_path)
    assert_whole(tmp_path)
    assert server.asked[0]["Range"] == "bytes=1234-"


def test_a_network_that_was_away_for_a_while(server, toy, tmp_path, monkeypatch):
    server.cuts, server.after_cut = [10_000], lambda: monkeypatch.setattr(requests.Session, "get", away)
    get = requests.Session.get

    def away(*_, **__):
        monkeypatch.setattr(requests.Session, "get", get)
        raise requests.ConnectionError("Network is unreachable")

    fetch_toy(tmp_path)
    assert_whole(tmp_path)
    assert len(server.asked) == 2


def test_a_server_that_is_busy_is_asked_again(server, toy, tmp_path):
    server.statuses = [503, 429, 500]
    fetch_toy(tmp_path)
    assert_whole(tmp_path)


def interrupt(*_, **__):
    raise KeyboardInterrupt


def test_stopped_in_the_download_the_next_call_goes_on(server, toy, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "CHUNK", 1000)
    with monkeypatch.context() as patch:
        read, calls = fetching._read, []
        patch.setattr(fetching, "_read", lambda r: calls.append(1) or (interrupt() if len(calls) > 7 else read(r)))
        with pytest.raises(KeyboardInterrupt):
            fetch_toy(tmp_path)
    fetch_toy(tmp_path)
    assert_whole(tmp_path)
    assert server.asked[1]["Range"] == "bytes=7000-"


def test_stopped_while_unpacking_nothing_half_is_left_and_nothing_is_fetched_twice(server, toy, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        from drumlib.data.download import unpack as unpacking

        read, calls = unpacking.read_entry, []
        patch.setattr(
            unpacking, "read_entry", lambda *a: calls.append(1) or (interrupt() if len(calls) > 7 else read(*a))
        )
        with pytest.raises(KeyboardInterrupt):
            fetch_toy(tmp_path)
    assert os.listdir(tmp_path / "data") == ["toy.zip"]
    fetch_toy(tmp_path)
    assert_whole(tmp_path)
    assert len(server.asked) == 1


# Downloads that end badly, in one line


def test_a_wrong_sum(server, toy, tmp_path):
    server.content = b"<html>Welcome to this hotel's network!</html>"
    with pytest.raises(DownloadError) as error:
        fetch_toy(tmp_path)
    assert hashlib.sha256(server.content).hexdigest() in str(error.value) and toy.sha256 in str(error.value)
    assert contents(tmp_path / "data") == {"toy.zip.wrong": server.content}
    server.content = ARCHIVE
    fetch_toy(tmp_path)
    assert contents(tmp_path / "data" / "toy").keys() > {"info.csv"} and "Range" not in server.asked[-1]


def test_doubts_about_a_sum_are_told(server, toy, tmp_path, monkeypatch):
    monkeypatch.setitem(SOURCES, "toy", DataSet(**{**vars(toy), "doubt": "hearsay"}))
    server.content = ARCHIVE[:-1]
    with pytest.raises(DownloadError, match="hearsay"):
        fetch_toy(tmp_path)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_errors_of_the_server_are_told_at_once(server, toy, tmp_path, status):
    server.statuses = [status] * 9
    with pytest.raises(DownloadError, match=f"toy.zip: the server answers {status} "):
        fetch_toy(tmp_path)
    assert len(server.asked) == 1 and os.listdir(tmp_path / "data") == []


def test_a_server_that_stays_busy_is_given_up(server, toy, tmp_path):
    server.statuses = [503] * 99
    with pytest.raises(DownloadError, match="503"):
        fetch_toy(tmp_path)
    assert len(server.asked) == fetching.TRIES


def test_a_server_that_promises_too_much_is_not_listened_to(server, toy, tmp_path):
    server.content = ARCHIVE + b"1"
    with pytest.raises(DownloadError, match=f"{len(ARCHIVE) + 1:,} bytes, more than"):
        fetch_toy(tmp_path)
    assert os.listdir(tmp_path / "data") == []


def test_a_server_that_sends_without_end_is_stopped(server, toy, tmp_path, monkeypatch):
    sent = []

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()  # no length: it ends when it ends
        handler.close_connection = True
        try:
            while len(sent) < 2_000:  # 131 megabytes, if nobody stops it
                handler.wfile.write(bytes(1 << 16))
                sent.append(1)
        except OSError:
            pass

    monkeypatch.setattr(server, "answer", endless)
    with pytest.raises(DownloadError, match="sends more than"):
        fetch_toy(tmp_path)
    assert os.listdir(tmp_path / "data") == [] and len(sent) < 2_000


def test_no_server(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching.time, "sleep", interrupt)  # it is not tried again: it never worked
    with pytest.raises(DownloadError, match="refuses the connection$"):
        fetch_toy(tmp_path, url="http://127.0.0.1:1/toy.zip")


def test_no_such_server(toy, tmp_path):
    with pytest.raises(DownloadError, match="no such server is known"):
        fetch_toy(tmp_path, url="http://drumlib.invalid/toy.zip")


def test_a_server_that_says_nothing(server, toy, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT", (0.2, 0.2))
    release = threading.Event()
    monkeypatch.setattr(server, "answer", lambda handler: release.wait(5))
    with pytest.raises(DownloadError, match="does not answer$"):
        fetch_toy(tmp_path)
    release.set()


def test_a_server_that_falls_silent(server, toy, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT", (0.2, 0.2))
    release = threading.Event()
    server.cuts, server.after_cut = [1000] * 9, lambda: release.wait(5)
    monkeypatch.setattr(fetching, "TRIES", 2)
    with pytest.raises(DownloadError, match="does not answer"):
        fetch_toy(tmp_path)
    release.set()


@pytest.mark.parametrize(
    "url", ["toy.zip", "://", "http://", "http://[", "http://a..b/", "file:///etc/passwd", "ftp://a/b"]
)
def test_what_is_no_address(toy, tmp_path, url):
    with pytest.raises(DownloadError, match="not the address of a file"):
        fetch_toy(tmp_path, url=url)


def test_a_server_that_sends_us_round_in_circles(server, toy, tmp_path, monkeypatch):
    def circle(handler):
        handler.send_response(302)
        handler.send_header("Location", "/again")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    monkeypatch.setattr(server, "answer", circle)
    with pytest.raises(DownloadError, match="redirects"):
        fetch_toy(tmp_path)


@pytest.mark.parametrize("sha256", ["", "12", "z" * 64, "0" * 65])
def test_what_is_no_sum_is_said_before_the_download(server, toy, tmp_path, sha256):
    with pytest.raises(ValueError, match="64 hexadecimal"):
        fetch_toy(tmp_path, sha256=sha256)
    assert not server.asked


def test_another_sum(server, toy, tmp_path):
    server.content = make_zip({"a.mid": b"1", "b.mid": b"2"})
    sha256 = hashlib.sha256(server.content).hexdigest()
    folder = fetch_toy(tmp_path, sha256=sha256.upper())
    assert contents(folder).keys() == {"a.mid", "b.mid", MARKER}
    assert is_downloaded("toy", folder, sha256) and not is_downloaded("toy", folder)


def test_no_such_source(tmp_path):
    with pytest.raises(ValueError, match="no source 'polka': choose groove or lakh"):
        download("polka", tmp_path / "polka")


# Folders


def test_an_empty_folder_is_filled(toy, tmp_path):
    (tmp_path / "data" / "toy").mkdir(parents=True)
    fetch_toy(tmp_path)
    assert_whole(tmp_path)


def test_a_folder_of_other_things_is_left_alone(server, toy, tmp_path):
    folder = tmp_path / "data" / "toy"
    folder.mkdir(parents=True)
    (folder / "diary.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="there already"):
        fetch_toy(tmp_path)
    assert contents(tmp_path) == {"data/toy/diary.txt": b"mine"} and not server.asked


def test_a_file_in_the_folders_place_is_left_alone(server, toy, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "toy").write_text("mine")
    with pytest.raises(FileExistsError, match="there already"):
        fetch_toy(tmp_path)
    assert not server.asked


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
@pytest.mark.parametrize("files", [FILES, {"a.mid": b"1", "b/c.mid": b"2"}], ids=["in one folder", "loose"])
def test_folders_and_files_are_ordinary_ones(server, tmp_path, monkeypatch, files):
    server.content = make_zip(files)
    add_source(monkeypatch, server.url, server.content)
    before = os.umask(0o022)
    try:
        folder = fetch_toy(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o644}


# An archive that was downloaded by hand


def test_an_archive_by_hand_is_unpacked_and_kept(server, toy, tmp_path):
    archive = tmp_path / "by hand.zip"
    archive.write_bytes(ARCHIVE)
    fetch_toy(tmp_path, archive=archive)
    assert_whole(tmp_path)
    assert archive.read_bytes() == ARCHIVE and not server.asked


@pytest.mark.parametrize("content", [b"", ARCHIVE[:-1], ARCHIVE + b"1", bytes(len(ARCHIVE))])
def test_another_archive_by_hand_is_refused_and_kept(toy, tmp_path, content):
    archive = tmp_path / "by hand.zip"
    archive.write_bytes(content)
    with pytest.raises(DownloadError, match="by hand.zip: not the archive of toy"):
        fetch_toy(tmp_path, archive=archive)
    assert contents(tmp_path) == {"by hand.zip": content}


def test_a_huge_archive_by_hand_is_not_read(toy, tmp_path):
    archive = tmp_path / "by hand.zip"
    archive.write_bytes(bytes(1_000_000))
    with pytest.raises(DownloadError, match="bytes, more than"):
        fetch_toy(tmp_path, archive=archive)


def test_an_archive_by_hand_that_is_none(toy, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        fetch_toy(tmp_path, archive=tmp_path / "nowhere")
    with pytest.raises(DownloadError, match="not an ordinary file"):
        fetch_toy(tmp_path, archive=tmp_path)


# Archives


def unpacked(data: bytes, tmp_path, bounds: Bounds = BOUNDS) -> dict[str, bytes]:
    """Unpack some bytes two folders down, and make sure that nothing came out elsewhere. Returns what did."""
    archive, folder = tmp_path / "archive", tmp_path / "in" / "folder"
    archive.write_bytes(data)
    folder.mkdir(parents=True)
    try:
        count = unpack(archive, folder, bounds, progress=False)
    finally:
        assert os.listdir(tmp_path / "in") == ["folder"] and sorted(os.listdir(tmp_path)) == ["archive", "in"]
        assert all(path.is_dir() or path.is_file() for path in folder.rglob("*"))
        assert not any(path.is_symlink() for path in folder.rglob("*"))
    found = contents(folder)
    assert count == len(found)
    return found


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_what_is_no_song_is_left_out(tmp_path, make):
    files = {
        "a.mid": b"1",
        "B.MIDI": b"2",
        "t/x.csv": b"3",
        "x.json": b"4",
        "README": b"5",
        "LICENSE": b"6",
        "n.txt": b"",
    }
    others = {
        "a.wav": b"1",
        "run.sh": b"2",
        "mid": b"3",
        "a.mid.exe": b"4",
        "._a.mid": b"5",
        ".mid": b"6",
        "Icon\r": b"",
    }
    assert unpacked(make(files | others), tmp_path) == files


HOSTILE_NAMES = {
    "up": "../out.mid",
    "up, inside": "a/../../../out.mid",
    "up, no song": "../out.sh",
    "absolute": "/tmp/drumlib-out.mid",
    "two slashes": "//tmp/drumlib-out.mid",
    "a drive": "C:/out.mid",
    "a drive's own folder": "C:out.mid",
    "a stream": "a.txt:b.mid",
    "backslashes": "..\\out.mid",
    "a share": "\\\\server\\out.mid",
    "a bell": "a\a.mid",
    "a name too long": "a" * 250 + ".mid",
    "a song too deep": "a/" * 50 + "a.mid",
}


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_hostile_names(tmp_path, make, name):
    with pytest.raises(ArchiveError, match="may lead out of the folder|not a name for a file"):
        unpacked(make({"first.mid": b"1", name: b"2"}), tmp_path)


def test_a_name_that_is_no_text(tmp_path):
    with pytest.raises(ArchiveError, match="not a name for a file"):
        unpacked(make_tar({"\udcff.mid": b"1"}), tmp_path)


def test_a_name_with_an_end_in_its_middle(tmp_path):
    data = make_zip({"songXmid.mid": b"1"}).replace(b"songXmid.mid", b"song\0mid.mid")
    with pytest.raises(ArchiveError):
        unpacked(data, tmp_path)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_dot_in_front_is_no_harm(tmp_path, make):
    assert unpacked(make({"./a/./b.mid": b"1"}), tmp_path) == {"a/b.mid": b"1"}


@pytest.mark.parametrize("name", ["link.mid", "link.exe"])
@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"?"]
)
def test_links_and_devices_in_a_tar(tmp_path, kind, name):
    data = make_tar_of((tar_member("a.mid", 1), b"1"), (tar_member(name, type=kind, linkname="/etc/passwd"), b""))
    with pytest.raises(ArchiveError, match="a link or a device"):
        unpacked(data, tmp_path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR])
def test_links_and_devices_in_a_zip(tmp_path, kind):
    info = zipfile.ZipInfo("link.mid")
    info.external_attr = (kind | 0o777) << 16
    with pytest.raises(ArchiveError, match="a link or a device"):
        unpacked(make_zip({info: b"/etc/passwd"}), tmp_path)


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("name", ["a.mid", "a.exe"])
def test_a_file_that_is_too_large(tmp_path, make, name):
    with pytest.raises(ArchiveError, match="larger than 10,000 bytes"):
        unpacked(make({"b.mid": b"1", name: bytes(10_001)}), tmp_path)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_too_much_altogether(tmp_path, make):
    with pytest.raises(ArchiveError, match="more than 100,000 bytes come out"):
        unpacked(make({f"{i}.{'mid' if i % 2 else 'exe'}": bytes(10_000) for i in range(11)}), tmp_path)


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("name", ["{}.mid", "{}.exe", "{}/"])
def test_too_many_files_or_folders(tmp_path, make, name):
    with pytest.raises(ArchiveError, match="more than 100 files and folders"):
        unpacked(make({name.format(i): b"" for i in range(101)}), tmp_path)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_large_file_among_small_ones(tmp_path, make):
    files = {"a.mid": b"1", "b.mid": NOISE * 1000, "c.mid": b"3", "d.csv": NOISE * 500}
    found = unpacked(make(files | {"x.wav": NOISE * 900}), tmp_path, Bounds(10, 500_000, 2_000_000))
    assert found == files


def test_exactly_what_is_allowed(tmp_path):
    files = {f"{i}.mid": bytes(10_000) for i in range(10)}
    assert unpacked(make_zip(files), tmp_path, Bounds(entries=10, file_bytes=10_000, all_bytes=100_000)) == files


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_bomb_is_stopped_early(tmp_path, kind):
    """A hundred megabytes of zeros in a hundred kilobytes; the sizes that are stated are true."""
    zeros = bytes(100_000_000)
    data = make_zip({"a.mid": zeros}, zipfile.ZIP_DEFLATED) if kind == "zip" else make_tar({"a.mid": zeros})
    del zeros
    assert len(data) < 200_000
    start = time.perf_counter()
    with pytest.raises(ArchiveError, match="larger than"):
        unpacked(data, tmp_path)
    assert time.perf_counter() - start < 0.5


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("planted", ["toy.zip.part", "toy.zip.part.json"])
@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_downloaded_through_a_link(toy, tmp_path, planted, there):
    (tmp_path / "data").mkdir()
    target = tmp_path / "precious"
    if there:
        target.write_bytes(b"precious")
    (tmp_path / "data" / planted).symlink_to(target)
    with pytest.raises(FileExistsError, match="it is a link"):
        fetch_toy(tmp_path)
    assert target.read_bytes() == b"precious" if there else not target.exists()


@pytest.mark.parametrize("bounds", [BOUNDS, Bounds(190_000, 10_000, 100_000)])
def test_a_zip_of_very_many_empty_files_is_refused_before_its_table_is_read(tmp_path, bounds):
    """Of each entry zipfile makes an object, when it opens the file. A table is long, or of many small entries."""
    names = [b"%06d.mid" % i for i in range(200_000)]
    entry = b"PK\1\2" + struct.pack("<4B4H3L5H2L", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0)
    table = b"".join(entry + name for name in names)
    end = b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, len(table), 0, 0)  # which says that there is one file
    assert len(zipfile.ZipFile(io.BytesIO(table[:56] + end[:12] + struct.pack("<2LH", 56, 0, 0))).infolist()) == 1
    start = time.perf_counter()
    with pytest.raises(ArchiveError, match=f"it holds more than {bounds.entries:,} files and folders"):
        unpacked(table + end, tmp_path, bounds)
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize("stated", [0, 1, 5_000, 5_001, 9_000, 2**32 - 2])
def test_a_zip_that_lies_about_a_size(tmp_path, stated):
    true, data = 5_000, make_zip({"a.mid": bytes(5_000)}, zipfile.ZIP_DEFLATED)
    assert data.count(struct.pack("<I", true)) == 2  # in front of the file, and in the list at the end
    data = data.replace(struct.pack("<I", true), struct.pack("<I", stated))
    if stated == true:
        assert unpacked(data, tmp_path) == {"a.mid": bytes(true)}
    else:
        with pytest.raises(ArchiveError, match="damaged"):
            unpacked(data, tmp_path)


def test_a_small_size_does_not_let_a_bomb_in(tmp_path):
    """The list says ten bytes; a hundred megabytes would come."""
    size = 100_000_000
    data = make_zip({"a.mid": bytes(size)}, zipfile.ZIP_DEFLATED).replace(
        struct.pack("<I", size), struct.pack("<I", 10)
    )
    with pytest.raises(ArchiveError):
        unpacked(data, tmp_path)


def test_a_long_name_of_a_gigabyte_is_not_read(tmp_path):
    """tarfile reads such names, and other headers, all at once: into memory."""
    for kind in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE):
        header = tar_member("././@LongLink", 1_000_000_000, type=kind).tobuf(tarfile.GNU_FORMAT)
        data = gzip.compress(header + bytes(50_000_000), 1)
        folder = tmp_path / kind.decode()
        folder.mkdir()
        with pytest.raises(ArchiveError, match="too much between two of its files"):
            unpacked(data, folder)


def test_a_terabyte_of_holes_is_refused(tmp_path):
    member = tar_member("a.mid", 0, pax_headers={"GNU.sparse.size": str(10**12), "GNU.sparse.map": "0,0"})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member)
    with pytest.raises(ArchiveError, match="larger than"):
        unpacked(buffer.getvalue(), tmp_path)


def test_an_encrypted_zip(tmp_path):
    data = bytearray(make_zip({"a.mid": b"1"}))
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(ArchiveError, match="archive: it is encrypted$"):
        unpacked(bytes(data), tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_is_packed_in_another_way(tmp_path, method):
    with pytest.raises(ArchiveError, match="compressed by a method"):
        unpacked(make_zip({"a.mid": bytes(1000)}, method), tmp_path)


DOUBLES = {
    "one name": ["a.mid", "a.mid"],
    "one name, said in two ways": ["x/a.mid", "x/./a.mid"],
    "a folder in a file": ["a.mid", "a.mid/b.mid"],
    "a file in a folder's place": ["a.mid/b.mid", "a.mid"],
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("names", DOUBLES.values(), ids=DOUBLES)
def test_two_files_of_one_name(tmp_path, kind, names):
    if kind == "tar":
        data = make_tar_of(*((tar_member(name, 1), b"1") for name in names))
    else:
        data = make_zip({zipfile.ZipInfo(name): b"1" for name in names})
    with pytest.raises(ArchiveError, match="two of its files have one name: "):
        unpacked(data, tmp_path)


@pytest.mark.parametrize("data", [b"", b"P", b"hello", b"MThd" + bytes(100), b"PK", b"\x1f\x8b", b"PK" + bytes(100)])
def test_what_is_no_archive(tmp_path, data):
    with pytest.raises(ArchiveError, match="archive: it is"):
        unpacked(data, tmp_path)


@pytest.mark.parametrize(
    ("make", "files"), [(make_zip, {}), (make_tar, {}), (make_zip, {"a.exe": b"1"})], ids=["zip", "tar", "no songs"]
)
def test_an_archive_without_songs(tmp_path, make, files):
    with pytest.raises(ArchiveError, match="no songs|damaged"):
        unpacked(make(files), tmp_path)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_an_archive_that_is_cut_anywhere_is_refused(tmp_path, make):
    data = make({"a.mid": NOISE[:200], "b/c.mid": NOISE[200:500]})
    for end in range(0, len(data), 7):
        folder = tmp_path / str(end)
        folder.mkdir()
        with pytest.raises(ArchiveError):
            unpacked(data[:end], folder)


def test_a_tar_with_a_damaged_header_is_not_taken_for_a_shorter_one(tmp_path):
    raw = bytearray(gzip.decompress(make_tar({f"{i}.mid": bytes([i + 1]) * 600 for i in range(5)})))
    for at in (1536 * 2 + 5, 1536 * 4 + 5):
        damaged = raw.copy()
        damaged[at] ^= 0xFF
        folder = tmp_path / str(at)
        folder.mkdir()
        with pytest.raises(ArchiveError, match="damaged"):
            unpacked(gzip.compress(bytes(damaged)), folder)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_wrong_byte_anywhere_gives_an_error_or_the_files_as_they_were(tmp_path, make):
    """Damage that checksums do not cover may change a name or a date; it never raises anything else."""
    files = {"a.mid": NOISE[:50], "b/c.mid": NOISE[50:110]}
    data = make(files)
    for at in range(0, len(data), 3):
        damaged = bytearray(data)
        damaged[at] ^= 1 << at % 8
        folder = tmp_path / str(at)
        folder.mkdir()
        try:
            found = unpacked(bytes(damaged), folder)
        except ArchiveError:
            continue
        assert set(found.values()) <= set(files.values())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_says_which_file(tmp_path):
    from drumlib.data.download.unpack import naming

    with pytest.raises(OSError, match="No space left.*full"), naming("/dev/full"), open("/dev/full", "wb", 0) as file:
        file.write(b"1")


# The command line


def test_the_command(server, toy, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["download", "toy"]) == 0
    out = capsys.readouterr().out
    assert os.path.join("data", "toy") in out and "CC BY 4.0" in out and "Toymaker" in out
    assert_whole(tmp_path)
    assert main(["download", "toy"]) == 0
    assert "there already, nothing to do" in capsys.readouterr().out and len(server.asked) == 1


def test_the_commands_options(server, toy, tmp_path):
    archive, folder = tmp_path / "by hand.zip", tmp_path / "else" / "where"
    archive.write_bytes(ARCHIVE)
    assert main(["download", "toy", "-o", str(folder), "--archive", str(archive)]) == 0
    assert is_downloaded("toy", folder) and not server.asked
    assert main(["download", "toy", "-o", str(folder) + "2", "--url", server.url, "--sha256", toy.sha256]) == 0
    assert is_downloaded("toy", str(folder) + "2")


def test_the_commands_errors_are_one_line(server, toy, tmp_path, capsys):
    server.statuses = [404]
    assert main(["download", "toy", "-o", str(tmp_path / "toy")]) == 1
    assert capsys.readouterr().err == f"drumlib: {server.url}: the server answers 404 Not Found\n"
    assert main(["download", "polka"]) == 1
    assert capsys.readouterr().err.startswith("drumlib: no source 'polka'")


def test_what_is_stated_of_the_sources_makes_sense():
    for name, source in SOURCES.items():
        assert source.name == name and len(bytes.fromhex(source.sha256)) == 32
        assert "CC BY 4.0" in source.licence and source.url.startswith("http")
    assert SOURCES["lakh"].doubt, "nobody has checked its sum"


def test_nothing_heavy_is_imported_before_it_is_needed():
    heavy = {"requests", "urllib3", "tqdm", "keras", "numpy"}
    code = f"import sys, drumlib.data.download.download; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_real_groove_archive(shared_data, tmp_path):
    archive = shared_data.parent / "groove" / "groove-v1.0.0-midionly.zip"
    if not archive.is_file():
        pytest.skip(f"the Groove MIDI Dataset's archive not found in {archive.parent}")
    folder = download("groove", tmp_path / "groove", archive=archive, progress=False)
    assert len(list(folder.rglob("*.mid"))) == 1150 and (folder / "info.csv").is_file()
