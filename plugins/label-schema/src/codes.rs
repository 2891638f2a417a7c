use pegbox_findings::Code;

pub(crate) const EMPTY: Code = Code::error("empty-label");
pub(crate) const UNREADABLE: Code = Code::error("unreadable-labels");
pub(crate) const UNKNOWN: Code = Code::error("unknown-label");
pub(crate) const SPELLING: Code = Code::error("label-spelling");
pub(crate) const ALIAS: Code = Code::error("label-alias");
pub(crate) const DEPRECATED: Code = Code::warning("deprecated-label");
pub(crate) const REPEATED: Code = Code::warning("repeated-label");
pub(crate) const TOO_FEW: Code = Code::error("too-few-labels");
pub(crate) const TOO_MANY: Code = Code::error("too-many-labels");
pub(crate) const EXCLUDED: Code = Code::error("excluded-labels");
pub(crate) const REQUIRED: Code = Code::error("required-label");
pub(crate) const UNUSED: Code = Code::warning("unused-label");
pub(crate) const RARE: Code = Code::warning("rare-label");

/// All of them, in the order in which they are told of one record.
pub(crate) const ALL: [Code; 13] = [
    EMPTY, UNREADABLE, UNKNOWN, SPELLING, ALIAS, DEPRECATED, REPEATED, TOO_FEW, TOO_MANY, EXCLUDED, REQUIRED,
    UNUSED, RARE,
];
