//! What the code takes from `plugin.toml`, so that it is not typed twice.

/// The plugin's name, from the `plugin.toml` beside the crate's Cargo.toml:
/// `const NAME: &'static str = pegbox_plugin::manifest_name!();`. A file without a name does not compile.
#[macro_export]
macro_rules! manifest_name {
    () => {
        $crate::name_in(::core::include_str!(::core::concat!(
            ::core::env!("CARGO_MANIFEST_DIR"),
            "/plugin.toml"
        )))
    };
}

/// The value of `name` in the table `[plugin]`. Whatever else the file holds, the host checks.
pub const fn name_in(manifest: &'static str) -> &'static str {
    let mut rest = manifest.as_bytes();
    let mut in_table = false;
    while !rest.is_empty() {
        let (line, after) = cut(rest, b'\n');
        rest = after;
        let line = line.trim_ascii();
        if let [b'[', ..] = line {
            in_table = matches!(line, [b'[', b'p', b'l', b'u', b'g', b'i', b'n', b']', ..]);
        } else if in_table
            && let [b'n', b'a', b'm', b'e', value @ ..] = line
            && let [b'=', value @ ..] = value.trim_ascii_start()
        {
            return quoted(value.trim_ascii_start());
        }
    }
    panic!("plugin.toml has no `name = \"team/name\"` in its table [plugin]")
}

/// What stands between the quotes that a value begins with.
const fn quoted(value: &'static [u8]) -> &'static str {
    let (quote, value) = match value {
        [quote @ (b'"' | b'\''), value @ ..] => (*quote, value),
        _ => panic!("the `name` in plugin.toml is no text between quotes"),
    };
    match str::from_utf8(cut(value, quote).0) {
        Ok(name) => name,
        Err(_) => panic!("the `name` in plugin.toml is cut within a character"),
    }
}

/// What stands before `end`, and what after it.
const fn cut(text: &'static [u8], end: u8) -> (&'static [u8], &'static [u8]) {
    let mut at = 0;
    while at < text.len() {
        if text[at] == end {
            let (before, rest) = text.split_at(at);
            return (before, rest.split_at(1).1);
        }
        at += 1;
    }
    (text, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_where_it_stands() {
        const NAME: &str = name_in("# name = \"no\"\n[plugin]  # it\r\nname=\"acme/focal\"  # \"x\"\r\n");
        assert_eq!(NAME, "acme/focal");
        assert_eq!(name_in("[other]\nname = \"no\"\n\n  [plugin]\n  names = \"no\"\n  name = 'a/b'"), "a/b");
    }

    #[test]
    fn a_manifest_without_a_name_is_refused() {
        for bad in
            ["", "[plugin]\n", "name = \"a/b\"\n", "[plugin]\nname = 1\n", "[plugins]\nname = \"a/b\"\n"]
        {
            assert!(std::panic::catch_unwind(|| name_in(bad)).is_err(), "{bad}");
        }
    }
}
