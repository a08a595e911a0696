//! Bytes as hexadecimal digits: written in lower case, read in either. Refuses an odd number of digits, a prefix, blanks, and text
//! that is longer than what the reader asked for.

/// The digits of some bytes, in lower case.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for half in [byte >> 4, byte & 0xf] {
            text.push(char::from(b"0123456789abcdef"[usize::from(half)]));
        }
    }
    text
}

/// The bytes of some digits, at most `most` of them.
pub fn decode(text: &str, most: usize) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || digits.len() / 2 > most {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits.chunks_exact(2).map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()).collect()
}

/// Exactly `N` bytes.
pub fn decode_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode(text, N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all), 256).unwrap(), all);
        assert_eq!(decode(&encode(&all).to_uppercase(), 256).unwrap(), all);
        assert_eq!(encode(&[0, 0x0f, 0xf0]), "000ff0");
        assert_eq!(decode("", 0).unwrap(), b"");
        for bad in ["0", "0g", "0x00", " 00", "00 ", "+1", "é"] {
            assert_eq!(decode(bad, 99), None, "{bad}");
        }
        assert_eq!(decode("0000", 1), None);
        assert_eq!(decode_exact::<2>("0001"), Some([0, 1]));
        assert!(decode_exact::<2>("00").is_none() && decode_exact::<1>("0001").is_none());
    }
}
