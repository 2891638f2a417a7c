use crate::kind::Kind;

/// Values and domains that stay.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allow {
    /// What each entry would be as a value of each kind.
    values: Vec<(Kind, String)>,
    domains: Vec<String>,
}

impl Allow {
    pub fn new(entries: &[String]) -> Self {
        let mut allow = Self::default();
        for entry in entries {
            let entry = entry.trim();
            let domain = entry.strip_prefix('@').unwrap_or(entry);
            if !domain.contains(['@', ':', '/', ' ']) && domain.contains(|c: char| c.is_alphabetic()) {
                allow.domains.push(domain.to_lowercase());
            }
            let values = Kind::ALL.into_iter().map(|kind| (kind, kind.canonical(entry)));
            allow.values.extend(values.filter(|(_, value)| !value.is_empty()));
        }
        allow
    }

    /// Whether a find stays.
    pub fn has(&self, kind: Kind, text: &str) -> bool {
        if self.values.is_empty() {
            return false;
        }
        let value = kind.canonical(text);
        let is = |(of, allowed): &(Kind, String)| *of == kind && *allowed == value;
        self.values.iter().any(is) || (kind == Kind::Email && self.has_domain(&value))
    }

    fn has_domain(&self, address: &str) -> bool {
        let Some((_, domain)) = address.rsplit_once('@') else { return false };
        let under = |allowed: &String| {
            domain
                .strip_suffix(allowed.as_str())
                .is_some_and(|above| above.is_empty() || above.ends_with('.'))
        };
        self.domains.iter().any(under)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_any_spelling_and_domains_with_what_is_below() {
        let entries = ["Example.com", "info@other.org", "+49 30 123456", "2001:db8::1"].map(str::to_owned);
        let allow = Allow::new(&entries);
        for (kind, text) in [
            (Kind::Email, "bob@EXAMPLE.com"),
            (Kind::Email, "bob@mail.example.com"),
            (Kind::Email, "Info@Other.org"),
            (Kind::Phone, "+49-30-123456"),
            (Kind::Ip, "2001:DB8:0::1"),
        ] {
            assert!(allow.has(kind, text), "{text}");
        }
        for (kind, text) in [
            (Kind::Email, "bob@notexample.com"),
            (Kind::Email, "bob@example.com.evil.net"),
            (Kind::Email, "bob@other.org"),
            (Kind::Phone, "+49 30 1234567"),
            (Kind::Card, "+49 30 1234567"),
            (Kind::Ip, "2001:db8::2"),
        ] {
            assert!(!allow.has(kind, text), "{text}");
        }
        assert!(!Allow::new(&[]).has(Kind::Email, ""));
    }
}
