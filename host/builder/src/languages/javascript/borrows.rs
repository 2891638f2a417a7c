//! Gives borrowed handles back in time.
//!
//! A component must drop the handles that it was lent before a call returns. The JavaScript runtime of
//! `componentize-qjs` drops them in the call's post-return function, which is too late: the host ends the call
//! with "borrow handles still remain". So each exported function with a `borrow` among its parameters gets a
//! wrapper that drops them when the function is done, and what the runtime calls later does nothing.
//!
//! Only functions are added, at the end of the module that holds the bindings; no index moves.

use std::collections::HashMap;

use wasm_encoder::Function;
use wasm_encoder::reencode::Error;
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};
use wit_parser::{Handle, Resolve, Type, TypeDefKind, TypeOwner, WorldId, WorldItem};

/// An export that is lent handles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lender {
    /// `pegbox:plugin/objective@0.1.1#compute`
    export: String,
    /// For each parameter, the import that drops it: `pegbox:plugin/steps@0.1.1`, `[resource-drop]step`.
    drops: Vec<(String, String)>,
}

/// The exports of `world` whose parameters are borrowed handles. In the contract a function has either such
/// parameters alone or none.
pub fn lenders(resolve: &Resolve, world: WorldId) -> Vec<Lender> {
    let world = &resolve.worlds[world];
    let interfaces = world.exports.values().filter_map(|item| match item {
        WorldItem::Interface { id, .. } => Some(*id),
        _ => None,
    });
    let functions = interfaces.flat_map(|id| {
        let name = resolve.id_of(id).unwrap_or_default();
        resolve.interfaces[id].functions.values().map(move |function| (name.clone(), function))
    });
    functions
        .filter_map(|(interface, function)| {
            let drops: Option<Vec<_>> =
                function.params.iter().map(|parameter| drop_of(resolve, parameter.ty)).collect();
            let drops = drops.filter(|drops| !drops.is_empty())?;
            Some(Lender { export: format!("{interface}#{}", function.name), drops })
        })
        .collect()
}

/// The import that drops a handle of type `ty`, if that is a borrow of an imported resource.
fn drop_of(resolve: &Resolve, ty: Type) -> Option<(String, String)> {
    let Type::Id(id) = ty else { return None };
    let TypeDefKind::Handle(Handle::Borrow(mut resource)) = resolve.types[id].kind else { return None };
    while let TypeDefKind::Type(Type::Id(original)) = resolve.types[resource].kind {
        resource = original;
    }
    let definition = &resolve.types[resource];
    let TypeOwner::Interface(owner) = definition.owner else { return None };
    Some((resolve.id_of(owner)?, format!("[resource-drop]{}", definition.name.as_ref()?)))
}

/// Functions for the end of one module. Indices are the module's.
pub struct Additions {
    pub wrappers: Vec<Wrapper>,
    /// The function that takes the place of a dropping import in the table: it does nothing.
    pub nothing: u32,
    pub type_of_nothing: u32,
    /// The dropping imports.
    pub drops: Vec<u32>,
}

pub struct Wrapper {
    export: String,
    pub index: u32,
    wrapped: u32,
    pub ty: u32,
    /// What drops each parameter.
    drops: Vec<u32>,
}

impl Additions {
    pub fn wrapper(&self, export: &str) -> Option<&Wrapper> {
        self.wrappers.iter().find(|wrapper| wrapper.export == export)
    }
}

impl Wrapper {
    /// Calls what it wraps, then drops each parameter; the results stay on the stack meanwhile.
    pub fn body(&self) -> Function {
        let parameters = || (0u32..).zip(&self.drops);
        let mut body = Function::new([]);
        let mut code = body.instructions();
        for (parameter, _) in parameters() {
            code.local_get(parameter);
        }
        code.call(self.wrapped);
        for (parameter, drop) in parameters() {
            code.local_get(parameter).call(*drop);
        }
        code.end();
        body
    }
}

/// What `module` needs; nothing if it exports none of the functions.
pub fn additions(lenders: &[Lender], parser: Parser, module: &[u8]) -> Result<Option<Additions>, Error> {
    let mut imports = HashMap::new();
    let mut types = Vec::new();
    let mut exports = HashMap::new();
    for payload in parser.parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    if let TypeRef::Func(ty) = import.ty {
                        imports.insert((import.module, import.name), types.len() as u32);
                        types.push(ty);
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    types.push(ty?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.kind == ExternalKind::Func {
                        exports.insert(export.name, export.index);
                    }
                }
            }
            _ => {}
        }
    }
    let mut next = types.len() as u32;
    let mut wrappers = Vec::new();
    for lender in lenders {
        let drops: Option<Vec<u32>> =
            lender.drops.iter().map(|(from, name)| imports.get(&(&**from, &**name)).copied()).collect();
        let (Some(drops), Some(wrapped)) = (drops, exports.get(&*lender.export).copied()) else { continue };
        let Some(ty) = types.get(wrapped as usize).copied() else { continue };
        wrappers.push(Wrapper { export: lender.export.clone(), index: next, wrapped, ty, drops });
        next += 1;
    }
    let drops: Vec<u32> = wrappers.iter().flat_map(|wrapper| wrapper.drops.iter().copied()).collect();
    let Some(type_of_nothing) = drops.first().and_then(|drop| types.get(*drop as usize)).copied() else {
        return Ok(None);
    };
    Ok(Some(Additions { wrappers, nothing: next, type_of_nothing, drops }))
}
