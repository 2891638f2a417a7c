use pegbox_findings::{
    Code, Levels, Listed, Listing, Names, RowFaults, broken, column, counted, decode, encode, quoted,
};
use pegbox_plugin::{Error, Finding, Fix, Plugin, RowBatch, Validator, parse_configuration};
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::configuration::{self, Configuration};
use crate::fault::{Fault, Row, counted_words, words};
use crate::scheme::{Breach, Letter, Scheme};
use crate::tag::Tag;

/// The role of the tokens, with one space between them.
const TOKENS: &str = "tokens";
/// The role of their tags, with one space between them.
const TAGS: &str = "tags";
/// Unused types that are named one by one.
const LISTED: usize = 100;

/// The validator, configured, with what it has gathered so far.
pub struct TagCheck {
    configuration: Configuration,
    types: Option<Names>,
    listing: Listing,
    seen: Seen,
    /// Those of the row that is looked at; kept for its room.
    faults: RowFaults<Fault>,
    mends: Vec<Mend>,
}

/// What is to change in a tag.
#[derive(Clone, Copy, Debug, Default)]
struct Mend {
    spelling: bool,
    /// The type that it should have.
    kind: Option<usize>,
    letter: Option<Letter>,
}

/// What is counted.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
struct Seen {
    records: u64,
    /// Tags of entities.
    entities: u64,
    /// Records with entities and without what is no tag.
    judged: u64,
    /// How many of these break the recipe's scheme.
    broken: u64,
    /// Whether one of them breaks each scheme, in the order of [`Scheme::ALL`].
    broken_by: [bool; Scheme::ALL.len()],
    /// Tags of each type that the recipe names.
    of_type: Vec<u64>,
}

/// What travels to another instance.
#[derive(Serialize, Deserialize)]
struct State<L, S> {
    listed: L,
    seen: S,
}

impl TagCheck {
    /// # Errors
    /// `levels` names a code that there is not.
    pub fn new(configuration: Configuration) -> Result<Self, Error> {
        let levels = Levels::new(&configuration.levels, &codes::ALL)?;
        let types = configuration.types.clone();
        let seen = Seen { of_type: vec![0; types.as_ref().map_or(0, Vec::len)], ..Seen::default() };
        Ok(Self {
            listing: Listing::new(&codes::ALL, levels, configuration.max_findings),
            types: types.map(Names::new),
            configuration,
            seen,
            faults: RowFaults::default(),
            mends: Vec::new(),
        })
    }

    /// Looks at the tags of a row; returns the tags that mend it, if anything can be mended.
    fn check(&mut self, tags: &str) -> Option<String> {
        let separator = self.configuration.separator.as_str();
        let mut read: Vec<Tag<'_>> = words(tags).map(|tag| Tag::read(tag, separator)).collect();
        self.mends.clear();
        self.mends.resize(read.len(), Mend::default());
        for (number, (tag, mend)) in read.iter().zip(&mut self.mends).enumerate() {
            if tag.letter.is_none() {
                self.faults.add(codes::UNKNOWN_TAG, false, Fault::Unknown(number));
            }
            if !tag.clean {
                mend.spelling = self.listing.wants(codes::SPELLING);
                self.faults.add(codes::SPELLING, mend.spelling, Fault::Spelling(number));
            }
            if !tag.of_entity() {
                continue;
            }
            self.seen.entities += 1;
            let Some(types) = &mut self.types else { continue };
            if let Some(known) = types.place(tag.kind) {
                if let Some(tags) = self.seen.of_type.get_mut(known) {
                    *tags += 1;
                }
                continue;
            }
            let near = types.nearest(tag.kind).filter(|_| self.listing.wants(codes::UNKNOWN_TYPE));
            mend.kind = near.map(|near| near.meaning);
            self.faults.add(codes::UNKNOWN_TYPE, mend.kind.is_some(), Fault::UnknownType(number, mend.kind));
        }

        // Entities are looked at as they are with the right types.
        if let Some(types) = &self.types {
            for (tag, mend) in read.iter_mut().zip(&self.mends) {
                tag.kind = mend.kind.map_or(tag.kind, |kind| types.name(kind));
            }
        }
        let scheme = self.configuration.scheme;
        let mut broken = false;
        for (number, (mend, (before, tag, after))) in self.mends.iter_mut().zip(neighbours(&read)).enumerate()
        {
            let Some(breach) = scheme.breach(before, tag, after) else { continue };
            broken = true;
            let code = code(breach);
            mend.letter = scheme.mended(breach, before, tag, after).filter(|_| self.listing.wants(code));
            self.faults.add(code, mend.letter.is_some(), Fault::Breach(number, breach));
        }
        self.seen.judge(&read, scheme, broken);
        self.faults.mended().then(|| written(tags, &read, &self.mends, separator))
    }

    /// What only the whole set shows.
    fn of_set(&self) -> Vec<Finding> {
        let Seen { records, entities, judged, broken, broken_by, of_type } = &self.seen;
        if *entities == 0 && *records > 0 {
            let records = counted(*records, "record");
            let message = || format!("no tag in {records} is of an entity; is `tags` the right field?");
            return self.listing.of_set(codes::NO_ENTITIES, TAGS, message).into_iter().collect();
        }
        let mut findings = Vec::new();
        let scheme = self.configuration.scheme;
        let fitting = Scheme::ALL.into_iter().zip(broken_by).find(|(_, broken)| !**broken);
        if let Some((other, _)) = fitting.filter(|_| *broken > 0) {
            let message = || {
                format!(
                    "{broken} of the {} with entities break {scheme}, and none breaks {other}: say scheme = \
                     \"{other}\"",
                    counted(*judged, "record")
                )
            };
            findings.extend(self.listing.of_set(codes::OTHER_SCHEME, TAGS, message));
        }
        let names = self.types.iter().flat_map(Names::iter).zip(of_type);
        let unused: Vec<&str> = names.filter(|(_, tags)| **tags == 0).map(|(name, _)| name).collect();
        let named = unused.iter().take(LISTED);
        findings.extend(named.filter_map(|name| {
            let message = || format!("no tag has the type {}", quoted(name));
            self.listing.of_set(codes::UNUSED_TYPE, TAGS, message)
        }));
        if let Some(more) = unused.len().checked_sub(LISTED).filter(|more| *more > 0) {
            let message = || format!("not listed: {} that no tag has", counted(more as u64, "more type"));
            findings.extend(self.listing.of_set(codes::UNUSED_TYPE, TAGS, message));
        }
        findings
    }
}

impl Seen {
    /// Looks which schemes the tags of a record break, of which it is known whether they break `scheme`.
    fn judge(&mut self, tags: &[Tag<'_>], scheme: Scheme, broken: bool) {
        if !tags.iter().any(Tag::of_entity) || tags.iter().any(|tag| tag.letter.is_none()) {
            return;
        }
        self.judged += 1;
        self.broken += u64::from(broken);
        for (other, broken_by) in Scheme::ALL.into_iter().zip(&mut self.broken_by) {
            let breaks = |(before, tag, after)| other.breach(before, tag, after).is_some();
            if !*broken_by {
                *broken_by = if other == scheme { broken } else { neighbours(tags).any(breaks) };
            }
        }
    }

    fn merge(&mut self, theirs: Self) -> Result<(), Error> {
        if theirs.of_type.len() != self.of_type.len() {
            return Err(broken("it has another number of types"));
        }
        for (ours, theirs) in self.broken_by.iter_mut().zip(theirs.broken_by) {
            *ours |= theirs;
        }
        let ours = [&mut self.records, &mut self.entities, &mut self.judged, &mut self.broken];
        let ours = ours.into_iter().chain(&mut self.of_type);
        let added = [theirs.records, theirs.entities, theirs.judged, theirs.broken];
        let added = added.into_iter().chain(theirs.of_type);
        for (ours, added) in ours.zip(added) {
            *ours = ours.saturating_add(added);
        }
        Ok(())
    }
}

fn code(breach: Breach) -> Code {
    match breach {
        Breach::Letter => codes::UNKNOWN_TAG,
        Breach::NoBegin => codes::NO_BEGIN,
        Breach::TypeChange => codes::TYPE_CHANGE,
        Breach::Unclosed => codes::UNCLOSED,
        Breach::NeedlessBegin => codes::NEEDLESS_BEGIN,
    }
}

/// Each tag between the one before it and the one after it.
fn neighbours<'a, 't>(
    tags: &'a [Tag<'t>],
) -> impl Iterator<Item = (Option<&'a Tag<'t>>, &'a Tag<'t>, Option<&'a Tag<'t>>)> {
    tags.iter().enumerate().map(move |(place, tag)| {
        (place.checked_sub(1).and_then(|before| tags.get(before)), tag, tags.get(place + 1))
    })
}

/// The tags of a row with these changes.
fn written(tags: &str, read: &[Tag<'_>], mends: &[Mend], separator: &str) -> String {
    let mut written = String::with_capacity(tags.len());
    for (as_is, (tag, mend)) in words(tags).zip(read.iter().zip(mends)) {
        if !written.is_empty() {
            written.push(' ');
        }
        let changes = mend.spelling || mend.kind.is_some() || mend.letter.is_some();
        match mend.letter.or(tag.letter).filter(|_| changes) {
            None => written.push_str(as_is),
            Some(Letter::O) => written.push('O'),
            Some(letter) => {
                written.push(letter.as_char());
                written.push_str(separator);
                written.push_str(tag.kind);
            }
        }
    }
    written
}

impl Plugin for TagCheck {
    const NAME: &'static str = pegbox_plugin::manifest_name!();
    const CONFIGURATION_SCHEMA: &'static str = configuration::SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Self::new(parse_configuration(json)?)
    }
}

impl Validator for TagCheck {
    fn validate(&mut self, batch: RowBatch) -> Result<Vec<Finding>, Error> {
        let (tokens_at, tags_at) = (column(&batch, TOKENS)?, column(&batch, TAGS)?);
        let mut findings = Vec::new();
        for row in &batch.rows {
            let value = |place: usize| row.values.get(place).and_then(Option::as_deref).unwrap_or_default();
            let (tokens, tags) = (value(tokens_at), value(tags_at));
            self.seen.records += 1;
            let (token_count, tokens_spaced) = counted_words(tokens);
            let (tag_count, tags_spaced) = counted_words(tags);
            if token_count == 0 && tag_count == 0 {
                let message = || "there are no tokens and no tags".to_owned();
                self.listing.add(&mut findings, (row.id, TOKENS), codes::EMPTY, None, message);
                continue;
            }

            // Without spaces too many, is there a tag for each token?
            let alike = token_count == tag_count;
            if !tokens_spaced {
                let respaced = || words(tokens).collect::<Vec<_>>().join(" ");
                let fix = alike.then(|| Fix { field: TOKENS.to_owned(), value: respaced() });
                let message = || Row::spacing(TOKENS);
                self.listing.add(&mut findings, (row.id, TOKENS), codes::SPACING, fix, message);
            }
            self.faults.clear();
            if !tags_spaced {
                let mends = alike && self.listing.wants(codes::SPACING);
                self.faults.add(codes::SPACING, mends, Fault::Spacing);
            }
            if !alike {
                self.faults.add(codes::LENGTH, false, Fault::Length(token_count, tag_count));
            }
            let mended = self.check(tags);
            if self.faults.is_empty() {
                continue;
            }
            let seen = Row { tokens, tags, configuration: &self.configuration, types: self.types.as_ref() };
            let told = |fault: &Fault| seen.told(fault);
            self.listing.add_all(&mut findings, (row.id, TAGS), &self.faults, mended.as_deref(), told);
        }
        Ok(findings)
    }

    fn state(&self) -> Result<Vec<u8>, Error> {
        encode(&State { listed: self.listing.state(), seen: &self.seen })
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        let State { listed, seen } = decode::<State<Vec<Listed>, Seen>>(state)?;
        self.seen.merge(seen)?;
        self.listing.merge(listed)
    }

    fn finish(&mut self) -> Result<Vec<Finding>, Error> {
        let mut findings = self.listing.finish();
        findings.extend(self.of_set());
        Ok(findings)
    }
}

#[cfg(test)]
mod tests;
