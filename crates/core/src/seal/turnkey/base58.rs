//! base58 with a checksum, as bitcoin's addresses have it. Refuses long texts before it reads them (the work grows with the square of the
//! length), other characters, and a wrong checksum.

use sha2::{Digest as _, Sha256};

const SYMBOLS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Characters. A credential bundle has at most 117.
const LONGEST: usize = 128;
const CHECKSUM: usize = 4;

/// The bytes and their checksum as text.
pub(super) fn encode(payload: &[u8]) -> String {
    let bytes = [payload, &checksum(payload)].concat();
    // Digits of base 58, the lowest first.
    let mut digits: Vec<u8> = Vec::with_capacity(bytes.len() * 7 / 5);
    for byte in &bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).map(|_| 0);
    zeros.chain(digits.into_iter().rev()).map(|digit| char::from(SYMBOLS[usize::from(digit)])).collect()
}

/// The bytes of a text whose checksum is right.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        return None;
    }
    // Bytes, the lowest first.
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    for symbol in text.bytes() {
        let mut carry = u32::try_from(SYMBOLS.iter().position(|known| *known == symbol)?).ok()?;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push(carry as u8);
            carry >>= 8;
        }
    }
    bytes.extend(text.bytes().take_while(|symbol| *symbol == SYMBOLS[0]).map(|_| 0));
    bytes.reverse();
    let payload = bytes.len().checked_sub(CHECKSUM)?;
    let sum = bytes.split_off(payload);
    (checksum(&bytes) == *sum).then_some(bytes)
}

fn checksum(payload: &[u8]) -> [u8; CHECKSUM] {
    let digest = Sha256::digest(Sha256::digest(payload));
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_that_everybody_knows() {
        // The address of the first block of bitcoin: a zero, and RIPEMD-160 of its key.
        let payload = crate::hex::decode("0062e907b15cbf27d5425399ebf6f0fb50ebb88f18", 21).unwrap();
        assert_eq!(encode(&payload), "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa");
        assert_eq!(decode("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa").unwrap(), payload);
        for bad in ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "0OIl", "", "1", "111é"]
        {
            assert!(decode(bad).is_none(), "{bad}");
        }
        assert!(decode(&"1".repeat(LONGEST + 1)).is_none());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in prop::collection::vec(any::<u8>(), 0..85)) {
            prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn whatever_is_read_has_one_spelling(text in "[1-9A-HJ-NP-Za-km-z]{0,128}|\\PC{0,20}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
