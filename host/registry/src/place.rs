//! Which registry, and where in it: `registry.example.org/plugins`.

use std::fmt;
use std::net::IpAddr;

use semver::Version;

use crate::error::RegistryError;

/// A registry's host and the folder in it that plugins lie under, if any.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    host: String,
    prefix: String,
}

impl Place {
    /// Reads `host`, `host:port` or `host:port/prefix`.
    ///
    /// # Errors
    /// There is a scheme, a user name, or a character that no registry takes.
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        let fail = |fault: &str| RegistryError::Place { text: text.to_owned(), fault: fault.to_owned() };
        if text.contains("://") {
            return Err(fail("it begins with a scheme"));
        }
        if text.contains('@') {
            return Err(fail("it holds a user name; credentials come from Docker's"));
        }
        let (host, prefix) = text.trim_end_matches('/').split_once('/').unwrap_or((text, ""));
        let prefix = prefix.trim_end_matches('/');
        let host = host.trim_end_matches('/');
        if !is_host(host) {
            return Err(fail("the host is not `name`, `name:port`, or an address"));
        }
        if !prefix.is_empty() && !prefix.split('/').all(is_part) {
            return Err(fail("after the host come parts of a-z, 0-9, `.`, `_` and `-`"));
        }
        Ok(Self { host: host.to_owned(), prefix: prefix.to_owned() })
    }

    /// With its port, if it has one.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Empty where plugins lie at the top.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where the plugin `team/name` lies.
    ///
    /// # Errors
    /// No registry takes this name: a part ends with `-`, or it is too long.
    pub fn repository(&self, name: &str) -> Result<String, RegistryError> {
        let path = if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) };
        if path.len() > 200 || !pegbox_manifest::is_name(name) || !name.split('/').all(is_part) {
            return Err(RegistryError::Name { name: name.to_owned() });
        }
        Ok(path)
    }

    /// `team/name` of a repository here, if it can be a plugin's.
    pub fn name_of<'a>(&self, repository: &'a str) -> Option<&'a str> {
        let rest = match &*self.prefix {
            "" => repository,
            prefix => repository.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        pegbox_manifest::is_name(rest).then_some(rest)
    }

    /// Whether the registry is on this machine, so that plain HTTP is safe.
    pub fn is_loopback(&self) -> bool {
        let name = match self.host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => &self.host,
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether `self` is `other` or lies under it.
    pub fn is_within(&self, other: &Self) -> bool {
        let under = || self.prefix.strip_prefix(&*other.prefix).is_some_and(|rest| rest.starts_with('/'));
        self.host == other.host && (other.prefix.is_empty() || self.prefix == other.prefix || under())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

/// The tag of a version.
///
/// # Errors
/// It has build metadata: tags cannot hold a `+`.
pub(crate) fn tag(version: &Version) -> Result<String, RegistryError> {
    if !version.build.is_empty() {
        return Err(RegistryError::BuildMetadata { version: version.clone() });
    }
    let tag = version.to_string();
    if tag.len() > 100 { Err(RegistryError::BuildMetadata { version: version.clone() }) } else { Ok(tag) }
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_address = || {
        name.strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
            .is_some_and(|name| name.parse::<std::net::Ipv6Addr>().is_ok())
    };
    let is_name = || {
        name.split('.').all(|part| {
            !part.is_empty()
                && !part.starts_with('-')
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
    };
    (is_name() || is_address()) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// As the OCI distribution specification writes the parts of a repository's name.
fn is_part(part: &str) -> bool {
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
        && bytes.iter().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'))
        && !["..", "___", "._", "_.", ".-", "-.", "_-", "-_"].iter().any(|pair| part.contains(pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for text in ["localhost:5000", "registry.example.org/plugins", "[::1]:5000/a/b", "10.0.0.1"] {
            assert_eq!(Place::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Place::parse("host.org/a/").unwrap().to_string(), "host.org/a");
        for bad in [
            "",
            "https://host",
            "me:pw@host",
            "host:port",
            "Host",
            "host/../up",
            "host/a//b",
            "host/A",
            "a b",
        ] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (text, expected) in [
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.8.8.8", true),
            ("[::1]:5000", true),
            ("localhost.example.org", false),
            ("127.0.0.1.example.org", false),
            ("10.0.0.1:5000", false),
        ] {
            assert_eq!(Place::parse(text).unwrap().is_loopback(), expected, "{text}");
        }
    }

    #[test]
    fn a_plugin_has_one_repository() {
        let place = Place::parse("host.org/a").unwrap();
        assert_eq!(place.repository("acme/focal").unwrap(), "a/acme/focal");
        assert_eq!(place.name_of("a/acme/focal"), Some("acme/focal"));
        assert_eq!(place.name_of("b/acme/focal"), None);
        assert_eq!(place.name_of("a/acme/focal/deep"), None);
        assert!(place.repository("acme/focal-").is_err());
        assert!(place.repository("acme/../x").is_err());
    }

    #[test]
    fn a_prefix_holds_what_is_under_it() {
        let at = |text| Place::parse(text).unwrap();
        assert!(at("host.org/a/b").is_within(&at("host.org/a")));
        assert!(at("host.org/a").is_within(&at("host.org")));
        assert!(!at("host.org/ab").is_within(&at("host.org/a")));
        assert!(!at("host.org.evil.org/a").is_within(&at("host.org")));
    }

    #[test]
    fn build_metadata_has_no_tag() {
        assert_eq!(tag(&Version::parse("1.2.3-rc.1").unwrap()).unwrap(), "1.2.3-rc.1");
        assert!(tag(&Version::parse("1.2.3+b").unwrap()).is_err());
    }
}
