"""Writes model.json beside this file: the shapes and constraints of the served operations, from botocore's service model.

Run it after an upgrade of botocore or when another operation is served: python3 extract_model.py
"""

import gzip
import json
import pathlib

import botocore

SERVED = """CreateStream DecreaseStreamRetentionPeriod DeleteStream DescribeLimits DescribeStream DescribeStreamSummary
GetRecords GetShardIterator IncreaseStreamRetentionPeriod ListShards ListStreams PutRecord PutRecords""".split()
KEPT = ("type", "required", "members", "member", "key", "value", "min", "max", "pattern", "enum")

source = pathlib.Path(botocore.__file__).parent / "data/kinesis/2013-12-02/service-2.json.gz"
model = json.loads(gzip.decompress(source.read_bytes()))
shapes = {}


def visit(name):
    if name in shapes:
        return
    shape = {key: value for key, value in model["shapes"][name].items() if key in KEPT}
    for key in ("member", "key", "value"):
        if key in shape:
            shape[key] = shape[key]["shape"]
            visit(shape[key])
    if "members" in shape:
        shape["members"] = {key: value["shape"] for key, value in shape["members"].items()}
    shapes[name] = shape
    for member in shape.get("members", {}).values():
        visit(member)


operations = {}
for name in SERVED:
    operation = model["operations"][name]
    operations[name] = {side: operation[side]["shape"] for side in ("input", "output") if side in operation}
    for shape in operations[name].values():
        visit(shape)

fixture = {
    "botocore": botocore.__version__,
    "all_operations": sorted(model["operations"]),
    "operations": operations,
    "shapes": shapes,
}
target = pathlib.Path(__file__).with_name("model.json")
target.write_text(json.dumps(fixture, indent=1, sort_keys=True) + "\n")
