//! The licence that a model states, and which licences a team takes.

use spdx::{Expression, Licensee};

/// An allow-list of licences: SPDX identifiers.
#[derive(Debug, Clone)]
pub struct Licences {
    entries: Vec<String>,
    licensees: Vec<Licensee>,
}

impl Licences {
    /// # Errors
    /// The entry that is neither on SPDX's list nor begins with `LicenseRef-`.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        let licensees = entries.iter().map(|entry| Licensee::parse(entry).map_err(|_| entry.clone()));
        Ok(Self { licensees: licensees.collect::<Result<_, _>>()?, entries: entries.to_vec() })
    }

    pub fn entries(&self) -> &[String] {
        &self.entries
    }

    /// Whether a model under `licence` may be used. One under `A OR B` needs one of them, one under `A AND B` both.
    pub fn allow(&self, licence: &str) -> bool {
        let Ok(expression) = Expression::parse(licence) else { return false };
        expression.evaluate(|wanted| self.licensees.iter().any(|licensee| licensee.satisfies(wanted)))
    }
}

/// The SPDX expression for what a model card, a package or a GGUF file writes, as far as it is one: names are
/// matched without regard to case, and a name that SPDX does not list becomes a `LicenseRef-`. None of what says
/// nothing (`other`, `unknown`) or is no name at all, such as a whole licence's text.
pub fn spdx(stated: &str) -> Option<String> {
    let stated = stated.trim().trim_matches(['"', '\'']);
    if stated.is_empty() || ["other", "unknown", "none", "unlicensed"].contains(&&*stated.to_lowercase()) {
        return None;
    }
    if Expression::parse(stated).is_ok() {
        return Some(stated.to_string());
    }
    let listed = spdx::identifiers::LICENSES.iter().find(|licence| licence.name.eq_ignore_ascii_case(stated));
    if let Some(licence) = listed {
        return Some(current(licence.name));
    }
    if let Some(known) = package_name(stated) {
        return Some(known.to_string());
    }
    if let Some((licence, length)) = spdx::imprecise_license_id(stated)
        && length == stated.len()
    {
        return Some(current(licence.name));
    }
    let is_name = stated.len() <= 60
        && stated.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    is_name.then(|| format!("LicenseRef-{}", stated.replace('_', "-")))
}

/// SPDX has withdrawn `GPL-3.0` and its kin: they did not say whether later versions are meant.
fn current(name: &str) -> String {
    if Expression::parse(name).is_ok() { name.to_string() } else { format!("{name}-only") }
}

/// How Python packages name licences in prose and in classifiers.
fn package_name(stated: &str) -> Option<&'static str> {
    let known = [
        ("Apache Software License", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("Apache License 2.0", "Apache-2.0"),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache 2", "Apache-2.0"),
        ("MIT License", "MIT"),
        ("The MIT License", "MIT"),
        ("ISC License (ISCL)", "ISC"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
        ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
        ("GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
        ("GNU Affero General Public License v3", "AGPL-3.0-only"),
        ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
    ];
    known.iter().find(|(name, _)| name.eq_ignore_ascii_case(stated)).map(|(_, id)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cards_and_packages_write_becomes_spdx() {
        for (stated, expected) in [
            ("apache-2.0", Some("Apache-2.0")),
            ("MIT", Some("MIT")),
            ("MIT OR Apache-2.0", Some("MIT OR Apache-2.0")),
            ("Apache Software License", Some("Apache-2.0")),
            ("gpl-3.0", Some("GPL-3.0-only")),
            ("cc-by-nc-4.0", Some("CC-BY-NC-4.0")),
            ("llama3.2", Some("LicenseRef-llama3.2")),
            ("gemma", Some("LicenseRef-gemma")),
            ("other", None),
            ("", None),
            ("Permission is hereby granted, free of charge, to any person", None),
        ] {
            assert_eq!(spdx(stated).as_deref(), expected, "{stated}");
        }
    }

    #[test]
    fn an_allow_list_takes_expressions_apart() {
        let entries = ["MIT".to_string(), "Apache-2.0".to_string(), "LicenseRef-llama3.2".to_string()];
        let licences = Licences::parse(&entries).unwrap();
        for allowed in ["MIT", "MIT AND Apache-2.0", "GPL-3.0-only OR MIT", "LicenseRef-llama3.2"] {
            assert!(licences.allow(allowed), "{allowed}");
        }
        for refused in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "LicenseRef-gemma", "nonsense"] {
            assert!(!licences.allow(refused), "{refused}");
        }
        assert_eq!(Licences::parse(&["Apache 2".to_string()]).unwrap_err(), "Apache 2");
    }
}
