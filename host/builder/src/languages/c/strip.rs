//! Core modules without debugging sections: of 800 KB some 750. The names of functions stay: a trap's backtrace has
//! them.

use wasmparser::{Parser, Payload};

/// The module without its custom sections `.debug_*`. What is no module stays as it is: the encoder says what is
/// wrong with it.
pub(crate) fn without_debugging(module: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(module.len());
    // Up to where the module was looked at: behind the header, then behind each section.
    let mut end = 8.min(module.len());
    kept.extend_from_slice(&module[..end]);
    for payload in Parser::new(0).parse_all(module) {
        let Ok(payload) = payload else { return module.to_vec() };
        let Some((_, range)) = payload.as_section() else { continue };
        let is_debugging =
            matches!(&payload, Payload::CustomSection(section) if section.name().starts_with(".debug_"));
        if !is_debugging {
            kept.extend_from_slice(&module[end..range.end]);
        }
        end = range.end;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debugging_goes_and_everything_else_stays() {
        let with = wat::parse_str(
            r#"(module $m (func $f (export "run")) (@custom ".debug_info" "abc") (@custom "mine" "def"))"#,
        )
        .unwrap();
        let without =
            wat::parse_str(r#"(module $m (func $f (export "run")) (@custom "mine" "def"))"#).unwrap();
        assert_ne!(with, without);
        assert_eq!(without_debugging(&with), without);
        assert_eq!(without_debugging(&without), without);
        assert_eq!(without_debugging(b"\0asm\x01"), b"\0asm\x01");
    }
}
