//! Components that were built before, by what they were built from: in the folder of tools, for all plugins of a
//! user. It may be deleted at any time.

use std::path::PathBuf;

use pegbox_manifest::digest;

use crate::error::BuildError;
use crate::tools::Tools;

/// The component, if it was built before. A file that was tampered with or cut short does not count.
pub(crate) fn get(tools: &Tools, key: &str) -> Option<Vec<u8>> {
    let whole = std::fs::read(path(tools, key)).ok()?;
    let (digest, component) = whole.split_at_checked(DIGEST)?;
    (digest == digest::of(component).as_bytes()).then(|| component.to_vec())
}

/// Remembers a component.
pub(crate) fn put(tools: &Tools, key: &str, component: &[u8]) -> Result<(), BuildError> {
    let path = path(tools, key);
    let whole = [digest::of(component).as_bytes(), component].concat();
    pegbox_durable::write_file(&path, &whole).map_err(BuildError::file("written", path))
}

/// Bytes of `sha256:` and its hex digits.
const DIGEST: usize = 71;

fn path(tools: &Tools, key: &str) -> PathBuf {
    tools.folder().join("built").join(key.trim_start_matches("sha256:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_got_unless_it_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        let tools = Tools::new(folder.path().to_owned(), |_| {});
        let key = digest::of(b"sources");
        assert_eq!(get(&tools, &key), None);
        put(&tools, &key, b"component").unwrap();
        assert_eq!(get(&tools, &key).as_deref(), Some(&b"component"[..]));
        std::fs::write(path(&tools, &key), [digest::of(b"component").as_bytes(), b"compo"].concat()).unwrap();
        assert_eq!(get(&tools, &key), None);
    }
}
