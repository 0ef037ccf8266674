"""The judge must find each kind of damage: it is shown one of each, and none."""

import pytest

from ledger import Chain, Put
from oracle import KINDS, judge
from payload import name_of, payload

SHARD = "shard-0"


def acknowledged(number, sequence, key="k", shard=SHARD):
    return [key, number, {"shard": shard, "seq": sequence}]


def refused(number, sure, key="k"):
    return [key, number, {"code": "InternalFailure", "sure": sure}]


def put(began, *records, sends=1, producer="p"):
    return Put(producer, began, 0.1, 1, sends, list(records))


def name(number, key="k", producer="p"):
    return (producer, key, number)


def three():
    return [put(1, acknowledged(0, 10)), put(2, acknowledged(1, 11)), put(3, acknowledged(2, 12))]


THREE = [(10, name(0)), (11, name(1)), (12, name(2))]


def found(puts, stored, chains=None):
    """The kinds of damage that the judge sees, each once."""
    final = stored if isinstance(stored, dict) else {SHARD: stored}
    verdict = judge(puts, chains or {}, final)
    assert verdict.found.keys() == KINDS.keys()
    assert verdict.good == (not any(verdict.found.values()))
    return {kind for kind, sentences in verdict.found.items() if sentences}


def test_what_was_acknowledged_is_there_and_all_is_well():
    assert found(three(), THREE) == set()


def test_puts_of_unknown_fate_may_be_there_or_not():
    puts = three() + [put(4, refused(3, sure=False))]
    assert found(puts, THREE) == set()
    assert found(puts, THREE + [(13, name(3))]) == set()


def test_a_copy_that_a_retry_explains_is_no_repetition():
    puts = [put(1, acknowledged(0, 10), sends=2), *three()[1:]]
    assert found(puts, [(9, name(0)), *THREE]) == set()
    # The answer to the first put was lost, the second one was acknowledged, and the first one came late.
    puts = [put(1, refused(0, sure=False)), put(2, acknowledged(0, 10)), put(3, acknowledged(1, 11))]
    assert found(puts, [(10, name(0)), (11, name(1)), (12, name(0))]) == set()


def test_keys_and_shards_do_not_disturb_each_other():
    puts = [put(1, acknowledged(0, 20)), put(2, acknowledged(0, 5, "other", "shard-1"))]
    assert found(puts, {SHARD: [(20, name(0))], "shard-1": [(5, name(0, "other"))]}) == set()


@pytest.mark.parametrize(
    ("stored", "kinds"),
    [
        pytest.param(THREE[:2], {"lost"}, id="lost at the end"),
        pytest.param(THREE[1:], {"lost"}, id="lost at the beginning"),
        pytest.param([THREE[0], THREE[2]], {"lost"}, id="lost in the middle"),
        pytest.param([], {"lost"}, id="everything lost"),
        pytest.param([*THREE, (13, name(3))], {"phantom"}, id="number that was never put"),
        pytest.param([*THREE, (13, name(0, producer="q"))], {"phantom"}, id="producer that does not exist"),
        pytest.param([*THREE, (13, name(1))], {"repeated"}, id="repeated without a retry"),
        pytest.param([THREE[0], (11, None), THREE[2]], {"wrong bytes"}, id="other bytes"),
        pytest.param([THREE[0], (11, name(2)), (12, name(1))], {"wrong bytes", "reordered"}, id="two changed places"),
        pytest.param([THREE[0], THREE[2], THREE[1]], {"reordered"}, id="out of order when read"),
        pytest.param([THREE[0], *THREE], {"reordered", "repeated"}, id="read twice"),
        pytest.param({"shard-1": THREE}, {"wrong bytes"}, id="another shard"),
    ],
)
def test_each_kind_of_damage_is_found(stored, kinds):
    assert found(three(), stored) == kinds


def test_a_refused_record_that_is_there_is_a_phantom():
    puts = three() + [put(4, refused(3, sure=True))]
    assert found(puts, THREE) == set()
    assert found(puts, [*THREE, (13, name(3))]) == {"phantom"}


def test_one_copy_more_than_retries_explain_is_found():
    puts = [put(1, acknowledged(0, 10), sends=2)]
    assert found(puts, [(9, name(0)), (10, name(0))]) == set()
    assert found(puts, [(8, name(0)), (9, name(0)), (10, name(0))]) == {"repeated"}


def test_acknowledgements_that_run_backwards_are_found():
    puts = [put(1, acknowledged(0, 11)), put(2, acknowledged(1, 10))]
    assert "reordered" in found(puts, [(10, name(1)), (11, name(0))])


def test_a_late_copy_in_front_of_what_was_known_when_it_was_sent_is_found():
    puts = [put(1, acknowledged(0, 10)), put(2, refused(1, sure=False))]
    assert found(puts, [(10, name(0)), (11, name(1))]) == set()
    assert found(puts, [(9, name(1)), (10, name(0))]) == {"reordered"}


def test_one_number_for_two_records_is_found():
    puts = [put(1, acknowledged(0, 10)), put(1, acknowledged(0, 10, "other"))]
    assert {"repeated", "wrong bytes"} <= found(puts, [(10, name(0))])


@pytest.mark.parametrize(
    ("after", "records", "good"),
    [
        pytest.param(None, THREE, True, id="all"),
        pytest.param(None, THREE[:2], True, id="not yet all"),
        pytest.param(10, THREE[1:], True, id="from the second on"),
        pytest.param(None, [], True, id="nothing yet"),
        pytest.param(None, THREE[1:], False, id="the first left out"),
        pytest.param(None, [THREE[0], THREE[2]], False, id="one left out"),
        pytest.param(10, THREE, False, id="one twice"),
        pytest.param(None, [*THREE, (13, name(9))], False, id="one that has vanished"),
        pytest.param(99, [], False, id="begun at one that has vanished"),
        pytest.param(None, [THREE[0], (11, None)], False, id="other bytes"),
    ],
)
def test_readers_see_what_is_there_at_the_end(after, records, good):
    chains = {"reader": Chain(SHARD, after, records)}
    assert found(three(), THREE, chains) == (set() if good else {"misread"})


def test_a_record_is_known_by_all_its_bytes_and_its_key():
    data = payload("batch-1", "k1-3", 12)
    assert name_of(data, "k1-3") == ("batch-1", "k1-3", 12)
    assert name_of(data, "k1-4") is None
    assert name_of(data + b"x", "k1-3") is None
    assert name_of(b"nothing of ours", "k") is None
    for at in range(len(data)):
        assert name_of(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], "k1-3") is None
