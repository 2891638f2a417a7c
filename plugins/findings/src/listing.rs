use pegbox_plugin::{Error, Finding, Fix};
use serde::{Deserialize, Serialize};

use crate::levels::{Code, Levels};
use crate::message::counted;
use crate::row_faults::RowFaults;
use crate::state::broken;

/// Findings about rows, as a validator makes them.
///
/// One that proposes a fix is told with its row, for each row needs its own. One that does not is for people to read:
/// of each code so many rows are listed, the first of the set, and the others are counted. Which rows come first is
/// known only in the end, so these are told then: whatever the instances share among them, the same rows are listed.
#[derive(Clone, Debug)]
pub struct Listing {
    codes: &'static [Code],
    levels: Levels,
    /// Rows that are listed of a code.
    most: usize,
    /// In the order of `codes`.
    listed: Vec<Listed>,
}

/// The rows with faults of one code.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Listed {
    rows: u64,
    first: Vec<Entry>,
}

/// A row that is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Entry {
    row: u64,
    field: String,
    message: String,
}

impl Listing {
    /// `most` rows are listed of each code.
    pub fn new(codes: &'static [Code], levels: Levels, most: u32) -> Self {
        Self { codes, levels, most: most as usize, listed: vec![Listed::default(); codes.len()] }
    }

    /// Whether `code` is looked for at all.
    pub fn wants(&self, code: Code) -> bool {
        self.levels.of(code).is_some()
    }

    /// One fault of a row. It goes into `found` if there is a fix, else it is listed or counted.
    pub fn add(
        &mut self,
        found: &mut Vec<Finding>,
        (row, field): (u64, &str),
        code: Code,
        fix: Option<Fix>,
        message: impl FnOnce() -> String,
    ) {
        let Some(level) = self.levels.of(code) else { return };
        if fix.is_some() {
            found.push(Finding {
                level,
                row: Some(row),
                field: Some(field.to_owned()),
                code: code.name.to_owned(),
                message: message(),
                proposed_fix: fix,
            });
            return;
        }
        let place = self.codes.iter().position(|known| known.name == code.name);
        let Some(listed) = place.and_then(|place| self.listed.get_mut(place)) else { return };
        listed.rows += 1;
        if listed.first.len() < self.most {
            listed.first.push(Entry { row, field: field.to_owned(), message: message() });
        }
    }

    /// All faults of a row in one field; `fix` is that field's new value, which goes with those that it mends.
    pub fn add_all<F>(
        &mut self,
        found: &mut Vec<Finding>,
        (row, field): (u64, &str),
        faults: &RowFaults<F>,
        fix: Option<&str>,
        message: impl Fn(&F) -> String,
    ) {
        for group in faults.groups() {
            let fix = fix.filter(|_| group.mended);
            let fix = fix.map(|value| Fix { field: field.to_owned(), value: value.to_owned() });
            self.add(found, (row, field), group.code, fix, || match group.more {
                0 => message(&group.first),
                more => format!("{} (and {more} more in this record)", message(&group.first)),
            });
        }
    }

    /// A finding about the whole set, if `code` is looked for.
    pub fn of_set(&self, code: Code, field: &str, message: impl FnOnce() -> String) -> Option<Finding> {
        self.levels.of(code).map(|level| Finding {
            level,
            row: None,
            field: Some(field.to_owned()),
            code: code.name.to_owned(),
            message: message(),
            proposed_fix: None,
        })
    }

    /// What travels to another instance.
    pub fn state(&self) -> &[Listed] {
        &self.listed
    }

    /// Takes in what another instance, which saw later rows, has listed and counted.
    ///
    /// # Errors
    /// It knows other codes than this one.
    pub fn merge(&mut self, theirs: Vec<Listed>) -> Result<(), Error> {
        if theirs.len() != self.listed.len() {
            return Err(broken("it lists other codes"));
        }
        for (ours, theirs) in self.listed.iter_mut().zip(theirs) {
            ours.rows = ours.rows.saturating_add(theirs.rows);
            let room = self.most.saturating_sub(ours.first.len());
            ours.first.extend(theirs.first.into_iter().take(room));
        }
        Ok(())
    }

    /// The findings that were listed, in the order of the rows, then how many each code has beyond.
    pub fn finish(&self) -> Vec<Finding> {
        let codes = || self.codes.iter().zip(&self.listed);
        let rows = codes().flat_map(|(code, listed)| listed.first.iter().map(move |entry| (code, entry)));
        let mut findings: Vec<Finding> = rows
            .filter_map(|(code, entry)| {
                let finding = self.of_set(*code, &entry.field, || entry.message.clone())?;
                Some(Finding { row: Some(entry.row), ..finding })
            })
            .collect();
        // The sort is stable: within a row the codes stay in their order.
        findings.sort_by_key(|finding| finding.row);
        findings.extend(codes().filter_map(|(code, listed)| {
            let more = listed.rows.saturating_sub(listed.first.len() as u64);
            let field = listed.first.first().filter(|_| more > 0)?.field.as_str();
            self.of_set(*code, field, || {
                let rows = counted(more, "more record");
                format!("not listed: {rows} with this fault, beyond `max-findings` = {}", self.most)
            })
        }));
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::Level;
    use crate::state::{decode, encode};

    const BAD: Code = Code::error("bad");
    const ODD: Code = Code::warning("odd");
    const CODES: [Code; 2] = [BAD, ODD];

    fn listing(most: u32) -> Listing {
        Listing::new(&CODES, Levels::default(), most)
    }

    fn filled(rows: std::ops::Range<u64>) -> Listing {
        let mut listing = listing(2);
        for row in rows {
            listing.add(&mut Vec::new(), (row, "label"), ODD, None, || format!("odd {row}"));
            if row % 2 == 0 {
                listing.add(&mut Vec::new(), (row, "label"), BAD, None, || format!("bad {row}"));
            }
        }
        listing
    }

    fn lines(findings: &[Finding]) -> Vec<String> {
        let row = |finding: &Finding| finding.row.map(|row| format!("{row}: ")).unwrap_or_default();
        findings
            .iter()
            .map(|finding| format!("{}{} {}", row(finding), finding.code, finding.message))
            .collect()
    }

    #[test]
    fn the_first_rows_are_listed_and_the_others_counted() {
        assert_eq!(
            lines(&filled(1..8).finish()),
            [
                "1: odd odd 1",
                "2: bad bad 2",
                "2: odd odd 2",
                "4: bad bad 4",
                "bad not listed: 1 more record with this fault, beyond `max-findings` = 2",
                "odd not listed: 5 more records with this fault, beyond `max-findings` = 2",
            ]
        );
    }

    #[test]
    fn merged_is_as_seen_at_once() {
        let once = filled(0..9);
        for cut in 0..=9 {
            let mut merged = filled(0..cut);
            let state = encode(&filled(cut..9).state()).unwrap();
            merged.merge(decode(&state).unwrap()).unwrap();
            assert_eq!(merged.state(), once.state(), "{cut}");
        }
        assert!(listing(2).merge(vec![Listed::default()]).is_err());
    }

    #[test]
    fn what_has_a_fix_is_told_at_once_and_what_is_off_not_at_all() {
        let levels = Levels::new(&[("odd".to_owned(), Level::Off)].into(), &CODES).unwrap();
        let mut listing = Listing::new(&CODES, levels, 2);
        let mut found = Vec::new();
        let mut faults = RowFaults::default();
        for (code, mended, fault) in [(BAD, false, 1), (BAD, true, 2), (ODD, true, 3)] {
            faults.add(code, mended, fault);
        }
        assert!(faults.mended() && !faults.is_empty());
        listing.add_all(&mut found, (7, "label"), &faults, Some("mended"), |fault| format!("fault {fault}"));
        assert_eq!(lines(&found), ["7: bad fault 1 (and 1 more in this record)"]);
        let fix = Fix { field: "label".to_owned(), value: "mended".to_owned() };
        assert_eq!(found[0].proposed_fix, Some(fix));
        assert!(listing.finish().is_empty() && !listing.wants(ODD));
        assert!(listing.of_set(ODD, "label", String::new).is_none());
    }
}
