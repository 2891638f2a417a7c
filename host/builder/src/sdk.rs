//! The SDKs, unpacked where a language's tools and an author's editor can read them. A folder a version of Pegbox:
//! it is named by what is in it, and never changes.

use std::path::{Path, PathBuf};

use crate::embedded::{SDK, SDK_DIGEST};
use crate::error::BuildError;
use crate::tools::Tools;

/// The folder with the SDKs; writes it if it is not there.
pub(crate) fn unpacked(tools: &Tools) -> Result<PathBuf, BuildError> {
    let parent = tools.folder().join("sdk");
    let folder = parent.join(&SDK_DIGEST[..16]);
    if folder.is_dir() {
        return Ok(folder);
    }
    let _alone = tools.lock("sdk")?;
    if !folder.is_dir() {
        publish(&parent, &folder).map_err(BuildError::file("written", &folder))?;
    }
    Ok(folder)
}

fn publish(parent: &Path, folder: &Path) -> std::io::Result<()> {
    let draft = pegbox_durable::Draft::new(parent)?;
    for (path, content) in SDK {
        if let Some((below, _)) = path.rsplit_once('/') {
            std::fs::create_dir_all(draft.path().join(below))?;
        }
        draft.write(path, content)?;
    }
    draft.publish(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_unpacked_whole_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let tools = Tools::new(folder.path().to_owned(), |_| {});
        let sdk = unpacked(&tools).unwrap();
        for file in ["wit/worlds.wit", "wit/deps/io.wit", "rust/Cargo.toml", "rust/plugin-api/src/lib.rs"] {
            assert!(sdk.join(file).is_file(), "{file}");
        }
        std::fs::write(sdk.join("mark"), "").unwrap();
        assert_eq!(unpacked(&tools).unwrap(), sdk);
        assert!(sdk.join("mark").is_file());
    }
}
