use serde::Deserialize;

/// A kind of personal data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Email,
    Phone,
    /// A payment card's number.
    Card,
    Iban,
    /// An address of IPv4 or IPv6.
    Ip,
    /// A URL with a password or token in it.
    Url,
    /// A network card's address.
    Mac,
    /// A US social security number.
    Ssn,
}

impl Kind {
    pub(crate) const ALL: [Self; 8] =
        [Self::Email, Self::Phone, Self::Card, Self::Iban, Self::Ip, Self::Url, Self::Mac, Self::Ssn];

    /// Why a record was dropped that has one.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Email => "pii-email",
            Self::Phone => "pii-phone",
            Self::Card => "pii-card",
            Self::Iban => "pii-iban",
            Self::Ip => "pii-ip",
            Self::Url => "pii-url",
            Self::Mac => "pii-mac",
            Self::Ssn => "pii-ssn",
        }
    }

    /// What is the same for two ways of writing the same thing; nothing for what cannot be one of the kind.
    pub(crate) fn canonical(self, text: &str) -> String {
        let alphanumeric = || text.chars().filter(char::is_ascii_alphanumeric);
        match self {
            Self::Email => text.to_lowercase(),
            Self::Phone | Self::Card | Self::Ssn => text.chars().filter(char::is_ascii_digit).collect(),
            Self::Iban => alphanumeric().map(|c| c.to_ascii_uppercase()).collect(),
            Self::Mac => alphanumeric().map(|c| c.to_ascii_lowercase()).collect(),
            Self::Ip => {
                text.parse::<std::net::IpAddr>().map(|address| address.to_string()).unwrap_or_default()
            }
            Self::Url => text.to_owned(),
        }
    }
}

/// Some of the kinds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub fn of(kinds: &[Kind]) -> Self {
        Self(kinds.iter().fold(0, |bits, kind| bits | bit(*kind)))
    }

    pub fn has(self, kind: Kind) -> bool {
        self.0 & bit(kind) != 0
    }
}

fn bit(kind: Kind) -> u8 {
    1 << kind as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_of_writing_the_same_are_the_same() {
        let same = |kind: Kind, one: &str, other: &str| {
            assert_eq!(kind.canonical(one), kind.canonical(other), "{kind:?}");
        };
        same(Kind::Email, "Bob@Example.com", "bob@example.com");
        same(Kind::Phone, "+49 (30) 123-456", "4930123456");
        same(Kind::Iban, "de89 3704", "DE893704");
        same(Kind::Ip, "2001:DB8:0:0::1", "2001:db8::1");
        same(Kind::Mac, "AA-BB-CC-DD-EE-01", "aa:bb:cc:dd:ee:01");
        assert_eq!(Kind::Ip.canonical("no address"), "");
    }

    #[test]
    fn a_set_has_what_it_was_given() {
        let some = Kinds::of(&[Kind::Email, Kind::Ssn]);
        for kind in Kind::ALL {
            assert_eq!(some.has(kind), matches!(kind, Kind::Email | Kind::Ssn), "{kind:?}");
        }
    }
}
