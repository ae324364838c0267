"""Downloading data sets: their addresses, checksums, licences and citations (``drumlib download``)."""

import errno
import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from drumlib.data.download.fetch import DownloadError, fetch, mismatch_message, read_json, sha256_of
from drumlib.data.download.unpack import ArchiveError, Bounds, unpack
from drumlib.files import write_whole

__all__ = ["SOURCES", "ArchiveError", "Bounds", "DownloadError", "DataSet", "download", "find_source", "is_downloaded"]

MARKER = "SOURCE.json"
"""The file in a downloaded folder that names its origin, licence and citation. It is written last."""


@dataclass(frozen=True)
class DataSet:
    """A data set on the web.

    Attributes
    ----------
    name, what : its short name, and a description.
    url, sha256 : the address of its archive, and the archive's checksum, in hexadecimal.
    licence, citation : its licence, and the work to cite.
    archive_bytes : the most bytes of the archive.
    bounds : the most that may be unpacked from it.
    doubt : a caveat about the checksum, for error messages.
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
    # As one public project states it: we have not had the archive, and could not check it.
    sha256="621ff830aed771f469e5bfa13dc12a33c6ed69090adeda63d0b5c47783af0191",
    licence="CC BY 4.0",
    citation="Raffel: Learning-Based Methods for Comparing Sequences, with Applications to Audio-to-MIDI Alignment and "
    "Matching. PhD thesis, Columbia University, 2016",
    # For the same reason these bounds are wide: they exclude a decompression bomb, not a song.
    archive_bytes=2_000_000_000,
    bounds=Bounds(entries=300_000, file_bytes=100_000_000, all_bytes=20_000_000_000),
    doubt="we have this sum from one public project, and have not checked it ourselves",
)

SOURCES = {source.name: source for source in (GROOVE, LAKH)}


def find_source(name: str) -> DataSet:
    """The data set of that name. Raises ValueError if there is none."""
    if name not in SOURCES:
        raise ValueError(f"no source {name!r}: choose {' or '.join(SOURCES)}")
    return SOURCES[name]


def is_downloaded(name: str, folder: str | os.PathLike, sha256: str | None = None) -> bool:
    """Whether ``download`` finished this folder. It does not check that all files are still there."""
    return read_json(Path(folder) / MARKER).get("sha256") == expected_sha256(find_source(name), sha256)


def expected_sha256(source: DataSet, sha256: str | None) -> str:
    """The checksum that the archive must have: ``sha256``, or the data set's. Raises ValueError if it is malformed."""
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
    """Download a data set and unpack it into ``folder``, which is returned. A finished folder is left as it is.

    The archive is kept beside the folder until it is unpacked, and then deleted. After an interruption, the next call
    resumes the download, or unpacks from the beginning.

    Parameters
    ----------
    name : one of ``SOURCES``.
    folder : where to unpack; absent or empty.
    url : a mirror of the archive.
    sha256 : the archive's checksum, in place of that in ``SOURCES``.
    archive : an archive that was downloaded by hand. It is not deleted.
    progress : whether to show progress bars.

    Raises
    ------
    DownloadError
        If the server cannot be reached or refuses the file, or the archive has another checksum.
    ArchiveError
        If the archive is damaged, or refused by ``unpack``.
    ValueError
        If there is no data set of that name.
    OSError
        If the folder has other content, or cannot be written to.
    """
    source, target = find_source(name), Path(folder).resolve()
    sha256 = expected_sha256(source, sha256)
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
    if fetched.exists():  # an earlier call was interrupted while it unpacked
        check_archive(fetched, source, sha256, progress)
    else:
        fetch(url or source.url, fetched, sha256, source.archive_bytes, progress, source.doubt)
    unpack_whole(fetched, target, source, sha256, progress)
    fetched.unlink()
    return Path(folder)


def check_archive(archive: Path, source: DataSet, sha256: str, progress: bool = True) -> None:
    """Check an archive on disk. Raises DownloadError if it is not a file, is too large, or has another checksum."""
    size = archive.stat().st_size
    if not archive.is_file():
        raise DownloadError(f"{archive}: not an ordinary file")
    if size > source.archive_bytes:
        raise DownloadError(
            f"{archive}: not the archive of {source.name}: it has {size:,} bytes, more than {source.archive_bytes:,}"
        )
    found = sha256_of(archive, progress)
    if found != sha256:
        mismatch = mismatch_message(found, sha256, source.doubt)
        raise DownloadError(
            f"{archive}: not the archive of {source.name}, or a damaged one: {mismatch}. Remove it and try again"
        )


def unpack_whole(archive: Path, target: Path, source: DataSet, sha256: str, progress: bool = True) -> None:
    """Unpack into a temporary folder beside the target, which is renamed to the target when all is there.

    The temporary folder, ``.unpacking-...``, is removed on errors and Ctrl-C, but not if the process is killed.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpacking-") as temporary:
        whole = Path(temporary) / "all"
        whole.mkdir()  # the temporary folder itself is readable by its owner only
        files = unpack(archive, whole, source.bounds, progress)
        top = list(whole.iterdir())
        if len(top) == 1 and top[0].is_dir():  # a single folder becomes the target
            whole = top[0]
        about = {key: value for key, value in asdict(source).items() if isinstance(value, str) and value}
        about |= {"sha256": sha256, "files": files}
        if sha256 != source.sha256:
            about["doubt"] = f"not the published archive, whose sha256 is {source.sha256}"
        write_whole(whole / MARKER, json.dumps(about, indent=1, ensure_ascii=False).encode())
        if target.exists():
            target.rmdir()  # it is empty; Windows does not rename onto it
        whole.rename(target)
