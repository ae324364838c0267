"""Files are written whole or not at all."""

import os
import stat

import pytest

from drumlib import files
from drumlib.files import UNFINISHED, write_whole


def test_a_new_file(tmp_path):
    write_whole(tmp_path / "new", b"all of it")
    assert (tmp_path / "new").read_bytes() == b"all of it"
    assert os.listdir(tmp_path) == ["new"]


def test_a_path_may_be_a_string_and_the_data_empty(tmp_path):
    write_whole(str(tmp_path / "empty"), b"")
    assert (tmp_path / "empty").read_bytes() == b""


def test_a_path_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_whole("here", b"1")
    assert os.listdir(tmp_path) == ["here"]


def test_the_old_file_is_replaced_whole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"a long old text")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_a_failure_in_mid_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def no_room(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", no_room)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "file", b"new")
    assert os.listdir(tmp_path) == []


def test_what_is_no_bytes_leaves_nothing_behind(tmp_path):
    with pytest.raises(TypeError):
        write_whole(tmp_path / "file", "text")
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_an_error_that_names_it(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        write_whole(tmp_path / "nowhere" / "file", b"1")


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write_whole(tmp_path / "folder", b"1")
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_permissions_are_those_of_any_new_file(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "file", b"1")
        assert os.umask(umask) == umask, "the umask is as it was"
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~umask


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new" and stat.S_IMODE(path.stat().st_mode) == mode


def test_the_umask_of_the_process_is_never_changed(tmp_path, monkeypatch):
    """Not for a moment: a file that another thread makes meanwhile would be open to all."""
    monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the umask belongs to the whole process"))
    write_whole(tmp_path / "file", b"1")
    write_whole(tmp_path / "file", b"2")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_in_the_place_of_the_unfinished_file_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(files.secrets, "token_hex", lambda size: "known")
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / f"{UNFINISHED}known").symlink_to(tmp_path / "target")
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "target").read_bytes() == b"precious" and not (tmp_path / "file").exists()


def test_a_name_as_long_as_the_file_system_allows(tmp_path):
    """The temporary file's name must not be longer than the file's own can be."""
    name = "n" * 250
    (tmp_path / name).write_bytes(b"old")  # the file system takes it
    write_whole(tmp_path / name, b"new")
    assert (tmp_path / name).read_bytes() == b"new"
