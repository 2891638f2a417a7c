//! What is left to do to a component of `componentize-qjs`: borrowed handles are given back in time, WASI's interfaces
//! get their names back, and what only the making of it needed is taken off.

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils, utils};
use wasm_encoder::{
    CodeSection, Component, ComponentExportSection, ComponentImportSection, Elements, ExportSection,
    Function, FunctionSection, Module,
};
use wasmparser::Parser;

use super::borrows::{Additions, Lender, additions};
use super::interfaces::{STAND_IN, WASI};

/// The export that made the engine ready when the component was made.
const MAKER: &str = "init";

/// The finished component.
///
/// # Errors
/// `component` is not one, or has not all of the functions that `lenders` name.
pub fn finish(component: &[u8], lenders: &[Lender]) -> Result<Vec<u8>, String> {
    let mut patch = Patch { lenders, depth: 0, module: None, in_elements: false, wrapped: 0 };
    let mut finished = Component::new();
    patch.parse_component(&mut finished, Parser::new(0), component).map_err(|error| error.to_string())?;
    if patch.wrapped != lenders.len() {
        return Err(format!("{} of {} functions that borrow are in it", patch.wrapped, lenders.len()));
    }
    Ok(finished.finish())
}

struct Patch<'a> {
    lenders: &'a [Lender],
    /// How many components and modules are around what is being written.
    depth: u32,
    /// What is added to the module being written, if anything.
    module: Option<Additions>,
    in_elements: bool,
    wrapped: usize,
}

impl Reencode for Patch<'_> {
    type Error = std::convert::Infallible;

    fn parse_export(
        &mut self,
        exports: &mut ExportSection,
        export: wasmparser::Export<'_>,
    ) -> Result<(), Error> {
        match self.module.as_ref().and_then(|additions| additions.wrapper(export.name)) {
            Some(wrapper) => exports.export(export.name, wasm_encoder::ExportKind::Func, wrapper.index),
            None => return utils::parse_export(self, exports, export),
        };
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_function_section(self, functions, section)?;
        if let Some(additions) = &self.module {
            for wrapper in &additions.wrappers {
                functions.function(wrapper.ty);
            }
            functions.function(additions.type_of_nothing);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_code_section(self, code, section)?;
        if let Some(additions) = &self.module {
            for wrapper in &additions.wrappers {
                code.function(&wrapper.body());
            }
            let mut nothing = Function::new([]);
            nothing.instructions().end();
            code.function(&nothing);
        }
        Ok(())
    }

    /// The runtime drops through the table of functions.
    fn element_items<'a>(&mut self, items: wasmparser::ElementItems<'a>) -> Result<Elements<'a>, Error> {
        self.in_elements = true;
        let items = utils::element_items(self, items);
        self.in_elements = false;
        items
    }

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        Ok(match &self.module {
            Some(additions) if self.in_elements && additions.drops.contains(&function) => additions.nothing,
            _ => function,
        })
    }
}

impl ReencodeComponent for Patch<'_> {
    fn push_depth(&mut self) {
        self.depth += 1;
    }

    fn pop_depth(&mut self) {
        self.depth -= 1;
    }

    fn parse_component_import_section(
        &mut self,
        imports: &mut ComponentImportSection,
        section: wasmparser::ComponentImportSectionReader<'_>,
    ) -> Result<(), Error> {
        for import in section {
            let import = import?;
            let ty = self.component_type_ref(import.ty)?;
            match import.name.name.strip_prefix(STAND_IN) {
                Some(rest) if self.depth == 0 => imports.import(&*format!("{WASI}{rest}"), ty),
                _ => imports.import(import.name, ty),
            };
        }
        Ok(())
    }

    fn parse_component_export(
        &mut self,
        exports: &mut ComponentExportSection,
        export: wasmparser::ComponentExport<'_>,
    ) -> Result<(), Error> {
        if self.depth == 0 && export.name.name == MAKER {
            return Ok(());
        }
        component_utils::parse_component_export(self, exports, export)
    }

    fn parse_component_submodule(
        &mut self,
        component: &mut Component,
        parser: Parser,
        module: &[u8],
    ) -> Result<(), Error> {
        let additions = additions(self.lenders, parser.clone(), module)?;
        self.push_depth();
        self.wrapped += additions.as_ref().map_or(0, |additions| additions.wrappers.len());
        self.module = additions;
        let mut written = Module::new();
        utils::parse_core_module(self, &mut written, parser, module)?;
        component.section(&wasm_encoder::ModuleSection(&written));
        self.module = None;
        self.pop_depth();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasmparser::{ElementItems, Payload};
    use wit_parser::Resolve;

    use super::super::borrows::lenders;
    use super::*;

    /// What `componentize-qjs` makes, as far as it matters: a module that drops through its table.
    const MADE: &str = r#"(component
        (import "pegbox-wasi:clocks/wall-clock@0.2.12" (instance))
        (component
            (import "pegbox-wasi:clocks/wall-clock@0.2.12" (instance))
            (core module
                (type (func (param i32)))
                (type (func (param i32 i32) (result i32)))
                (import "a:b/things@1.0.0" "[resource-drop]cup" (func $drop-cup (type 0)))
                (import "a:b/things@1.0.0" "[resource-drop]pot" (func $drop-pot (type 0)))
                (table 3 funcref)
                (elem (i32.const 0) func $drop-cup $pour $drop-pot)
                (func $pour (export "a:b/kitchen@1.0.0#pour") (type 1) i32.const 7)
                (func (export "cabi_post_a:b/kitchen@1.0.0#pour") (type 0) local.get 0 call $drop-cup)))
        (core module $other (func (export "f")))
        (core instance $i (instantiate $other))
        (func $f (canon lift (core func $i "f")))
        (export "init" (func $f)))"#;

    const WIT: &str = "package a:b@1.0.0;
        interface things { resource cup; resource pot; }
        interface kitchen { use things.{cup, pot}; pour: func(pot: borrow<pot>, cup: borrow<cup>) -> u32; plain: func(); }
        world w { export kitchen; }";

    fn lenders_of(wit: &str) -> Vec<Lender> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("w.wit", wit).unwrap();
        let world = resolve.select_world(&[package], None).unwrap();
        lenders(&resolve, world)
    }

    #[test]
    fn borrowed_handles_are_dropped_by_a_wrapper_and_not_again() {
        let made = wat::parse_str(MADE).unwrap();
        let finished = finish(&made, &lenders_of(WIT)).unwrap();
        let (mut exported, mut elements, mut bodies) = (None, Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(&finished) {
            match payload.unwrap() {
                Payload::ExportSection(section) => {
                    let all = section.into_iter().map(Result::unwrap);
                    exported =
                        exported.or(all.into_iter().find(|e| e.name.ends_with("#pour")).map(|e| e.index));
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        let ElementItems::Functions(functions) = element.unwrap().items else { panic!() };
                        elements.extend(functions.into_iter().map(Result::unwrap));
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    bodies.push(body.get_operators_reader().unwrap().into_iter().count())
                }
                _ => {}
            }
        }
        // Imports 0 and 1, pour 2, its post-return 3; then the wrapper 4, and 5, which does nothing.
        assert_eq!(exported, Some(4));
        assert_eq!(elements, [5, 2, 5]);
        assert_eq!(bodies[2..4], [8, 1], "two parameters, a call, two drops, an end; and an end");
    }

    #[test]
    fn names_that_only_the_making_needed_are_gone() {
        let made = wat::parse_str(MADE).unwrap();
        let finished = finish(&made, &[]).unwrap();
        let mut depth = 0;
        let mut imports = Vec::new();
        for payload in Parser::new(0).parse_all(&finished) {
            match payload.unwrap() {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(section) if depth == 0 => {
                    imports.extend(section.into_iter().map(|import| import.unwrap().name.name.to_owned()));
                }
                Payload::ComponentExportSection(section) if depth == 0 => assert_eq!(section.count(), 0),
                _ => {}
            }
        }
        assert_eq!(imports, ["wasi:clocks/wall-clock@0.2.12"]);
    }

    #[test]
    fn a_component_without_the_functions_is_refused() {
        let made = wat::parse_str("(component)").unwrap();
        assert_eq!(finish(&made, &lenders_of(WIT)).unwrap_err(), "0 of 1 functions that borrow are in it");
        assert!(finish(b"no", &[]).is_err());
    }
}
