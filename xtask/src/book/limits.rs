//! `reference/limits.md`: how much a plugin may use.

use anyhow::{Context, Result};
use pegbox_manifest::{Bounds, Limits};
use std::fmt::Write as _;

const HEAD: &str = "\
# Limits

Every plugin runs under these limits. The recipe's word holds (`limits = { ... }` beside the plugin), then the manifest's
(`[limits]` in `plugin.toml`), then the default. A manifest may ask for so much *on its own*; for more it needs the
recipe, which may grant up to the *highest*.

| key | what it limits | default | on its own | highest |
| --- | --- | ---: | ---: | ---: |
";

pub fn page() -> Result<String> {
    let schema = pegbox_manifest::schema().to_value();
    let mut page = HEAD.to_owned();
    let mut row = |limit: &Bounds, more: &str| -> Result<()> {
        let pointer = format!("/$defs/LimitOverrides/properties/{}/description", limit.key);
        let what = schema.pointer(&pointer).and_then(|text| text.as_str());
        let what =
            what.with_context(|| format!("the limit {} is not in the manifest's schema", limit.key))?;
        let Bounds { key, default, by_manifest, highest } = limit;
        writeln!(
            page,
            "| `{key}` | {}{more} | {default} | {by_manifest} | {highest} |",
            what.replace('\n', " ")
        )?;
        Ok(())
    };
    for limit in &Limits::table() {
        row(limit, "")?;
        if limit.key == Limits::EXPORTER_DEADLINE.key {
            row(&Limits::EXPORTER_DEADLINE, " Of an exporter, which moves whole models.")?;
        }
    }
    Ok(page)
}
