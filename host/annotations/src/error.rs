//! What can be wrong with ratings and labels.

/// Ratings or labels that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
pub enum AnnotationError {
    /// A rating outside the scale that the recipe names.
    #[error("annotator {annotator} rated item {item} `{value}`, which is not on the scale ({scale})")]
    OffScale { item: String, annotator: String, value: String, scale: String },
    /// The scale itself.
    #[error("the scale names `{value}` twice")]
    ScaleRepeats { value: String },
    /// More items, annotators or values than are counted in 32 bits.
    #[error("there are more than {limit} {what}")]
    TooMany { what: &'static str, limit: u64 },
    /// The confusion matrices of Dawid and Skene would not fit.
    #[error(
        "{annotators} annotators and {categories} different values need {mebibytes} MiB of confusion matrices"
    )]
    TooManyCategories { annotators: usize, categories: usize, mebibytes: u64 },
    /// A label number that the class names do not reach.
    #[error("row {row} has label number {label}; at most {limit} labels are taken here")]
    TooManyLabels { row: u32, label: u32, limit: u32 },
    /// A setting that makes no sense.
    #[error("{setting} is {value}: {fault}")]
    Setting { setting: &'static str, value: String, fault: &'static str },
    /// The rows could not be read.
    #[error("the rows cannot be read: {0}")]
    Rows(Box<dyn std::error::Error + Send + Sync>),
}

impl AnnotationError {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::OffScale { .. } => "mend the rating, or add the value to the scale in its place",
                Self::ScaleRepeats { .. } => {
                    "name each value of the scale once, from the lowest to the highest"
                }
                Self::TooMany { .. } => "prepare the dataset in parts",
                Self::TooManyCategories { .. } => {
                    "measurements are not classes: round them to fewer values, or aggregate by majority"
                }
                Self::TooManyLabels { .. } => {
                    "a field with this many values is hardly a class: check which field is the label"
                }
                Self::Setting { .. } | Self::Rows(_) => return None,
            }
            .to_owned(),
        )
    }
}
