"""Records that say what they must be: from a record's name follow all its bytes."""

import random
import re

# The name in front, then bytes that only this record has.
NAME = re.compile(rb"([a-z0-9-]+)\|([^|]+)\|(\d+)\|")
# Enough that one name turned into another is seen.
FILLER_BYTES_MIN = 8
FILLER_BYTES_MAX = 2_000


def payload(producer, key, number):
    """The data of a producer's record `number` for a key."""
    name = f"{producer}|{key}|{number}|".encode()
    dice = random.Random(name)
    length = dice.choice((30, 100, 300, FILLER_BYTES_MAX))
    return name + dice.randbytes(dice.randint(FILLER_BYTES_MIN, length))


def name_of(data, partition_key):
    """`(producer, key, number)` of the record that has exactly these bytes and this key; None where there is none."""
    match = NAME.match(data)
    if match is None:
        return None
    producer, key, number = match[1].decode(), match[2].decode(errors="replace"), int(match[3])
    return (producer, key, number) if key == partition_key and payload(producer, key, number) == data else None
