//! The highest version that fits.

use std::collections::HashSet;

use semver::{Version, VersionReq};

/// A version that a registry has.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Published {
    pub version: Version,
    /// Not to be chosen any more; who has it pinned may keep it.
    pub yanked: bool,
}

const YANKED: &str = "yanked-";

/// The versions among tags, lowest first. Other tags (`latest`, signatures) are passed over.
pub fn parse_tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> Vec<Published> {
    let tags: HashSet<&str> = tags.into_iter().collect();
    let mut found: Vec<Published> = tags
        .iter()
        .filter_map(|tag| Version::parse(tag).ok())
        .map(|version| Published { yanked: tags.contains(&*yanked_tag(&version)), version })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The highest version that fits and was not yanked. A version before a release, such as `1.0.0-rc.1`, fits
/// only a requirement that names one.
pub fn highest<'a>(requirement: &VersionReq, published: &'a [Published]) -> Option<&'a Version> {
    let fits = |entry: &&Published| !entry.yanked && requirement.matches(&entry.version);
    published.iter().filter(fits).map(|entry| &entry.version).max()
}

/// The tag that marks a version as yanked.
pub(crate) fn yanked_tag(version: &Version) -> String {
    format!("{YANKED}{version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(requirement: &str, tags: &[&str]) -> Option<String> {
        let published = parse_tags(tags.iter().copied());
        highest(&VersionReq::parse(requirement).unwrap(), &published).map(Version::to_string)
    }

    #[test]
    fn the_highest_that_fits_is_chosen() {
        let tags = ["1.0.0", "1.10.0", "1.9.0", "2.0.0", "latest", "sha256-ab.sig", "1.11.0-rc.1", "v3.0.0"];
        for (requirement, expected) in [
            ("^1", Some("1.10.0")),
            ("*", Some("2.0.0")),
            ("~1.9", Some("1.9.0")),
            ("^3", None),
            ("=1.0.0", Some("1.0.0")),
        ] {
            assert_eq!(pick(requirement, &tags).as_deref(), expected, "{requirement}");
        }
        assert_eq!(pick("^1.11.0-rc", &tags).as_deref(), Some("1.11.0-rc.1"));
    }

    #[test]
    fn a_yanked_version_is_not_chosen() {
        assert_eq!(pick("^1", &["1.0.0", "1.1.0", "yanked-1.1.0"]).as_deref(), Some("1.0.0"));
        assert_eq!(pick("^1", &["1.1.0", "yanked-1.1.0"]), None);
    }
}
