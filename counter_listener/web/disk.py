"""The room on the disk of the record."""

import shutil
from pathlib import Path


def free_bytes(record: Path) -> int:
    """Bytes that are free where the record is, or where what belongs to it would lie."""
    folder = next(each for each in record.absolute().parents if each.is_dir())
    return shutil.disk_usage(folder).free
