use pegbox_findings::Code;

pub(crate) const UNREADABLE: Code = Code::error("unreadable-ratings");
pub(crate) const REPEATED: Code = Code::error("repeated-annotator");
pub(crate) const UNKNOWN_ANNOTATOR: Code = Code::error("unknown-annotator");
pub(crate) const NO_NUMBER: Code = Code::error("not-a-number");
pub(crate) const OUT_OF_RANGE: Code = Code::error("rating-out-of-range");
pub(crate) const OFF_SCALE: Code = Code::error("rating-off-scale");
pub(crate) const TOO_FEW: Code = Code::warning("too-few-raters");
pub(crate) const CONSTANT: Code = Code::warning("constant-annotator");
pub(crate) const DEVIATING: Code = Code::warning("deviating-annotator");
pub(crate) const TOO_MANY: Code = Code::warning("too-many-annotators");

/// All of them, in the order in which they are listed of one record.
pub(crate) const ALL: [Code; 10] = [
    UNREADABLE,
    REPEATED,
    UNKNOWN_ANNOTATOR,
    NO_NUMBER,
    OUT_OF_RANGE,
    OFF_SCALE,
    TOO_FEW,
    CONSTANT,
    DEVIATING,
    TOO_MANY,
];
