//! Each recogniser is asked about one place, and says where the find begins and ends. It looks left as far as `floor`,
//! where the find before ended.

pub(crate) mod card;
pub(crate) mod email;
pub(crate) mod iban;
pub(crate) mod ip;
pub(crate) mod mac;
pub(crate) mod phone;
pub(crate) mod ssn;
pub(crate) mod url;

/// Where a find stands.
pub(crate) type Span = std::ops::Range<usize>;

/// Whether a number may not begin or end beside this byte: it would be part of a name or an identifier.
fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The byte before `at`, unless that is the text's start.
fn before(text: &[u8], at: usize) -> Option<&u8> {
    at.checked_sub(1).and_then(|at| text.get(at))
}
