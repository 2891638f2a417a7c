//! What becomes of each row: one byte a row, whatever its length.

use pegbox_records::Part;

/// The place of a row in the dataset, or why it has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum State {
    Train = 0,
    Validation = 1,
    Test = 2,
    /// The split decides.
    Free = 3,
    /// Its annotators do not agree.
    Tied = 4,
    /// A text that is equal to another row's.
    ExactDuplicate = 5,
    NearDuplicate = 6,
    /// A validation or test row says the same.
    LeftOut = 7,
    /// Its label is likely wrong.
    Suspect = 8,
    /// It stands in the test part or in a benchmark.
    Leaked = 9,
    /// Its class has too many.
    UnderSampled = 10,
    /// Nobody rated it, or another row is there for its item.
    Unrated = 11,
}

impl State {
    pub fn of(part: Part) -> Self {
        match part {
            Part::Train => Self::Train,
            Part::Validation => Self::Validation,
            Part::Test => Self::Test,
        }
    }

    /// The part that the row is in.
    pub fn part(self) -> Option<Part> {
        match self {
            Self::Train => Some(Part::Train),
            Self::Validation => Some(Part::Validation),
            Self::Test => Some(Part::Test),
            _ => None,
        }
    }

    /// Whether the row is still there.
    pub fn stays(self) -> bool {
        self.part().is_some() || self == Self::Free
    }

    /// The step that removed the row, and the reason.
    pub fn removal(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Train | Self::Validation | Self::Test | Self::Free => return None,
            Self::Tied => ("annotations", "tied"),
            Self::ExactDuplicate => ("duplicates", "exact-duplicate"),
            Self::NearDuplicate => ("duplicates", "near-duplicate"),
            Self::LeftOut => ("split", "held-out-rows-say-the-same"),
            Self::Suspect => ("suspects", "label-is-likely-wrong"),
            Self::Leaked => ("leakage", "stands-in-a-benchmark"),
            Self::UnderSampled => ("balance", "under-sampled"),
            Self::Unrated => ("annotations", "another-row-of-the-item-or-unrated"),
        })
    }
}
