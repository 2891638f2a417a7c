//! `pegbox/tag-check`, a validator: holds the tags of tokens against the scheme that they should follow.
//!
//! | code | level | of | when |
//! | --- | --- | --- | --- |
//! | `empty-tokens` | error | a row | there are no tokens and no tags |
//! | `word-spacing` | error | a row | tokens or tags have a space too many; with a fix if there is a tag for each token |
//! | `length-mismatch` | error | a row | there are more tokens than tags, or fewer |
//! | `unknown-tag` | error | a row | it is no tag of `scheme` |
//! | `tag-spelling` | error | a row | a small letter, a zero for `O`, another separator; with a fix |
//! | `unknown-type` | error | a row | `types` does not list its type; with a fix if one that it lists is close |
//! | `inside-without-begin` | error | a row | it goes on with an entity that has not begun; with a fix if there is no doubt |
//! | `type-change` | error | a row | it goes on with an entity of another type |
//! | `unclosed-entity` | error | a row | in iobes and bilou, an entity has no end; with a fix |
//! | `needless-begin` | warning | a row | in iob1, `B` with no entity of its type right before; with a fix |
//! | `other-scheme` | warning | the set | records break `scheme`, and none breaks another |
//! | `unused-type` | warning | the set | no tag has a type of `types` |
//! | `no-entities` | warning | the set | no tag is of an entity |
//!
//! All faults of one kind in a row are one finding, and the fix of a row mends all that can be mended in it. Findings
//! with a fix are told for every row; of the others `max-findings` rows a code are listed at the end, and the rest
//! counted.

/// What can be wrong.
mod codes;
/// The recipe's configuration and its JSON Schema.
mod configuration;
/// Faults, and what is said of them.
mod fault;
/// Letters, schemes, and what breaks them.
mod scheme;
/// A tag as it is read.
mod tag;
/// The plugin: findings of rows, then those of the set.
mod validator;

pub use configuration::Configuration;
pub use scheme::Scheme;
pub use validator::TagCheck;

pegbox_plugin::export!(TagCheck: Validator);
