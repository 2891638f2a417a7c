//! The module that a component is made from: it exports what the contract asks for and the author does not write.

use std::path::Path;

use pegbox_manifest::{Kind, Manifest};
use serde_json::{Value, json};

/// Its text. `source` is the author's file, which it imports.
pub fn text(manifest: &Manifest, source: &Path, name_of_source: &str) -> String {
    let about = &manifest.plugin;
    let said = json!({
        "name": about.name,
        "version": about.version.to_string(),
        "kinds": about.kinds.iter().map(Kind::to_string).collect::<Vec<_>>(),
        "source": name_of_source,
    });
    let source = Value::from(source.to_string_lossy().into_owned());
    let globals = globals(manifest).map(|module| format!("import \"pegbox-plugin/globals/{module}\";\n"));
    let kinds = || about.kinds.iter().map(|kind| (interface(*kind), *kind));
    let imports: String = kinds()
        .map(|(interface, kind)| {
            format!("import {{ {interface} as make_{interface} }} from \"pegbox-plugin/glue/{kind}\";\n")
        })
        .collect();
    let exports: String = kinds()
        .map(|(interface, _)| format!("export const {interface} = make_{interface}(plugin);\n"))
        .collect();
    format!(
        "// Written from plugin.toml by `pegbox plugin build`.\n{}\n\
         import * as author from {source};\n\
         import {{ Plugin }} from \"pegbox-plugin/glue/plugin\";\n{imports}\n\
         const plugin = new Plugin(author.default, {said});\n\n\
         export const lifecycle = {{\n  describe: () => plugin.describe(),\n  \
         configure: (json) => plugin.configure(json),\n}};\n{exports}",
        globals.concat()
    )
}

/// What stands in the place of globals that other engines have; the author's code runs after these.
fn globals(manifest: &Manifest) -> [&'static str; 4] {
    let asked = &manifest.permissions;
    [
        "text",
        if asked.log { "console" } else { "console-silent" },
        if asked.clock { "clock" } else { "clock-refused" },
        if asked.random { "random" } else { "random-refused" },
    ]
}

/// The interface of the contract that a plugin of `kind` exports.
fn interface(kind: Kind) -> &'static str {
    match kind {
        Kind::Cleaner => "cleaning",
        Kind::Validator => "validation",
        Kind::Loss => "objective",
        Kind::Metric => "measurement",
        Kind::Exporter => "exporting",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_exports_each_kind_and_knows_what_the_manifest_says() {
        let manifest = Manifest::parse(
            "[plugin]\nname = \"acme/both\"\nversion = \"1.2.3\"\nkinds = [\"loss\", \"metric\"]\n\
             contract = \"0.1.1\"\nlicence = \"MIT\"\nsummary = \"x\"\n[component]\npath = \"plugin.wasm\"\n\
             [permissions]\nlog = true\n",
            Path::new("plugin.toml"),
        )
        .unwrap();
        let text = text(&manifest, Path::new("/a \"b\"/plugin.js"), "plugin.js");
        for wanted in [
            "import \"pegbox-plugin/globals/console\";",
            "import \"pegbox-plugin/globals/clock-refused\";",
            r#"import * as author from "/a \"b\"/plugin.js";"#,
            r#""kinds":["loss","metric"],"name":"acme/both","source":"plugin.js","version":"1.2.3""#,
            "export const objective = make_objective(plugin);",
            "export const measurement = make_measurement(plugin);",
        ] {
            assert!(text.contains(wanted), "{wanted} is not in:\n{text}");
        }
        assert!(!text.contains("cleaning"));
    }
}
