//! TypeScript's view of the WIT packages: the types that the SDK and an author's editor check against. They are what
//! the engine gives and takes, which is not what browsers' bindings do: a `list<f32>` is an array, and 64 bits are a
//! number.

use std::fmt::Write as _;

use wit_parser::{
    Docs, Function, FunctionKind, Handle, Interface, InterfaceId, Resolve, Type, TypeDefKind, TypeId,
    TypeOwner,
};

/// One `declare module` for each interface in `resolve`, named as SDK and authors import it, without a version.
pub fn declarations(resolve: &Resolve) -> String {
    let mut text = String::from(
        "// The contract and WASI, as the engine shows them. Written from the WIT by `pegbox plugin build`.\n",
    );
    for (id, interface) in resolve.interfaces.iter() {
        if let Some(name) = resolve.id_of(id) {
            Writer { resolve, id, text: &mut text }.module(&name, interface);
        }
    }
    text
}

struct Writer<'a> {
    resolve: &'a Resolve,
    id: InterfaceId,
    text: &'a mut String,
}

impl Writer<'_> {
    fn module(&mut self, name: &str, interface: &Interface) {
        self.line("");
        self.docs(&interface.docs, "");
        self.line(&format!("declare module \"{}\" {{", name.split('@').next().unwrap_or(name)));
        for (name, id) in &interface.types {
            self.definition(name, *id, interface);
        }
        for function in interface.functions.values() {
            if matches!(function.kind, FunctionKind::Freestanding) {
                self.docs(&function.docs, "  ");
                let signature = self.signature(function);
                self.line(&format!("  export function {}{signature};", camel(&function.name)));
            }
        }
        self.line("}");
    }

    fn definition(&mut self, name: &str, id: TypeId, interface: &Interface) {
        let definition = &self.resolve.types[id];
        let name = pascal(name);
        self.docs(&definition.docs, "  ");
        match &definition.kind {
            TypeDefKind::Record(record) => {
                self.line(&format!("  export interface {name} {{"));
                for field in &record.fields {
                    self.docs(&field.docs, "    ");
                    let ty = self.ty(&field.ty);
                    self.line(&format!("    {}: {ty};", camel(&field.name)));
                }
                self.line("  }");
            }
            TypeDefKind::Flags(flags) => {
                self.line(&format!("  export interface {name} {{"));
                for flag in &flags.flags {
                    self.docs(&flag.docs, "    ");
                    self.line(&format!("    {}: boolean;", camel(&flag.name)));
                }
                self.line("  }");
            }
            TypeDefKind::Enum(cases) => {
                let cases: Vec<String> =
                    cases.cases.iter().map(|case| format!("\"{}\"", case.name)).collect();
                self.line(&format!("  export type {name} = {};", cases.join(" | ")));
            }
            TypeDefKind::Variant(variant) => {
                let cases =
                    variant.cases.iter().map(|case| tagged(&case.name, case.ty.map(|ty| self.ty(&ty))));
                let cases: Vec<String> = cases.collect();
                self.line(&format!("  export type {name} = {};", cases.join(" | ")));
            }
            TypeDefKind::Resource => self.class(&name, id, interface),
            TypeDefKind::Type(original) => {
                let original = self.ty(original);
                if original != name {
                    self.line(&format!("  export type {name} = {original};"));
                }
            }
            other => {
                let anonymous = self.anonymous(other);
                self.line(&format!("  export type {name} = {anonymous};"));
            }
        }
    }

    fn class(&mut self, name: &str, id: TypeId, interface: &Interface) {
        self.line(&format!("  export class {name} {{"));
        let mut can_be_made = false;
        for function in interface.functions.values() {
            let (before, named) = match function.kind {
                FunctionKind::Constructor(of) if of == id => ("", "constructor".to_owned()),
                FunctionKind::Method(of) if of == id => ("", camel(function.item_name())),
                FunctionKind::Static(of) if of == id => ("static ", camel(function.item_name())),
                _ => continue,
            };
            self.docs(&function.docs, "    ");
            can_be_made |= named == "constructor";
            let signature = self.signature(function);
            self.line(&format!("    {before}{named}{signature};"));
        }
        if !can_be_made {
            self.line("    private constructor();");
        }
        self.line("    [Symbol.dispose](): void;");
        self.line("  }");
    }

    /// `(name: string): Thing`. A constructor has no result, and a method not its receiver.
    fn signature(&self, function: &Function) -> String {
        let receivers = usize::from(matches!(function.kind, FunctionKind::Method(_)));
        let parameters: Vec<String> = function.params[receivers..]
            .iter()
            .map(|parameter| format!("{}: {}", parameter_name(&parameter.name), self.taken(&parameter.ty)))
            .collect();
        let parameters = parameters.join(", ");
        match (&function.kind, &function.result) {
            (FunctionKind::Constructor(_), _) => format!("({parameters})"),
            (_, None) => format!("({parameters}): void"),
            (_, Some(result)) => format!("({parameters}): {}", self.returned(result)),
        }
    }

    /// What a function gives: of a `result` the good part, the other is thrown.
    fn returned(&self, ty: &Type) -> String {
        if let Type::Id(id) = ty
            && let TypeDefKind::Result(result) = &self.resolve.types[*id].kind
        {
            return result.ok.map_or("void".to_owned(), |ok| self.ty(&ok));
        }
        self.ty(ty)
    }

    /// What a function takes: lists are only read.
    fn taken(&self, ty: &Type) -> String {
        let ty = self.ty(ty);
        if ty.ends_with("[]") { format!("readonly {ty}") } else { ty }
    }

    fn ty(&self, ty: &Type) -> String {
        let id = match ty {
            Type::Bool => return "boolean".to_owned(),
            Type::Char | Type::String => return "string".to_owned(),
            Type::ErrorContext => return "unknown".to_owned(),
            Type::Id(id) => *id,
            _ => return "number".to_owned(),
        };
        let definition = &self.resolve.types[id];
        match (&definition.name, definition.owner) {
            (Some(name), TypeOwner::Interface(owner)) if owner == self.id => pascal(name),
            (Some(name), TypeOwner::Interface(owner)) => {
                let module = self.resolve.id_of(owner).unwrap_or_default();
                let module = module.split('@').next().unwrap_or_default();
                format!("import(\"{module}\").{}", pascal(name))
            }
            _ => self.anonymous(&definition.kind),
        }
    }

    fn anonymous(&self, kind: &TypeDefKind) -> String {
        match kind {
            TypeDefKind::List(Type::U8) => "Uint8Array".to_owned(),
            TypeDefKind::List(item) | TypeDefKind::FixedLengthList(item, _) => match self.ty(item) {
                item if item.contains(" | ") => format!("({item})[]"),
                item => format!("{item}[]"),
            },
            TypeDefKind::Option(some) if self.is_option(some) => {
                let some = self.ty(some);
                format!("{{ tag: \"none\" }} | {{ tag: \"some\"; val: {some} }}")
            }
            TypeDefKind::Option(some) => format!("{} | null", self.ty(some)),
            TypeDefKind::Result(result) => {
                let [ok, err] = [("ok", result.ok), ("err", result.err)]
                    .map(|(tag, ty)| tagged(tag, ty.map(|ty| self.ty(&ty))));
                format!("{ok} | {err}")
            }
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<String> = tuple.types.iter().map(|ty| self.ty(ty)).collect();
                format!("[{}]", types.join(", "))
            }
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => self.ty(&Type::Id(*id)),
            TypeDefKind::Type(original) => self.ty(original),
            _ => "unknown".to_owned(),
        }
    }

    /// An option in an option: the engine wraps it, to tell the two kinds of nothing apart.
    fn is_option(&self, ty: &Type) -> bool {
        match ty {
            Type::Id(id) => match &self.resolve.types[*id].kind {
                TypeDefKind::Option(_) => true,
                TypeDefKind::Type(original) => self.is_option(original),
                _ => false,
            },
            _ => false,
        }
    }

    fn docs(&mut self, docs: &Docs, indent: &str) {
        let Some(docs) = &docs.contents else { return };
        self.line(&format!("{indent}/**"));
        for line in docs.trim_end().lines() {
            let line = line.replace("*/", "*\\/");
            self.line(format!("{indent} * {line}").trim_end());
        }
        self.line(&format!("{indent} */"));
    }

    fn line(&mut self, line: &str) {
        // Into a String it cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

fn tagged(tag: &str, ty: Option<String>) -> String {
    match ty {
        Some(ty) => format!("{{ tag: \"{tag}\"; val: {ty} }}"),
        None => format!("{{ tag: \"{tag}\" }}"),
    }
}

/// As the engine makes names: `log-softmax` is `logSoftmax`.
fn camel(name: &str) -> String {
    let mut parts = name.split('-');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| name + &capital(part))
}

fn pascal(name: &str) -> String {
    name.split('-').map(capital).collect()
}

fn capital(part: &str) -> String {
    let mut chars = part.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// A parameter may be called what is no name in TypeScript.
fn parameter_name(name: &str) -> String {
    match camel(name) {
        name if ["in", "new", "this", "default", "function", "delete"].contains(&&*name) => {
            format!("{name}_")
        }
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(wit: &str) -> String {
        let mut resolve = Resolve::default();
        resolve.push_str("test.wit", &format!("package a:b@1.0.0;\n{wit}")).unwrap();
        declarations(&resolve)
    }

    #[test]
    fn types_are_those_that_the_engine_gives_and_takes() {
        let text = declared(
            "/// About it.\ninterface it {\n  enum colour { red, dark-blue }\n  flags may { read, write-all }\n  \
             variant v { none, some-list(list<u8>) }\n  record r { first-one: option<f64>, all: list<colour> }\n  \
             resource thing {\n    constructor(size: u64);\n    /// Does it.\n    \
             do-it: func(names: list<string>) -> result<r, string>;\n    \
             of: static func(other: borrow<thing>) -> option<thing>;\n  }\n  \
             pair: func() -> tuple<u32, result<_, v>>;\n}\n",
        );
        for wanted in [
            "/**\n * About it.\n */\ndeclare module \"a:b/it\" {",
            "  export type Colour = \"red\" | \"dark-blue\";",
            "    writeAll: boolean;",
            "  export type V = { tag: \"none\" } | { tag: \"some-list\"; val: Uint8Array };",
            "    firstOne: number | null;\n    all: Colour[];",
            "    constructor(size: number);\n    /**\n     * Does it.\n     */\n    \
             doIt(names: readonly string[]): R;\n    static of(other: Thing): Thing | null;\n    \
             [Symbol.dispose](): void;",
            "  export function pair(): [number, { tag: \"ok\" } | { tag: \"err\"; val: V }];",
        ] {
            assert!(text.contains(wanted), "{wanted}\nis not in:\n{text}");
        }
    }

    #[test]
    fn a_type_of_another_interface_is_named_with_its_module() {
        let text = declared(
            "interface one { record r { x: u8 } }\n\
             interface two { use one.{r}; resource t; take: func(r: r, t: t) -> list<option<r>>; }\n",
        );
        assert!(text.contains("  export type R = import(\"a:b/one\").R;"), "{text}");
        assert!(text.contains("  export function take(r: R, t: T): (R | null)[];"), "{text}");
        assert!(text.contains("    private constructor();"), "{text}");
    }
}
