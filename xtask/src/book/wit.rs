//! Types and functions as WIT writes them.

use std::fmt::Write as _;
use wit_parser::{Docs, Function, FunctionKind, Handle, Resolve, Stability, Type, TypeDef, TypeDefKind};

/// `*Since 0.1.1.* `, or nothing.
pub fn since(stability: &Stability) -> String {
    match stability {
        Stability::Unknown => String::new(),
        Stability::Stable { since, deprecated: None } => format!("*Since {since}.* "),
        Stability::Stable { since, deprecated: Some(until) } => {
            format!("*Since {since}; not for new plugins since {until}.* ")
        }
        Stability::Unstable { feature, .. } => format!("*Not stable: behind the feature `{feature}`.* "),
    }
}

/// `name: func(x: u32) -> string`
pub fn signature(resolve: &Resolve, function: &Function) -> String {
    let is_method = matches!(function.kind, FunctionKind::Method(_) | FunctionKind::AsyncMethod(_));
    let params = function.params.iter().skip(usize::from(is_method));
    let params = params.map(|param| format!("{}: {}", param.name, name(resolve, &param.ty)));
    let params = params.collect::<Vec<_>>().join(", ");
    if matches!(function.kind, FunctionKind::Constructor(_)) {
        return format!("constructor({params})");
    }
    let before = if matches!(function.kind, FunctionKind::Static(_)) { "static " } else { "" };
    let result =
        function.result.as_ref().map_or(String::new(), |result| format!(" -> {}", name(resolve, result)));
    format!("{}: {before}func({params}){result}", function.item_name())
}

/// A record, variant, enum or flags, with the documentation of their parts.
pub fn definition(resolve: &Resolve, of: &str, defined: &TypeDef) -> String {
    let payload =
        |ty: &Option<Type>| ty.as_ref().map_or(String::new(), |ty| format!("({})", name(resolve, ty)));
    let lines: Vec<(&Docs, String)> = match &defined.kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter();
            fields
                .map(|field| (&field.docs, format!("{}: {}", field.name, name(resolve, &field.ty))))
                .collect()
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter();
            cases.map(|case| (&case.docs, format!("{}{}", case.name, payload(&case.ty)))).collect()
        }
        TypeDefKind::Enum(list) => list.cases.iter().map(|case| (&case.docs, case.name.clone())).collect(),
        TypeDefKind::Flags(flags) => flags.flags.iter().map(|flag| (&flag.docs, flag.name.clone())).collect(),
        kind => return format!("type {of} = {};\n", of_kind(resolve, kind)),
    };
    let mut text = format!("{} {of} {{\n", defined.kind.as_str());
    for (docs, line) in lines {
        for comment in docs.contents.as_deref().unwrap_or_default().trim().lines() {
            let _ = writeln!(text, "    /// {comment}");
        }
        let _ = writeln!(text, "    {line},");
    }
    text.push_str("}\n");
    text
}

fn name(resolve: &Resolve, ty: &Type) -> String {
    let plain = match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
        Type::Id(id) => {
            let defined = &resolve.types[*id];
            return match &defined.name {
                Some(name) => name.clone(),
                None => of_kind(resolve, &defined.kind),
            };
        }
    };
    plain.to_owned()
}

fn of_kind(resolve: &Resolve, kind: &TypeDefKind) -> String {
    let name = |ty: &Type| name(resolve, ty);
    let names = |types: &[Type]| types.iter().map(name).collect::<Vec<_>>().join(", ");
    let optional = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), name);
    match kind {
        TypeDefKind::List(ty) => format!("list<{}>", name(ty)),
        TypeDefKind::FixedLengthList(ty, length) => format!("list<{}, {length}>", name(ty)),
        TypeDefKind::Map(key, value) => format!("map<{}, {}>", name(key), name(value)),
        TypeDefKind::Option(ty) => format!("option<{}>", name(ty)),
        TypeDefKind::Tuple(tuple) => format!("tuple<{}>", names(&tuple.types)),
        TypeDefKind::Result(result) => match (&result.ok, &result.err) {
            (None, None) => "result".to_owned(),
            (Some(ok), None) => format!("result<{}>", name(ok)),
            (ok, err) => format!("result<{}, {}>", optional(ok), optional(err)),
        },
        TypeDefKind::Handle(Handle::Own(id)) => name(&Type::Id(*id)),
        TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", name(&Type::Id(*id))),
        TypeDefKind::Future(ty) => format!("future<{}>", optional(ty)),
        TypeDefKind::Stream(ty) => format!("stream<{}>", optional(ty)),
        TypeDefKind::Type(ty) => name(ty),
        // These always have a name.
        other => other.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_read() {
        let source = "\
record pair {
    /// The first.
    a: list<option<string>>,
    b: tuple<u8, f32>,
}
variant choice {
    one,
    two(list<u8>),
}
enum colour {
    /// Of blood.
    red,
}
type many = list<pair>;
";
        let functions = [
            "free: func(x: borrow<thing>, y: result<_, string>) -> result<thing>",
            "constructor(size: u32)",
            "method: func() -> option<many>",
            "make: static func(x: colour) -> thing",
        ];
        let [free, rest @ ..] = functions;
        let inside = rest.map(|line| format!("{line};\n")).concat();
        let text = format!(
            "package a:b@1.2.3;\ninterface i {{ {source} resource thing {{ {inside} }} {free}; @since(version = 1.2.0) old: func(); }}"
        );
        let mut resolve = Resolve::default();
        let package = resolve.push_str("x.wit", &text).unwrap();
        let interface = &resolve.interfaces[resolve.packages[package].interfaces["i"]];
        let types = interface.types.iter().map(|(name, id)| (name, &resolve.types[*id]));
        let types = types.filter(|(_, defined)| !matches!(defined.kind, TypeDefKind::Resource));
        let written: String = types.map(|(name, defined)| definition(&resolve, name, defined)).collect();
        assert_eq!(written, source);
        let mut written: Vec<String> =
            interface.functions.values().map(|function| signature(&resolve, function)).collect();
        written.retain(|line| !line.starts_with("old"));
        written.sort();
        let mut expected = functions.map(str::to_owned);
        expected.sort();
        assert_eq!(written, expected);
        assert_eq!(since(&interface.functions["old"].stability), "*Since 1.2.0.* ");
    }
}
