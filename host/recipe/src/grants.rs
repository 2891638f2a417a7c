//! `[grants."team/name"]`: what the recipe lets a plugin do.

use std::collections::BTreeMap;

use pegbox_manifest::{Permissions, is_name};

use crate::reader::Section;

pub(crate) fn read(grants: Section<'_, '_>) -> BTreeMap<String, Permissions> {
    let mut read = BTreeMap::new();
    for (name, span) in grants.keys() {
        if !is_name(&name) {
            grants.fault(
                span,
                format!("`{name}` is not `team/name`"),
                Some("for example: [grants.\"acme/focal\"]".into()),
            );
            continue;
        }
        let Some(section) = grants.named(&name) else { continue };
        let permissions = permissions(section);
        read.insert(name, permissions);
    }
    read
}

fn permissions(mut section: Section<'_, '_>) -> Permissions {
    let permissions = Permissions {
        read_tensors: section.truth("read-tensors").unwrap_or(false),
        log: section.truth("log").unwrap_or(false),
        clock: section.truth("clock").unwrap_or(false),
        random: section.truth("random").unwrap_or(false),
        read: section.texts("read"),
        environment: section.texts("environment"),
        network: section.texts("network"),
    };
    if let Some((key, fault)) = permissions.fault() {
        section.fault(section.span_of(key), fault, None);
    }
    section.finish();
    permissions
}
