//! What can be wrong with what was asked for.

/// A split, a weighting or a cut that cannot be made, and why.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum SamplingError {
    #[error("the shares {shares:?} cannot be used: {what}")]
    Shares { shares: Vec<f64>, what: &'static str },
    /// Two columns that do not belong together.
    #[error("{found} {what} for {expected} rows")]
    Rows { what: &'static str, found: usize, expected: usize },
    #[error("{rows} rows are more than row numbers can count")]
    TooManyRows { rows: usize },
    #[error("row {row} has the label number {label}, but there are {known} labels")]
    Label { row: usize, label: u32, known: usize },
    #[error("row {row} is given the part number {part}, but there are {parts} parts")]
    Part { row: usize, part: u8, parts: usize },
    #[error("{rows} rows in {units} units are too few for a part with the share {share}")]
    TooFew { rows: usize, units: usize, part: u8, share: f64 },
    #[error("`{name}` is {value}, expected {expected}")]
    Setting { name: &'static str, value: f64, expected: &'static str },
    #[error("the row has {tokens} tokens, the maximum is {max}")]
    OverLong { tokens: usize, max: usize },
    #[error("a maximum of {max} tokens leaves no room beside {special} special tokens")]
    NoRoom { max: usize, special: usize },
}

impl SamplingError {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::Shares { .. } => {
                    "write one share for each part, the training part's first, such as 0.7, 0.2, 0.1; together they are 1"
                }
                Self::TooFew { .. } => {
                    "give more rows or a larger share, or a file of its own; rows that must stay together count once"
                }
                Self::TooManyRows { .. } => "split the data set; 4,294,967,294 rows are the most",
                Self::OverLong { .. } => {
                    "raise max-length (the model sets a ceiling), or set over-long to \"truncate\", \"split\" or \"drop\""
                }
                Self::NoRoom { .. } => "raise max-length",
                Self::Rows { .. } | Self::Label { .. } | Self::Part { .. } | Self::Setting { .. } => return None,
            }
            .to_owned(),
        )
    }
}
