"""Downloading one large file over HTTP: resumed after interruptions, and checked by its sha256.

pooch checks sums as well, but deletes the part that it has when it is interrupted, so it cannot resume.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import socket
import ssl
import time
from pathlib import Path

from drumlib import __version__
from drumlib.data.download.unpack import CHUNK, naming
from drumlib.files import write_whole

TIMEOUT = (10, 30)
"""Seconds to connect; seconds to wait for data."""

TRIES, WAIT, ENOUGH = 5, 1.0, 1 << 20
"""A download fails after TRIES connections in a row with fewer than ENOUGH bytes each; WAIT: seconds between them."""


class DownloadError(OSError):
    """A file that is incomplete, or has another checksum. The message says why, and what a second call will do."""


class ConnectionBroken(Exception):
    """A connection that failed and may be tried again. ``answered``: whether the server answered at all."""

    def __init__(self, reason: str, answered: bool):
        super().__init__(reason)
        self.answered = answered


def fetch(url: str, path: Path, sha256: str, max_bytes: int, progress: bool = True, doubt: str = "") -> None:
    """Download ``url`` to ``path``, resuming from the ``path`` + ``.part`` of an earlier call.

    A file with another checksum is renamed to ``path`` + ``.wrong``, and the next call starts afresh. ``doubt`` is a
    caveat about the checksum itself, for the message.

    Raises
    ------
    DownloadError
        If the server cannot be reached or refuses the file, if it sends more than ``max_bytes``, or if the checksum is
        another.
    OSError
        If the file cannot be written, or a link lies in its place, which might lead to another file.
    """
    import requests
    from tqdm import tqdm

    part, wrong = (path.with_name(path.name + ending) for ending in (".part", ".wrong"))
    for place in (part, _state_path(part)):
        if place.is_symlink():
            raise FileExistsError(errno.EEXIST, "it is a link, and nothing is downloaded through one", str(place))
    furthest, failures, tried = size_of(part), 0, False
    with (
        requests.Session() as session,
        tqdm(desc=path.name, unit="B", unit_scale=True, disable=not progress, delay=0.01) as bar,
    ):
        while True:
            try:
                _continue(session, url, part, max_bytes, bar)
                break
            except ConnectionBroken as broken:
                have = size_of(part)
                failures = 1 if have - furthest >= ENOUGH else failures + 1
                furthest = max(have, furthest)
                if failures >= TRIES or not (tried or broken.answered):  # the first connection is not tried again
                    kept = f". {have:,} bytes are here: call again to go on" if have else ""
                    raise DownloadError(f"{url}: {broken}{kept}") from None
                tried = True
                time.sleep(WAIT * failures)
    found = sha256_of(part, progress)
    if found != sha256:
        part.replace(wrong)
        _discard(part)
        raise DownloadError(
            f"{url}: not the file that it should be: {mismatch_message(found, sha256, doubt)}. "
            f"It is kept as {wrong}; call again to begin anew"
        )
    part.replace(path)
    _discard(part)


def _continue(session, url: str, part: Path, max_bytes: int, bar) -> None:
    """Request what is missing of a file once, and append it to ``part``. Raises ConnectionBroken if it is not all."""
    import requests

    have, known = size_of(part), _read_state(part)
    if have and have == known.get("size"):
        return  # complete, but not checked yet
    headers = {
        "User-Agent": f"drumlib/{__version__}",
        "Accept-Encoding": "identity",  # the file's own bytes: a compressed part could not be resumed
    }
    version = known.get("version") if known.get("url") == url else None
    if have:
        headers["Range"] = f"bytes={have}-"
        if version:
            headers["If-Range"] = version  # "if the file has changed, send all of it"
    try:
        response = session.get(url, headers=headers, stream=True, timeout=TIMEOUT)
    except ValueError:  # requests raises four kinds of it for a malformed address
        raise DownloadError(f"{url}: not the address of a file (http://... or https://...)") from None
    except requests.RequestException as error:
        raise ConnectionBroken(reason(error), answered=False) from None
    with response:
        status, answer = response.status_code, response.headers
        if have and status in (206, 416):
            first, size = _range(answer.get("Content-Range", ""))
            if status == 416 and size == have:
                return
            changed = version and _version(answer) not in (None, version)  # the server ignores If-Range
            if status == 416 or first != have or changed or known.get("size", size) != size:
                _discard(part)
                return _continue(session, url, part, max_bytes, bar)
        elif status == 200:
            have, size = _discard(part), _number(answer.get("Content-Length", ""))
        elif status in (429, 500, 502, 503, 504):
            raise ConnectionBroken(f"the server answers {status} {response.reason}", answered=True)
        else:
            raise DownloadError(f"{url}: the server answers {status} {response.reason}")
        if size is not None and size > max_bytes:
            _discard(part)
            raise DownloadError(f"{url}: the server has {size:,} bytes, more than the {max_bytes:,} of the right file")
        _write_state(part, url=url, version=_version(answer), size=size)
        bar.reset(size)
        bar.initial = bar.n = bar.last_print_n = have
        bar.refresh()
        with open(part, "ab", opener=_no_link) as file:
            while chunk := _read(response):
                have += len(chunk)
                if have > max_bytes:
                    break
                with naming(part):
                    file.write(chunk)
                bar.update(len(chunk))
    if have > max_bytes:
        _discard(part)
        raise DownloadError(f"{url}: the server sends more than the {max_bytes:,} bytes of the right file")
    if size is not None and have < size:
        raise ConnectionBroken("the connection broke off", answered=True)


def _no_link(path: str, flags: int) -> int:
    """Open a file, but not through a link, where the system can tell."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _read(response) -> bytes:
    """The next bytes of a response, not decoded: some servers send a .tar.gz with "Content-Encoding: gzip"."""
    import urllib3

    try:
        return response.raw.read(CHUNK, decode_content=False)
    except (OSError, urllib3.exceptions.HTTPError) as error:
        raise ConnectionBroken(reason(error), answered=True) from None


def reason(error: BaseException) -> str:
    """Why a connection failed, in a few words, from the innermost of the errors that requests has chained."""
    chain = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None and len(chain) < 20:
        chain.append(inner)
    for kind, words in [
        (socket.gaierror, "no such server is known (is there a network?)"),
        (ssl.SSLError, "the server's certificate is not accepted"),
        (ConnectionRefusedError, "the server refuses the connection"),
        (TimeoutError, "the server does not answer"),
    ]:
        if any(isinstance(link, kind) for link in chain):
            return words
    return f"the connection broke off ({' '.join(str(chain[-1]).split())[:200] or type(chain[-1]).__name__})"


def sha256_of(path: Path, progress: bool = True) -> str:
    """The sha256 of a file, in hexadecimal."""
    from tqdm import tqdm

    digest = hashlib.sha256()
    with (
        open(path, "rb") as file,
        tqdm(total=size_of(path), desc="checking", unit="B", unit_scale=True, disable=not progress) as bar,
    ):
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            bar.update(len(chunk))
    return digest.hexdigest()


def mismatch_message(found: str, sha256: str, doubt: str = "") -> str:
    """The part of an error message about a wrong checksum."""
    return f"its sha256 is {found}, not {sha256}" + (f" ({doubt})" if doubt else "")


def size_of(path: Path) -> int:
    """The size of a file in bytes: 0 if it is not there."""
    return path.stat().st_size if path.exists() else 0


def _version(headers) -> str | None:
    """A version of the file, from the response's headers: a strong ETag, or the time of the last change."""
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified")


def _range(header: str) -> tuple[int | None, int | None]:
    """From "bytes 5-9/10" (or "bytes */10"): the first byte, 5, and the total size, 10. None where unknown."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", header.strip())
    return (_number(match[1] or ""), _number(match[2])) if match else (None, None)


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _state_path(part: Path) -> Path:
    """The file with the url, the version and the size of the file that ``part`` is a part of."""
    return part.with_name(part.name + ".json")


def _write_state(part: Path, **state) -> None:
    known = {key: value for key, value in state.items() if value is not None}
    write_whole(_state_path(part), json.dumps(known).encode())


def _read_state(part: Path) -> dict:
    """The url, version and size that were written for a part, without what is absent or of a wrong type."""
    kinds = {"url": str, "version": str, "size": int}
    found = read_json(_state_path(part))
    return {key: found[key] for key, kind in kinds.items() if isinstance(found.get(key), kind)}


def _discard(part: Path) -> int:
    """Remove an unfinished download. Returns the number of bytes that are left, 0."""
    part.unlink(missing_ok=True)
    _state_path(part).unlink(missing_ok=True)
    return 0


def read_json(path: Path) -> dict:
    """The JSON object in a small file; an empty one if the file is absent or holds something else."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        with open(path, "rb") as file:
            found = json.loads(file.read(CHUNK))
        return found if isinstance(found, dict) else {}
    return {}
