//! `reference/contract.md`: the plugin contract, from `wit/`.

use super::wit::{definition, signature, since};
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::path::Path;
use wit_parser::{Docs, Function, FunctionKind, Interface, Resolve, TypeDef, TypeDefKind, World, WorldItem};

/// In the order in which a reader needs them; others follow.
const ORDER: [&str; 12] = [
    "types",
    "lifecycle",
    "records",
    "cleaning",
    "validation",
    "tensors",
    "steps",
    "objective",
    "measurement",
    "artifacts",
    "exporting",
    "logging",
];

pub fn page(root: &Path) -> Result<String> {
    let wit = root.join("wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&wit).with_context(|| format!("{} is not WIT", wit.display()))?;
    let package = &resolve.packages[package];
    let mut page = format!(
        "# The contract\n\n`{}`, as it stands in the repository's folder `wit/`; \
         [WIT](https://component-model.bytecodealliance.org/design/wit.html) is the language that it is written in. \
         What is marked *since* came with that version; everything else is as old as its line of versions.\n\n{}\n",
        package.name,
        prose(&package.docs)
    );
    page.push_str("## Worlds\n\n| world | imports | exports | what it does |\n| --- | --- | --- | --- |\n");
    for id in package.worlds.values() {
        let world = &resolve.worlds[*id];
        let [imports, exports] = [&world.imports, &world.exports].map(|items| {
            let names = items.values().filter_map(|item| match item {
                WorldItem::Interface { id, .. } => resolve.interfaces[*id].name.as_deref(),
                _ => None,
            });
            names.map(|name| format!("[{name}](#{name})")).collect::<Vec<_>>().join(", ")
        });
        let World { name, docs, .. } = world;
        let _ = writeln!(
            page,
            "| `{name}` | {imports} | {exports} | {} |",
            prose(docs).replace('\n', " ").trim()
        );
    }
    let place = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
    let mut interfaces: Vec<_> = package.interfaces.iter().collect();
    interfaces.sort_by_key(|(name, _)| place(name));
    for (name, id) in interfaces {
        interface(&mut page, &resolve, name, &resolve.interfaces[*id]);
    }
    Ok(page)
}

fn interface(page: &mut String, resolve: &Resolve, name: &str, interface: &Interface) {
    let _ = write!(page, "\n## {name}\n\n{}{}", since(&interface.stability), prose(&interface.docs));
    for (name, id) in &interface.types {
        let defined = &resolve.types[*id];
        match &defined.kind {
            TypeDefKind::Resource => resource(page, resolve, name, interface, defined),
            // `use`: it is described where it comes from.
            TypeDefKind::Type(wit_parser::Type::Id(_)) => {}
            kind => {
                let _ = write!(page, "\n### {} {name}\n\n{}", kind.as_str(), about(defined));
                let _ = write!(page, "```wit\n{}```\n", definition(resolve, name, defined));
            }
        }
    }
    let free = interface.functions.values().filter(|function| function.kind.resource().is_none());
    for function in free {
        let _ = write!(page, "\n### {}\n\n", function.item_name());
        let _ = write!(page, "```wit\n{};\n```\n\n", signature(resolve, function));
        let _ = write!(page, "{}{}", since(&function.stability), prose(&function.docs));
    }
}

fn resource(page: &mut String, resolve: &Resolve, name: &str, interface: &Interface, defined: &TypeDef) {
    let _ = write!(page, "\n### resource {name}\n\n{}", about(defined));
    let mut first = true;
    let own = |function: &&Function| {
        function.kind.resource().is_some_and(|id| resolve.types[id].name.as_deref() == Some(name))
    };
    for function in interface.functions.values().filter(own) {
        let (heading, docs) = apart(&function.docs);
        if let Some(heading) = heading {
            let _ = write!(page, "{}*{heading}*\n\n", if first { "" } else { "\n" });
        }
        first = false;
        let docs = format!("{}{docs}", since(&function.stability));
        let docs = docs.trim().replace('\n', "\n  ");
        let mark = if matches!(function.kind, FunctionKind::Static(_)) { " (static)" } else { "" };
        let _ = write!(page, "- `{}`{mark}", signature(resolve, function).replace(": static func", ": func"));
        let _ = if docs.is_empty() { writeln!(page) } else { writeln!(page, "\\\n  {docs}") };
    }
}

fn about(defined: &TypeDef) -> String {
    let text = format!("{}{}", since(&defined.stability), prose(&defined.docs));
    if text.is_empty() { text } else { format!("{}\n\n", text.trim_end()) }
}

/// A plain comment `// -- what holds for the next functions --` is documentation of the first of them to the parser,
/// and a heading to a reader.
fn apart(docs: &Docs) -> (Option<&str>, &str) {
    let text = docs.contents.as_deref().unwrap_or_default().trim();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    match first.trim().strip_prefix("-- ").and_then(|first| first.strip_suffix(" --")) {
        Some(heading) => (Some(heading), rest),
        None => (None, text),
    }
}

/// Documentation as Markdown, with a line break at its end.
fn prose(docs: &Docs) -> String {
    match &docs.contents {
        Some(text) => format!("{}\n", text.trim()),
        None => String::new(),
    }
}
