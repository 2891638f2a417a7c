//! How much a plugin may use: what its manifest asks for, what the recipe grants, what holds otherwise.

use pegbox_plugin_abi::lifecycle::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `[limits]` table of a manifest, and `limits` beside a plugin in a recipe.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LimitOverrides {
    /// Milliseconds that one call may take, host operations included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// MiB of linear memory of one instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    /// MiB that one call may hand to the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_mib: Option<u64>,
    /// Tensor handles alive at once in a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensors: Option<u64>,
    /// MiB that the tensors behind these handles take on the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensor_mib: Option<u64>,
    /// KiB of stack for the plugin's own calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_kib: Option<u64>,
    /// Elements of one table (of functions).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_elements: Option<u64>,
    /// Core instances, memories and tables, each, that one instance of the plugin consists of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<u64>,
    /// Lines of log a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_lines: Option<u64>,
    /// MiB that an exporter may write in one export.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_mib: Option<u64>,
    /// MiB of the component's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module_mib: Option<u64>,
    /// Seconds that compiling the component may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compile_seconds: Option<u64>,
    /// MiB of memory that compiling the component may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compile_mib: Option<u64>,
}

/// What holds for one plugin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    pub deadline_ms: u64,
    pub memory_mib: u64,
    pub copy_mib: u64,
    pub tensors: u64,
    pub tensor_mib: u64,
    pub stack_kib: u64,
    pub table_elements: u64,
    pub instances: u64,
    pub log_lines: u64,
    pub output_mib: u64,
    pub module_mib: u64,
    pub compile_seconds: u64,
    pub compile_mib: u64,
}

/// A limit that cannot be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`limits.{key}` = {wanted} {fault}")]
pub struct LimitError {
    pub key: &'static str,
    pub wanted: u64,
    pub fault: String,
}

/// One limit, as the book shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// As manifests and recipes write it.
    pub key: &'static str,
    /// What holds if nobody says anything.
    pub default: u64,
    /// What a manifest may ask for on its own.
    pub by_manifest: u64,
    /// The highest value that means anything.
    pub highest: u64,
}

impl Bounds {
    const fn new(key: &'static str, default: u64, by_manifest: u64, highest: u64) -> Self {
        Self { key, default, by_manifest, highest }
    }

    fn settle(&self, manifest: Option<u64>, recipe: Option<u64>) -> Result<u64, LimitError> {
        let fail = |wanted, fault| Err(LimitError { key: self.key, wanted, fault });
        let wanted = match (recipe, manifest) {
            (Some(granted), _) => granted,
            (None, Some(asked)) if asked > self.by_manifest => {
                return fail(
                    asked,
                    format!(
                        "is more than a manifest may ask for ({}); the recipe can grant it",
                        self.by_manifest
                    ),
                );
            }
            (None, Some(asked)) => asked,
            (None, None) => self.default,
        };
        match wanted {
            0 => fail(0, "allows nothing; leave the key out for the default".to_owned()),
            _ if wanted > self.highest => {
                fail(wanted, format!("is above {}, the highest there is", self.highest))
            }
            _ => Ok(wanted),
        }
    }
}

const DEADLINE: Bounds = Bounds::new("deadline-ms", 10_000, 60_000, 86_400_000);
const EXPORTER_DEADLINE: Bounds = Bounds::new("deadline-ms", 600_000, 3_600_000, 86_400_000);
// A 32-bit memory ends at 4 GiB.
const MEMORY: Bounds = Bounds::new("memory-mib", 256, 1024, 4096);
const COPY: Bounds = Bounds::new("copy-mib", 64, 256, 4096);
const TENSORS: Bounds = Bounds::new("tensors", 4096, 65_536, 1 << 20);
const TENSOR_MEMORY: Bounds = Bounds::new("tensor-mib", 4096, 16_384, 1 << 20);
// A thread of the host has 2 MiB, and needs some of it.
const STACK: Bounds = Bounds::new("stack-kib", 512, 512, 1024);
const TABLE_ELEMENTS: Bounds = Bounds::new("table-elements", 20_000, 200_000, 200_000);
// A component made from a scripting language's runtime has some 40.
const INSTANCES: Bounds = Bounds::new("instances", 64, 64, 64);
const LOG_LINES: Bounds = Bounds::new("log-lines", 100, 1000, 1_000_000);
const OUTPUT: Bounds = Bounds::new("output-mib", 65_536, 1 << 20, 1 << 30);
const MODULE: Bounds = Bounds::new("module-mib", 64, 64, 1024);
const COMPILE_TIME: Bounds = Bounds::new("compile-seconds", 300, 300, 86_400);
const COMPILE_MEMORY: Bounds = Bounds::new("compile-mib", 8192, 8192, 1 << 20);

impl Limits {
    /// The recipe's word holds, then the manifest's, then the default. An exporter moves whole models
    /// and may take longer.
    ///
    /// # Errors
    /// A limit of 0, one that is too high for anything, or one that a manifest may not claim by itself.
    pub fn settle(
        kinds: &[Kind],
        manifest: &LimitOverrides,
        recipe: &LimitOverrides,
    ) -> Result<Self, LimitError> {
        let deadline = if kinds.contains(&Kind::Exporter) { EXPORTER_DEADLINE } else { DEADLINE };
        Ok(Self {
            deadline_ms: deadline.settle(manifest.deadline_ms, recipe.deadline_ms)?,
            memory_mib: MEMORY.settle(manifest.memory_mib, recipe.memory_mib)?,
            copy_mib: COPY.settle(manifest.copy_mib, recipe.copy_mib)?,
            tensors: TENSORS.settle(manifest.tensors, recipe.tensors)?,
            tensor_mib: TENSOR_MEMORY.settle(manifest.tensor_mib, recipe.tensor_mib)?,
            stack_kib: STACK.settle(manifest.stack_kib, recipe.stack_kib)?,
            table_elements: TABLE_ELEMENTS.settle(manifest.table_elements, recipe.table_elements)?,
            instances: INSTANCES.settle(manifest.instances, recipe.instances)?,
            log_lines: LOG_LINES.settle(manifest.log_lines, recipe.log_lines)?,
            output_mib: OUTPUT.settle(manifest.output_mib, recipe.output_mib)?,
            module_mib: MODULE.settle(manifest.module_mib, recipe.module_mib)?,
            compile_seconds: COMPILE_TIME.settle(manifest.compile_seconds, recipe.compile_seconds)?,
            compile_mib: COMPILE_MEMORY.settle(manifest.compile_mib, recipe.compile_mib)?,
        })
    }

    /// All limits, in the order of [`LimitOverrides`]; an exporter's deadline is [`Limits::EXPORTER_DEADLINE`].
    pub fn table() -> [Bounds; 13] {
        [
            DEADLINE,
            MEMORY,
            COPY,
            TENSORS,
            TENSOR_MEMORY,
            STACK,
            TABLE_ELEMENTS,
            INSTANCES,
            LOG_LINES,
            OUTPUT,
            MODULE,
            COMPILE_TIME,
            COMPILE_MEMORY,
        ]
    }

    /// An exporter moves whole models and may take longer.
    pub const EXPORTER_DEADLINE: Bounds = EXPORTER_DEADLINE;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(mib: u64) -> LimitOverrides {
        LimitOverrides { memory_mib: Some(mib), ..LimitOverrides::default() }
    }

    #[test]
    fn the_recipe_wins_over_the_manifest_and_the_manifest_over_the_default() {
        let none = LimitOverrides::default();
        let settle = |manifest: &LimitOverrides, recipe: &LimitOverrides| {
            Limits::settle(&[Kind::Loss], manifest, recipe)
        };
        assert_eq!(settle(&none, &none).unwrap().memory_mib, 256);
        assert_eq!(settle(&memory(64), &none).unwrap().memory_mib, 64);
        assert_eq!(settle(&memory(64), &memory(32)).unwrap().memory_mib, 32);
        assert!(settle(&memory(2048), &none).unwrap_err().to_string().contains("the recipe can grant"));
        assert_eq!(settle(&memory(2048), &memory(2048)).unwrap().memory_mib, 2048);
        assert!(settle(&none, &memory(0)).is_err());
        assert!(settle(&none, &memory(8192)).is_err());
    }
}
