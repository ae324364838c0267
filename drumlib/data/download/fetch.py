"""One large file, brought here over a connection that breaks: it goes on where it broke, and is checked by its sum.

requests does the asking. pooch would check the sum as well; but when it is stopped, it deletes what it was checking,
and after an hour's download that is a pity.
"""

import contextlib
import hashlib
import json
import re
import socket
import ssl
import time
from pathlib import Path

from drumlib import __version__
from drumlib.data.download.unpack import CHUNK, naming
from drumlib.files import write_whole

TIMEOUT = (10, 30)
"""Seconds until a server must have taken the connection; seconds in which something must come."""

TRIES, WAIT, ENOUGH = 5, 1.0, 1 << 20
"""A broken connection is tried again until five in a row brought less than ENOUGH bytes. WAIT: seconds, then more."""


class DownloadError(OSError):
    """A file that is not the right one, or did not come whole. The message says why, and what a second call will do."""


class Broken(Exception):
    """A connection that broke, or was refused: it may be tried again. ``answered`` if the server spoke to us at all."""

    def __init__(self, reason: str, answered: bool):
        super().__init__(reason)
        self.answered = answered


def fetch(url: str, path: Path, sha256: str, most: int, progress: bool = True, doubt: str = "") -> None:
    """Bring the file at ``url`` to ``path``, going on with what an earlier call left in ``path`` + ``.part``.

    A file with another sum is set aside as ``path`` + ``.wrong``, and the next call begins anew. ``doubt`` is what
    speaks against the sum itself, for the message.

    Raises
    ------
    DownloadError
        If the server cannot be reached or does not give the file, if more than ``most`` bytes come, or if they have
        another sum.
    OSError
        If the file cannot be written.
    """
    import requests
    from tqdm import tqdm

    part, wrong = (path.with_name(path.name + ending) for ending in (".part", ".wrong"))
    furthest, failures, tried = size_of(part), 0, False
    with (
        requests.Session() as session,
        tqdm(desc=path.name, unit="B", unit_scale=True, disable=not progress, delay=0.01) as bar,
    ):
        while True:
            try:
                _go_on(session, url, part, most, bar)
                break
            except Broken as broken:
                have = size_of(part)
                failures = 1 if have - furthest >= ENOUGH else failures + 1
                furthest = max(have, furthest)
                if failures >= TRIES or not (tried or broken.answered):  # what never worked is not tried again
                    kept = f". {have:,} bytes are here: call again to go on" if have else ""
                    raise DownloadError(f"{url}: {broken}{kept}") from None
                tried = True
                time.sleep(WAIT * failures)
    found = sum_of(part, progress)
    if found != sha256:
        part.replace(wrong)
        _discard(part)
        raise DownloadError(
            f"{url}: not the file that it should be: {sums(found, sha256, doubt)}. "
            f"It is kept as {wrong}; call again to begin anew"
        )
    part.replace(path)
    _discard(part)


def _go_on(session, url: str, part: Path, most: int, bar) -> None:
    """Ask once for what is missing of a file, and add what comes to ``part``. Raises Broken if it is not all."""
    import requests

    have, known = size_of(part), _notes(part)
    if have and have == known.get("size"):
        return  # all of it is here, and was not checked yet
    headers = {
        "User-Agent": f"drumlib/{__version__}",
        "Accept-Encoding": "identity",  # the file's own bytes: a part of packed ones would be of no use
    }
    version = known.get("version") if known.get("url") == url else None
    if have:
        headers["Range"] = f"bytes={have}-"
        if version:
            headers["If-Range"] = version  # "if it is another file by now, send all of it"
    try:
        response = session.get(url, headers=headers, stream=True, timeout=TIMEOUT)
    except ValueError:  # requests has four kinds of them for an address that is none
        raise DownloadError(f"{url}: not the address of a file (http://... or https://...)") from None
    except requests.RequestException as error:
        raise Broken(reason(error), answered=False) from None
    with response:
        status, answer = response.status_code, response.headers
        if have and status in (206, 416):
            first, size = _range(answer.get("Content-Range", ""))
            if status == 416 and size == have:
                return
            changed = version and _version(answer) not in (None, version)  # and it does not know If-Range
            if status == 416 or first != have or changed or known.get("size", size) != size:
                _discard(part)
                return _go_on(session, url, part, most, bar)
        elif status == 200:
            have, size = _discard(part), _number(answer.get("Content-Length", ""))
        elif status in (429, 500, 502, 503, 504):
            raise Broken(f"the server answers {status} {response.reason}", answered=True)
        else:
            raise DownloadError(f"{url}: the server answers {status} {response.reason}")
        if size is not None and size > most:
            _discard(part)
            raise DownloadError(
                f"{url}: the server has {size:,} bytes for us, more than the {most:,} of the right file"
            )
        _write_notes(part, url=url, version=_version(answer), size=size)
        bar.reset(size)
        bar.initial = bar.n = bar.last_print_n = have
        bar.refresh()
        with open(part, "ab") as file:
            while chunk := _read(response):
                have += len(chunk)
                if have > most:
                    break
                with naming(part):
                    file.write(chunk)
                bar.update(len(chunk))
    if have > most:
        _discard(part)
        raise DownloadError(f"{url}: the server sends more than the {most:,} bytes of the right file")
    if size is not None and have < size:
        raise Broken("the connection broke off", answered=True)


def _read(response) -> bytes:
    """The next bytes of an answer, as they came: some servers call a .tar.gz "packed", and requests would unpack it."""
    import urllib3

    try:
        return response.raw.read(CHUNK, decode_content=False)
    except (OSError, urllib3.exceptions.HTTPError) as error:
        raise Broken(reason(error), answered=True) from None


def reason(error: BaseException) -> str:
    """Why a connection failed, in a few words: requests wraps the true error in several others."""
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


def sum_of(path: Path, progress: bool = True) -> str:
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


def sums(found: str, sha256: str, doubt: str = "") -> str:
    """The words for a sum that is not the right one."""
    return f"its sha256 is {found}, not {sha256}" + (f" ({doubt})" if doubt else "")


def size_of(path: Path) -> int:
    """The size of a file in bytes: 0 if it is not there."""
    return path.stat().st_size if path.exists() else 0


def _version(headers) -> str | None:
    """What tells one state of a file on a server from another; a weak ETag (W/...) promises too little."""
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified")


def _range(header: str) -> tuple[int | None, int | None]:
    """From "bytes 5-9/10" (or "bytes */10"): the first byte, 5, and the size of the whole, 10. None where unknown."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", header.strip())
    return (_number(match[1] or ""), _number(match[2])) if match else (None, None)


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _notes_path(part: Path) -> Path:
    """The file that says of which file, and of which version of it, ``part`` is a part."""
    return part.with_name(part.name + ".json")


def _write_notes(part: Path, **notes) -> None:
    known = {key: value for key, value in notes.items() if value is not None}
    write_whole(_notes_path(part), json.dumps(known).encode())


def _notes(part: Path) -> dict:
    """What was noted of a part: url and version, both text; size, in bytes. All that is missing or odd is left out."""
    kinds = {"url": str, "version": str, "size": int}
    found = read_json(_notes_path(part))
    return {key: found[key] for key, kind in kinds.items() if isinstance(found.get(key), kind)}


def _discard(part: Path) -> int:
    """Forget an unfinished download. Returns how much is left of it: nothing."""
    part.unlink(missing_ok=True)
    _notes_path(part).unlink(missing_ok=True)
    return 0


def read_json(path: Path) -> dict:
    """The JSON object in a small file of ours; an empty one if there is no such file, or something else in it."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        with open(path, "rb") as file:
            found = json.loads(file.read(CHUNK))
        return found if isinstance(found, dict) else {}
    return {}
