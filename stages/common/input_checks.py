"""Check the size of files that users bring before a library reads them whole, so that none fills the memory."""

import os
import stat
import zipfile

from stages.common.errors import InputError

LONGEST_LINE = 1_000_000  # bytes
MOST_FIELDS = 10_000_000  # of a table; as text each takes up to 100 bytes
MOST_UNPACKED = 500_000_000  # bytes that an archive says it holds
BLOCK = 1 << 20


def is_file(path: str) -> bool:
    """Return whether `path` is a regular file; False also if the system refuses to look it up."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):  # too long, forbidden, or with a NUL in it
        return False


def check_table(path: str) -> None:
    """Raise `InputError` for a CSV file with longer lines or more fields than a table has, or with a NUL."""
    line = fields = 0
    with _opened(path) as file:
        while block := file.read(BLOCK):
            fields += block.count(b",") + block.count(b"\n")
            lines = block.replace(b"\r", b"\n").split(b"\n")
            longest = max(line + len(lines[0]), *map(len, lines))
            line = len(lines[-1]) + (line if len(lines) == 1 else 0)
            if b"\0" in block:
                raise InputError(f"{path} is not a CSV file in UTF-8 (it holds a zero byte): save it as one")
            if longest > LONGEST_LINE:
                raise InputError(f"{path} has a line of more than {LONGEST_LINE:,} bytes: a row of a table is shorter")
            if fields > MOST_FIELDS:
                raise InputError(f"{path} has more than {MOST_FIELDS:,} fields: give fewer rows or columns")


def check_archive(path: str, most: int = MOST_UNPACKED) -> None:
    """Raise `InputError` for a zip file (`.npz`) that says it holds more than `most` bytes, or is none."""
    try:
        with _opened(path) as file, zipfile.ZipFile(file) as archive:
            held = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(f"{path} cannot be read as .npz ({error})") from None
    if held > most:
        raise InputError(f"{path} holds {held:,} bytes unpacked, at most {most:,} are read")


def _opened(path: str):
    try:
        return open(path, "rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None
