"""Songs of others: where they are, whose they are, and how they come here whole (``python -m drumlib download``)."""

import errno
import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from drumlib.data.download.fetch import DownloadError, fetch, read_json, sum_of, sums
from drumlib.data.download.unpack import ArchiveError, Bounds, unpack
from drumlib.files import write_whole

__all__ = ["SOURCES", "ArchiveError", "Bounds", "DownloadError", "DataSet", "download", "find_source", "is_downloaded"]

MARKER = "SOURCE.json"
"""The file, in a downloaded folder, that says where all of it is from and whose it is. Only a whole folder has it."""


@dataclass(frozen=True)
class DataSet:
    """A data set on the web.

    Attributes
    ----------
    name, what : its short name, and what it is.
    url, sha256 : where its archive is, and the archive's sum, in hexadecimal.
    licence, citation : how it may be used, and what to cite.
    archive_bytes : the archive has no more bytes than these.
    bounds : how much may come out of it.
    doubt : what speaks against the sum, if anything does.
    """

    name: str
    what: str
    url: str
    sha256: str
    licence: str
    citation: str
    archive_bytes: int
    bounds: Bounds
    doubt: str = ""


GROOVE = DataSet(
    name="groove",
    what="the Groove MIDI Dataset: 1,150 performances on an electronic drum kit (3 MB to download)",
    url="https://storage.googleapis.com/magentadata/datasets/groove/groove-v1.0.0-midionly.zip",
    sha256="651cbc524ffb891be1a3e46d89dc82a1cecb09a57c748c7b45b844c4841dcc1e",
    licence="CC BY 4.0, Google LLC",
    citation="Gillick, Roberts, Engel, Eck, Bamman: Learning to Groove with Inverse Sequence Transformations. "
    "International Conference on Machine Learning, 2019",
    archive_bytes=3_260_318,
    bounds=Bounds(entries=2_000, file_bytes=1_000_000, all_bytes=20_000_000),
)

LAKH = DataSet(
    name="lakh",
    what="the Lakh MIDI Dataset, the part matched to the Million Song Dataset: 116,189 files (1.4 GB to download)",
    url="http://hog.ee.columbia.edu/craffel/lmd/lmd_matched.tar.gz",
    # As one public project states it. We never had the archive in our hands, and so have not checked it.
    sha256="621ff830aed771f469e5bfa13dc12a33c6ed69090adeda63d0b5c47783af0191",
    licence="CC BY 4.0",
    citation="Raffel: Learning-Based Methods for Comparing Sequences, with Applications to Audio-to-MIDI Alignment and "
    "Matching. PhD thesis, Columbia University, 2016",
    # For the same reason these bounds are wide: they shall keep a bomb out, not a song.
    archive_bytes=2_000_000_000,
    bounds=Bounds(entries=300_000, file_bytes=100_000_000, all_bytes=20_000_000_000),
    doubt="we have this sum from one public project, and have not checked it ourselves",
)

SOURCES = {source.name: source for source in (GROOVE, LAKH)}


def find_source(name: str) -> DataSet:
    """The source of that name. Raises ValueError if there is none."""
    if name not in SOURCES:
        raise ValueError(f"no source {name!r}: choose {' or '.join(SOURCES)}")
    return SOURCES[name]


def is_downloaded(name: str, folder: str | os.PathLike, sha256: str | None = None) -> bool:
    """Whether a folder holds what ``download`` put there. Files that were taken away by hand are not missed."""
    return read_json(Path(folder) / MARKER).get("sha256") == right_sum(find_source(name), sha256)


def right_sum(source: DataSet, sha256: str | None) -> str:
    """The sum that an archive must have: the source's, or another. Raises ValueError if that one is no sum."""
    if sha256 is None:
        return source.sha256
    if not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise ValueError(f"{sha256!r}: a sha256 has 64 hexadecimal digits")
    return sha256.lower()


def download(
    name: str,
    folder: str | os.PathLike,
    url: str | None = None,
    sha256: str | None = None,
    archive: str | os.PathLike | None = None,
    progress: bool = True,
) -> Path:
    """Download a data set and unpack it into ``folder``, which it returns. If it is there already, nothing is done.

    The archive lies beside the folder until it is unpacked; then it is deleted. Stopped at any time, the next call goes
    on: the download where it broke off, the unpacking from its beginning.

    Parameters
    ----------
    name : one of ``SOURCES``.
    folder : the folder to be; it must be absent or empty.
    url : a mirror. The sum stays the same.
    sha256 : another sum, if you know better than ``SOURCES``.
    archive : an archive that was downloaded by hand. It is not deleted.
    progress : whether to show progress bars.

    Raises
    ------
    DownloadError
        If the server cannot be reached or does not give the file, or the archive has another sum.
    ArchiveError
        If the archive is damaged, or holds what we do not unpack (see ``drumlib.data.download.unpack``).
    ValueError
        If there is no source of that name.
    OSError
        If the folder is taken, or cannot be written to.
    """
    source, target = find_source(name), Path(folder).resolve()
    sha256 = right_sum(source, sha256)
    if is_downloaded(name, target, sha256):
        return Path(folder)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise FileExistsError(errno.EEXIST, f"it is there already, and is not {name} as we unpack it", str(folder))
    if archive is not None:
        check_archive(Path(archive), source, sha256, progress)
        target.parent.mkdir(parents=True, exist_ok=True)
        unpack_whole(Path(archive), target, source, sha256, progress)
        return Path(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    fetched = target.parent / source.url.rsplit("/", 1)[-1]
    if fetched.exists():  # an earlier call was stopped while it unpacked
        check_archive(fetched, source, sha256, progress)
    else:
        fetch(url or source.url, fetched, sha256, source.archive_bytes, progress, source.doubt)
    unpack_whole(fetched, target, source, sha256, progress)
    fetched.unlink()
    return Path(folder)


def check_archive(archive: Path, source: DataSet, sha256: str, progress: bool = True) -> None:
    """Check an archive that was not fetched just now.

    Raises
    ------
    DownloadError
        If it has another sum, is larger than the source's, or is no ordinary file.
    """
    size = archive.stat().st_size
    if not archive.is_file():
        raise DownloadError(f"{archive}: not an ordinary file")
    if size > source.archive_bytes:
        raise DownloadError(
            f"{archive}: not the archive of {source.name}: it has {size:,} bytes, more than {source.archive_bytes:,}"
        )
    found = sum_of(archive, progress)
    if found != sha256:
        raise DownloadError(
            f"{archive}: not the archive of {source.name}, or a damaged one: {sums(found, sha256, source.doubt)}. "
            "Remove it, and download it again"
        )


def unpack_whole(archive: Path, target: Path, source: DataSet, sha256: str, progress: bool = True) -> None:
    """Unpack into a new folder beside the target, which takes the target's place when all is there.

    Stopped with Ctrl-C it takes its folder with it. Only if the process is killed, a ``.unpacking-...`` stays behind.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpacking-") as temporary:
        whole = Path(temporary) / "all"
        whole.mkdir()  # not the temporary folder itself: that one is private
        files = unpack(archive, whole, source.bounds, progress)
        top = list(whole.iterdir())
        if len(top) == 1 and top[0].is_dir():  # all in one folder, groove/...: it becomes the target
            whole = top[0]
        about = {key: value for key, value in asdict(source).items() if isinstance(value, str) and value}
        about |= {"sha256": sha256, "files": files}
        if sha256 != source.sha256:
            about["doubt"] = f"not the published archive: its sum is {source.sha256}; whose this is, we do not know"
        write_whole(whole / MARKER, json.dumps(about, indent=1, ensure_ascii=False).encode())
        if target.exists():
            target.rmdir()  # it is empty; Windows does not rename onto it
        whole.rename(target)
