use crate::plugin::About;

/// Address of the description's record; its strings follow from [`STRINGS`] on.
const DESCRIPTION: usize = 16;
const STRINGS: usize = 256;
/// Where the allocator begins. The schema stands there, because it may be long.
const HEAP: usize = 65536;
/// 64 bytes that stay zero: read as a result, they are `ok` of nothing, of no bytes, of an empty list.
const OK: usize = 64;

/// Memory, an allocator that never frees, and whatever the plugin's interfaces export and its `text` does not:
/// `describe` tells what the manifest tells, `configure` takes anything, `clean` keeps every row, a validator and a
/// metric find nothing. Addresses below 4096 are taken; from 4096 to 65535 a module may use as it likes; from 65536
/// on the allocator gives out.
pub fn prelude(about: &About, schema: &[u8], text: &str) -> String {
    let memory = memory(about, schema);
    let defaults = about.kinds.iter().flat_map(|kind| interface_of(kind)).chain(&LIFECYCLE);
    let missing = defaults
        .map(|(name, function)| (name.replace('@', &format!("@{}", about.contract)), function))
        .filter(|(name, _)| !text.contains(&format!("\"{name}\"")))
        .map(|(name, function)| format!("(func (export \"{name}\") {function})\n"));
    let allocator = if text.contains("\"cabi_realloc\"") { "" } else { ALLOCATOR };
    format!("{memory}{allocator}{}", missing.collect::<String>())
}

fn memory(about: &About, schema: &[u8]) -> String {
    let kinds: Vec<u8> = about.kinds.iter().map(|kind| number(kind)).collect();
    let parts: [&[u8]; 3] = [about.name.as_bytes(), about.version.as_bytes(), &kinds];
    let (mut record, mut strings) = (Vec::new(), Vec::new());
    let mut put = |address: usize, length: usize| {
        record.extend((address as u32).to_le_bytes());
        record.extend((length as u32).to_le_bytes());
    };
    for part in parts {
        put(STRINGS + strings.len(), part.len());
        strings.extend(part);
    }
    put(HEAP, schema.len());
    let top = HEAP + schema.len().next_multiple_of(16);
    let pages = top.div_ceil(65536) + 1;
    format!(
        r#"
        (memory (export "memory") {pages})
        (global $top (mut i32) (i32.const {top}))
        (data (i32.const {DESCRIPTION}) "{record}")
        (data (i32.const {STRINGS}) "{strings}")
        (data (i32.const {HEAP}) "{schema}")
        "#,
        record = escaped(&record),
        strings = escaped(&strings),
        schema = escaped(schema),
    )
}

const ALLOCATOR: &str = r#"
    (func $allocate (export "cabi_realloc") (param $old i32) (param $was i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at
            (i32.and
                (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get $align))))
        (global.set $top (i32.add (local.get $at) (local.get $size)))
        (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536)))
            (then
                (if (i32.eq
                        (memory.grow (i32.add (i32.div_u (local.get $size) (i32.const 65536)) (i32.const 1)))
                        (i32.const -1))
                    (then unreachable))))
        (local.get $at))
    "#;

/// An exported function's name, without the contract's version, and its text.
type Default = (&'static str, &'static str);

const LIFECYCLE: [Default; 2] = [
    ("pegbox:plugin/lifecycle@#describe", "(result i32) (i32.const 16)"),
    ("pegbox:plugin/lifecycle@#configure", "(param i32 i32) (result i32) (i32.const 64)"),
];

const CLEANING: [Default; 1] = [(
    "pegbox:plugin/cleaning@#clean",
    // ok(as many outcomes as rows, all zero, which is `keep`)
    r#"(param i32 i32 i32) (param $rows i32) (result i32)
        (i32.store (i32.const 4096) (i32.const 0))
        (i32.store (i32.const 4100)
            (call $allocate (i32.const 0) (i32.const 0) (i32.const 4) (i32.mul (local.get $rows) (i32.const 12))))
        (i32.store (i32.const 4104) (local.get $rows))
        (i32.const 4096)"#,
)];

const VALIDATION: [Default; 4] = [
    ("pegbox:plugin/validation@#validate", "(param i32 i32 i32 i32) (result i32) (i32.const 64)"),
    ("pegbox:plugin/validation@#state", "(result i32) (i32.const 64)"),
    ("pegbox:plugin/validation@#merge", "(param i32 i32) (result i32) (i32.const 64)"),
    ("pegbox:plugin/validation@#finish", "(result i32) (i32.const 64)"),
];

/// `update` is missing: it must drop the step, and for that the module must import something.
const MEASUREMENT: [Default; 4] = [
    ("pegbox:plugin/measurement@#state", "(result i32) (i32.const 64)"),
    ("pegbox:plugin/measurement@#merge", "(param i32 i32) (result i32) (i32.const 64)"),
    ("pegbox:plugin/measurement@#compute", "(result i32) (i32.const 64)"),
    ("pegbox:plugin/measurement@#reset", ""),
];

fn interface_of(kind: &str) -> &'static [Default] {
    match kind {
        "cleaner" => &CLEANING,
        "validator" => &VALIDATION,
        "metric" => &MEASUREMENT,
        _ => &[],
    }
}

/// The contract's `kind`, in the order of its cases.
fn number(kind: &str) -> u8 {
    match kind {
        "cleaner" => 0,
        "validator" => 1,
        "loss" => 2,
        "metric" => 3,
        _ => 4,
    }
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

const _: () = assert!(DESCRIPTION == 16 && OK == 64, "the texts above name these addresses");
