use pegbox_findings::Code;

pub(crate) const EMPTY: Code = Code::error("empty-tokens");
pub(crate) const SPACING: Code = Code::error("word-spacing");
pub(crate) const LENGTH: Code = Code::error("length-mismatch");
pub(crate) const UNKNOWN_TAG: Code = Code::error("unknown-tag");
pub(crate) const SPELLING: Code = Code::error("tag-spelling");
pub(crate) const UNKNOWN_TYPE: Code = Code::error("unknown-type");
pub(crate) const NO_BEGIN: Code = Code::error("inside-without-begin");
pub(crate) const TYPE_CHANGE: Code = Code::error("type-change");
pub(crate) const UNCLOSED: Code = Code::error("unclosed-entity");
pub(crate) const NEEDLESS_BEGIN: Code = Code::warning("needless-begin");
pub(crate) const OTHER_SCHEME: Code = Code::warning("other-scheme");
pub(crate) const UNUSED_TYPE: Code = Code::warning("unused-type");
pub(crate) const NO_ENTITIES: Code = Code::warning("no-entities");

/// All of them, in the order in which they are listed of one record.
pub(crate) const ALL: [Code; 13] = [
    EMPTY,
    SPACING,
    LENGTH,
    UNKNOWN_TAG,
    SPELLING,
    UNKNOWN_TYPE,
    NO_BEGIN,
    TYPE_CHANGE,
    UNCLOSED,
    NEEDLESS_BEGIN,
    OTHER_SCHEME,
    UNUSED_TYPE,
    NO_ENTITIES,
];
