//! A tokenizer's folder on disk, written whole.

use std::fs;
use std::path::Path;

use pegbox_durable::Draft;

use crate::error::VocabularyError;
use crate::extension::RECORD;

pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const CONFIG: &str = "tokenizer_config.json";
pub(crate) const SPECIAL_TOKENS: &str = "special_tokens_map.json";

/// What a folder may hold that is replaced.
const OURS: [&str; 4] = [TOKENIZER, CONFIG, SPECIAL_TOKENS, RECORD];

/// Puts a folder with `files` at `to`, in one step. A folder that holds anything but a tokenizer is left alone.
pub(crate) fn write(to: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), VocabularyError> {
    check_target(to)?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = Draft::new(parent).map_err(VocabularyError::io(parent, "make a folder in"))?;
    for (name, content) in files {
        draft.write(name, content).map_err(VocabularyError::io(to.join(name), "write"))?;
    }
    draft.publish(to).map_err(VocabularyError::io(to, "write"))
}

/// Whether a tokenizer may be written to `to`: told before the work, not after it.
///
/// # Errors
/// It is a file, or a folder with files of somebody else's.
pub fn check_target(to: &Path) -> Result<(), VocabularyError> {
    let foreign = |file: String| VocabularyError::Foreign { to: to.to_owned(), file };
    if to.is_file() {
        return Err(foreign(to.file_name().unwrap_or_default().to_string_lossy().into_owned()));
    }
    if !to.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(to).map_err(VocabularyError::io(to, "look into"))? {
        let entry = entry.map_err(VocabularyError::io(to, "look into"))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !OURS.contains(&name.as_str()) {
            return Err(foreign(name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tokenizer_is_replaced_and_a_model_is_not() {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("new/tokenizer");
        for content in ["one", "two"] {
            write(&to, &[(TOKENIZER, content.into())]).unwrap();
            assert_eq!(fs::read_to_string(to.join(TOKENIZER)).unwrap(), content);
        }
        fs::write(to.join("model.safetensors"), "years of work").unwrap();
        let error = write(&to, &[(TOKENIZER, "three".into())]).unwrap_err();
        assert!(error.to_string().contains("`model.safetensors`"), "{error}");
        assert_eq!(fs::read_to_string(to.join(TOKENIZER)).unwrap(), "two");
        assert_eq!(fs::read_dir(home.path().join("new")).unwrap().count(), 1);
    }
}
