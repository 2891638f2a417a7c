use crate::build::About;

/// Address of the description's record; its strings follow from [`STRINGS`] on.
const DESCRIPTION: usize = 16;
const STRINGS: usize = 256;

/// Memory, an allocator that never frees, and `lifecycle`: `describe` tells what the manifest tells,
/// `configure` takes anything. Addresses below 4096 are taken; from 4096 to 65535 a module may use as it
/// likes; from 65536 on the allocator gives out.
pub fn prelude(about: &About) -> String {
    let schema = "{}";
    let kinds: Vec<u8> = about.kinds.iter().map(|kind| number(kind)).collect();
    let parts: [&[u8]; 4] = [about.name.as_bytes(), about.version.as_bytes(), &kinds, schema.as_bytes()];
    let (mut record, mut strings) = (Vec::new(), Vec::new());
    for part in parts {
        let address = STRINGS + strings.len();
        record.extend((address as u32).to_le_bytes());
        record.extend((part.len() as u32).to_le_bytes());
        strings.extend(part);
    }
    format!(
        r#"
        (memory (export "memory") 2)
        (global $top (mut i32) (i32.const 65536))
        (data (i32.const {DESCRIPTION}) "{record}")
        (data (i32.const {STRINGS}) "{strings}")
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
        (func (export "pegbox:plugin/lifecycle@0.1.0#describe") (result i32) (i32.const {DESCRIPTION}))
        (func (export "pegbox:plugin/lifecycle@0.1.0#configure") (param i32 i32) (result i32) (i32.const 8))
        "#,
        record = escaped(&record),
        strings = escaped(&strings),
    )
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
