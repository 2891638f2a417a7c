use pegbox_findings::Code;

pub(crate) const UNREADABLE: Code = Code::error("unreadable-spans");
pub(crate) const OUT_OF_BOUNDS: Code = Code::error("span-out-of-bounds");
pub(crate) const EMPTY: Code = Code::error("empty-span");
pub(crate) const CUT_CHARACTER: Code = Code::error("cut-character");
pub(crate) const TEXT: Code = Code::error("span-text");
pub(crate) const WHITE_SPACE: Code = Code::warning("span-white-space");
pub(crate) const CUT_WORD: Code = Code::warning("cut-word");
pub(crate) const NO_LABEL: Code = Code::error("empty-label");
pub(crate) const UNKNOWN_LABEL: Code = Code::error("unknown-label");
pub(crate) const REPEATED: Code = Code::warning("repeated-span");
pub(crate) const OVERLAPPING: Code = Code::error("overlapping-spans");
pub(crate) const NESTED: Code = Code::error("nested-spans");
pub(crate) const UNUSED_LABEL: Code = Code::warning("unused-label");
pub(crate) const NO_SPANS: Code = Code::warning("no-spans");

/// All of them, in the order in which they are listed of one record.
pub(crate) const ALL: [Code; 14] = [
    UNREADABLE,
    OUT_OF_BOUNDS,
    EMPTY,
    CUT_CHARACTER,
    TEXT,
    WHITE_SPACE,
    CUT_WORD,
    NO_LABEL,
    UNKNOWN_LABEL,
    REPEATED,
    OVERLAPPING,
    NESTED,
    UNUSED_LABEL,
    NO_SPANS,
];
