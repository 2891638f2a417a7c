//! `[policy]`.

use crate::reader::Section;

/// What the recipe's base model must fulfil.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policy {
    /// `licences`: SPDX identifiers of the licences that the base model may have. A model under another one, or under
    /// one that is not known, is refused before it is fetched. All licences by default.
    pub licences: Option<Vec<String>>,
}

pub(crate) fn read(mut section: Section<'_, '_>) -> Policy {
    let given = section.holds("licences");
    let licences = section.texts("licences");
    let span = section.span_of("licences");
    if given && licences.is_empty() {
        section.fault(span.clone(), "`licences` allows no model", None);
    }
    for licence in licences.iter().filter(|licence| spdx::Licensee::parse(licence).is_err()) {
        section.fault(
            span.clone(),
            format!("`{licence}` is not a licence in SPDX's list"),
            Some(
                "for example: licences = [\"Apache-2.0\", \"MIT\"]; a licence that SPDX does not list is written \
                 \"LicenseRef-...\", as `pegbox models inspect` shows it"
                    .into(),
            ),
        );
    }
    section.finish();
    Policy { licences: given.then_some(licences) }
}
