use std::fmt::Write;

use anyhow::{Context, Result, bail};

/// The bytes that `recipe` describes, `name` or `name:number`.
///
/// # Errors
/// There is no such recipe.
pub fn bytes(recipe: &str) -> Result<Vec<u8>> {
    let (name, number) = parse(recipe)?;
    let text = match name {
        "nothing" => return Ok(Vec::new()),
        "garbage" => return Ok(b"\x7fELF\x02\x01\x01 and more".to_vec()),
        "core-module" => return Ok(b"\0asm\x01\0\0\0".to_vec()),
        "header-and-garbage" => return Ok(b"\0asm\x0d\0\x01\0 and rubbish".to_vec()),
        "half" => {
            let mut whole = wat::parse_str(functions(100))?;
            whole.truncate(whole.len() / 2);
            return Ok(whole);
        }
        // A custom section: it costs nothing to compile, only to read.
        "megabytes" => return Ok(section(CUSTOM, &[b"\x01x".to_vec(), vec![0; number << 20]].concat())),
        "functions" => functions(number),
        "blocks" => one_function("(block ", ")", number),
        "locals" => locals(number),
        "additions" => {
            one_function("(drop (i64.add (i64.clz (i64.load (i32.const 0))) (i64.const 7)))", "", number)
        }
        "nested-lists" => {
            let lists: String = (1..number).map(|i| format!("(type (list {}))", i - 1)).collect();
            format!("(component (type (list u8)) {lists} (import \"x\" (type (eq {}))))", number - 1)
        }
        "nested-components" => {
            return Ok(nested(number));
        }
        "instances" => parts(number, "(core module $m)", "(core instance (instantiate $m))"),
        "memories" => parts(number, "(core module $m (memory 1))", "(core instance (instantiate $m))"),
        "tables" => parts(number, "(core module $m (table 10 funcref))", "(core instance (instantiate $m))"),
        other => bail!("there is no recipe `{other}`"),
    };
    Ok(wat::parse_str(text)?)
}

/// The JSON Schema that `recipe` describes.
///
/// # Errors
/// There is no such recipe.
pub fn schema(recipe: &str) -> Result<Vec<u8>> {
    let (name, number) = parse(recipe)?;
    let text = match name {
        "long" => format!("{{\"title\": \"{}\"}}", "x".repeat(number)),
        "deep" => format!("{}true{}", "{\"not\": ".repeat(number), "}".repeat(number)),
        // Each definition is the next one twice: to check one value costs 2^number.
        "doubling" => definitions(number, |next| format!("{{\"allOf\": [{next}, {next}]}}")),
        "chain" => definitions(number, |next| format!("{{\"allOf\": [{next}]}}")),
        "patterns" => {
            let one = |i| format!(r#""p{i}": {{"pattern": "(\\w{{40}}){{20}}x{i}"}}"#);
            format!("{{\"properties\": {{{}}}}}", (0..number).map(one).collect::<Vec<_>>().join(", "))
        }
        other => bail!("there is no recipe `{other}`"),
    };
    Ok(text.into_bytes())
}

fn parse(recipe: &str) -> Result<(&str, usize)> {
    match recipe.split_once(':') {
        Some((name, number)) => Ok((name, number.parse().with_context(|| recipe.to_owned())?)),
        None => Ok((recipe, 0)),
    }
}

fn definitions(number: usize, define: impl Fn(&str) -> String) -> String {
    let mut text = "{\"$ref\": \"#/$defs/d0\", \"$defs\": {".to_owned();
    for i in 0..number {
        let next = format!("{{\"$ref\": \"#/$defs/d{}\"}}", i + 1);
        let _ = write!(text, "\"d{i}\": {}, ", define(&next));
    }
    text + &format!("\"d{number}\": {{\"type\": \"object\"}}}}}}")
}

/// So many small functions.
fn functions(number: usize) -> String {
    let function = "(func (param i64 i64) (result i64) \
        (i64.add (i64.mul (local.get 0) (local.get 1)) (i64.rotl (local.get 1) (i64.load (i32.const 8)))))";
    parts(1, &format!("(core module $m (memory 1) {})", function.repeat(number)), INSTANCE)
}

/// One function of `opens`, then `closes`, so many times each.
fn one_function(opens: &str, closes: &str, number: usize) -> String {
    let body = format!("{}{}", opens.repeat(number), closes.repeat(number));
    parts(1, &format!("(core module $m (memory 1) (func {body}))"), INSTANCE)
}

/// A hundred functions with so many locals that are all alive at once.
fn locals(number: usize) -> String {
    let types = "i64 ".repeat(number);
    let mut body = String::new();
    for i in 0..number {
        let _ = write!(body, "(local.set {i} (i64.load (i32.const {i})))");
    }
    for i in 0..number {
        let _ = write!(body, "(i64.store (i32.const 0) (local.get {i}))");
    }
    let function = format!("(func (local {types}) (loop {body} (br_if 0 (i32.load (i32.const 4)))))");
    parts(1, &format!("(core module $m (memory 1) {})", function.repeat(100)), INSTANCE)
}

const INSTANCE: &str = "(core instance (instantiate $m))";

fn parts(number: usize, module: &str, instance: &str) -> String {
    format!("(component {module} {})", instance.repeat(number))
}

/// Numbers of sections in a component.
const CUSTOM: u8 = 0;
const COMPONENT: u8 = 4;

/// Components within each other: what stands before each inner one, outermost first.
fn nested(depth: usize) -> Vec<u8> {
    let (mut starts, mut size) = (Vec::new(), 0);
    for _ in 0..depth {
        // As a section, but for its content, of which the size is all that matters.
        let mut start = section(COMPONENT, &vec![0; size.min(1)]);
        if size > 0 {
            start.truncate(9);
            leb128(size, &mut start);
        }
        size += start.len();
        starts.push(start);
    }
    starts.reverse();
    starts.concat()
}

/// A component of one section.
fn section(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    if content.is_empty() {
        return bytes;
    }
    bytes.push(number);
    leb128(content.len(), &mut bytes);
    bytes.extend(content);
    bytes
}

fn leb128(mut number: usize, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
