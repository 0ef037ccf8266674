use super::*;
use proptest::prelude::*;

/// The number in hexadecimal, by the slow way: one decimal digit at a time.
fn hex_of_decimal(text: &str) -> String {
    let mut nibbles = [0u32; 48];
    for digit in text.bytes() {
        let mut carry = u32::from(digit - b'0');
        for nibble in nibbles.iter_mut().rev() {
            let next = *nibble * 10 + carry;
            *nibble = next % 16;
            carry = next / 16;
        }
    }
    nibbles.iter().map(|nibble| format!("{nibble:x}")).collect()
}

fn any_number() -> impl Strategy<Value = (u64, u64, u64, u32)> {
    (0..=SECONDS_MAX, 0..=RecordNumber::CLOSING.0, 0..=SECONDS_MAX, 0..=ShardId::MAX.0)
}

fn number((created, record, arrival, shard): (u64, u64, u64, u32)) -> SequenceNumber {
    SequenceNumber::new(created, RecordNumber(record), arrival, ShardId(shard))
}

#[test]
fn a_number_that_kinesis_gave_is_taken_apart() {
    // As printed in an example of AWS' API reference.
    let text = "49543463076548007577105092703039560359975228518395019266";
    let number: SequenceNumber = text.parse().unwrap();
    assert_eq!(number.version(), SequenceVersion::V2);
    assert_eq!(number.to_string(), text);
    assert_eq!(number.shard(), ShardId(0));
    assert_eq!(number.shard_created_sec(), 1_411_403_981);
}

#[test]
fn starting_lies_below_and_closing_above_every_record() {
    let (created, shard) = (1_700_000_000, ShardId(17));
    let first = SequenceNumber::new(created, RecordNumber::FIRST, created, shard);
    let last = SequenceNumber::new(created, RecordNumber::LAST, SECONDS_MAX, shard);
    assert!(SequenceNumber::starting(created, shard) < first);
    assert!(last < SequenceNumber::closing(created, created, shard));
    assert!(SequenceNumber::closing(created, created, shard).is_closing());
    assert!(!last.is_closing());
}

#[test]
fn a_child_created_later_lies_above_its_parent() {
    let end = SequenceNumber::closing(1_700_000_000, SECONDS_MAX, ShardId(15));
    assert!(end < SequenceNumber::starting(1_700_000_001, ShardId(0)));
}

#[test]
fn older_versions_parse_and_print_unchanged() {
    let zero: SequenceNumber = "0".parse().unwrap();
    assert_eq!((zero.version(), zero.shard(), zero.record()), (SequenceVersion::V0, ShardId(0), RecordNumber(0)));
    assert_eq!(zero.to_string(), "0");
    // 2^124 is version 0, created in second 0; kinesalite's tests hold it.
    let text = (1u128 << 124).to_string();
    let number: SequenceNumber = text.parse().unwrap();
    assert_eq!((number.version(), number.shard_created_sec()), (SequenceVersion::V0, 0));
    assert_eq!(number.to_string(), text);
    let number = SequenceNumber::from_value(value_of_hex("2054ca5d021ff054ca5d0aaaaaaaaaaaaaaa12000000111")).unwrap();
    assert_eq!(
        (number.version(), number.shard(), number.record()),
        (SequenceVersion::V1, ShardId(0x11), RecordNumber(0))
    );
    assert_eq!((number.shard_created_sec(), number.arrival_sec()), (0x54c_a5d02, 0x54c_a5d0a));
    assert_eq!(number.to_string().parse(), Ok(number));
}

/// The value of 47 hexadecimal digits.
fn value_of_hex(hex: &str) -> Value {
    assert_eq!(hex.len(), 47);
    Value { high: u64::from_str_radix(&hex[..15], 16).unwrap(), low: u128::from_str_radix(&hex[15..], 16).unwrap() }
}

#[test]
fn text_that_is_no_sequence_number_is_refused() {
    let good = SequenceNumber::new(1_700_000_000, RecordNumber(5), 1_700_000_009, ShardId(3)).to_string();
    let bad = [
        String::new(),
        "00".into(),
        format!("0{good}"),
        format!("+{good}"),
        format!("-{good}"),
        format!(" {good}"),
        format!("{good}0"),
        format!("{}x", &good[..55]),
        "9".repeat(57),
        "9".repeat(129),
        (u128::MAX).to_string(),
    ];
    for text in bad {
        assert_eq!(text.parse::<SequenceNumber>(), Err(ParseError::SequenceNumber), "{text}");
    }
}

proptest! {
    #[test]
    fn digits_are_those_of_the_layout(fields in any_number()) {
        let (created, record, arrival, shard) = fields;
        let text = number(fields).to_string();
        let expected = format!("02{created:09x}{:x}{record:016x}00{arrival:09x}{shard:08x}2", shard & 0xf);
        prop_assert_eq!(hex_of_decimal(&text), expected);
        prop_assert_eq!(text.len(), SEQUENCE_NUMBER_DIGITS);
    }

    #[test]
    fn text_and_fields_round_trip(fields in any_number()) {
        let number = number(fields);
        let read: SequenceNumber = number.to_string().parse().unwrap();
        prop_assert_eq!(read, number);
        prop_assert_eq!((read.shard_created_sec(), read.record().0, read.arrival_sec(), read.shard().0), fields);
    }

    #[test]
    fn order_is_that_of_the_printed_numbers(a in any_number(), b in any_number()) {
        let (a, b) = (number(a), number(b));
        // Of equal length, so that text orders as numbers do.
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }

    #[test]
    fn within_a_shard_order_is_that_of_record_numbers(created in 0..=SECONDS_MAX, shard in 0..=ShardId::MAX.0,
            a in 0..=RecordNumber::CLOSING.0, b in 0..=RecordNumber::CLOSING.0, at in 0..=SECONDS_MAX, bt in 0..=SECONDS_MAX) {
        prop_assume!(a != b);
        prop_assert_eq!(number((created, a, at, shard)).cmp(&number((created, b, bt, shard))), a.cmp(&b));
    }

    #[test]
    fn any_text_either_fails_or_prints_itself(text in "[0-9]{1,60}|\\PC*") {
        if let Ok(number) = text.parse::<SequenceNumber>() {
            prop_assert_eq!(number.to_string(), text);
        }
    }

    #[test]
    fn a_changed_digit_of_the_form_is_refused(fields in any_number(), digit in prop::sample::select(vec![0usize, 27, 28, 46])) {
        let hex = &hex_of_decimal(&number(fields).to_string())[1..];
        let mut changed = hex.to_owned().into_bytes();
        changed[digit] = if digit == 46 { b'3' } else { b'7' };
        let changed = String::from_utf8(changed).unwrap();
        prop_assert_eq!(SequenceNumber::from_value(value_of_hex(&changed)), None);
    }
}
