"""Bytes on the disk of one node change while it is down. It must never serve them, and make its replicas anew from the others.

The last part of the newest journal file is spared: damage there looks like a write that was interrupted, as the documentation says.
"""

from faults.base import Base

FLIPS = (1, 3, 20)
SPARED_BYTES = 1 << 20
PAGE_BYTES = 4_096
# Behind a block's own header, in what it holds: a block begins on a page, and its end may be empty.
PLACE_IN_PAGE = 150


class Fault(Base):
    part = "disk"
    alone = True

    def begin(self):
        node = self.pick_one()
        node.kill9()
        node.rotten = True
        newest = max(node.data_dir.glob("journal/*"), key=lambda path: path.stat().st_mtime_ns)
        spots = [spot for folder in ("journal", "segments") for path in sorted(node.data_dir.glob(f"{folder}/*"))
                 for spot in _written(path, SPARED_BYTES if path == newest else 0)]  # fmt: skip
        flips = self.dice.choice(FLIPS)
        for path, offset in self.dice.sample(spots, min(flips, len(spots))):
            _flip(path, offset)
        return f"{node}: {flips} bytes turned while it was down"


def _written(path, spared):
    """Places in a file that hold something, one in each page, without those at its end."""
    data = path.read_bytes()
    places = [page + PLACE_IN_PAGE for page in range(0, len(data) - PAGE_BYTES, PAGE_BYTES) if data[page + PLACE_IN_PAGE]]
    end = (places[-1] if places else 0) - spared
    return [(path, place) for place in places if place < end]


def _flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0xFF]))
