//! Decimal text of numbers below 2^192, without an allocation.

use super::{SEQUENCE_NUMBER_DIGITS, Value};

/// The greatest power of ten in a u64, and its digits.
const CHUNK: u64 = 10_000_000_000_000_000_000;
const CHUNK_DIGITS: usize = 19;

const _: () = assert!(3 * CHUNK_DIGITS >= SEQUENCE_NUMBER_DIGITS, "three chunks hold a sequence number");

/// Writes a number below 3 * 2^184, which has at most 56 digits.
pub(super) fn write(value: Value, buffer: &mut [u8; SEQUENCE_NUMBER_DIGITS]) -> &str {
    let mut limbs = [value.high, (value.low >> 64) as u64, value.low as u64];
    let mut end = SEQUENCE_NUMBER_DIGITS;
    while end > 0 {
        let begin = end.saturating_sub(CHUNK_DIGITS);
        write_chunk(divide_by_chunk(&mut limbs), &mut buffer[begin..end]);
        end = begin;
    }
    let first = buffer.iter().position(|digit| *digit != b'0').unwrap_or(SEQUENCE_NUMBER_DIGITS - 1);
    // The digits are ASCII, so the empty text is never taken.
    std::str::from_utf8(&buffer[first..]).unwrap_or_default()
}

/// Divides in place, most significant limb first, and gives the remainder.
fn divide_by_chunk(limbs: &mut [u64; 3]) -> u64 {
    let mut remainder = 0;
    for limb in limbs {
        let dividend = (u128::from(remainder) << 64) | u128::from(*limb);
        *limb = (dividend / u128::from(CHUNK)) as u64;
        remainder = (dividend % u128::from(CHUNK)) as u64;
    }
    remainder
}

fn write_chunk(mut chunk: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (chunk % 10) as u8;
        chunk /= 10;
    }
}

/// Reads a number without sign and leading zeros. `None` for other text and from 2^192 up.
pub(super) fn read(text: &str) -> Option<Value> {
    let digits = text.as_bytes();
    let canonical = text == "0" || digits.first().is_some_and(|digit| *digit != b'0');
    if !canonical || digits.len() > 3 * CHUNK_DIGITS {
        return None;
    }
    let mut limbs = [0; 3];
    for chunk in digits.rchunks(CHUNK_DIGITS).rev() {
        multiply_and_add(&mut limbs, read_chunk(chunk)?)?;
    }
    let [high, middle, low] = limbs;
    Some(Value { high, low: (u128::from(middle) << 64) | u128::from(low) })
}

fn read_chunk(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0')))
}

/// `limbs * CHUNK + addend`, or `None` when that needs a fourth limb.
fn multiply_and_add(limbs: &mut [u64; 3], addend: u64) -> Option<()> {
    let mut carry = addend;
    for limb in limbs.iter_mut().rev() {
        let product = u128::from(*limb) * u128::from(CHUNK) + u128::from(carry);
        *limb = product as u64;
        carry = (product >> 64) as u64;
    }
    (carry == 0).then_some(())
}
