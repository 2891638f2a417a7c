//! Plugins as WebAssembly components, on wit-bindgen.

/// The contract as wit-bindgen's types.
pub mod bindings;
/// What a plugin exports, in the contract's types.
mod exports;
/// The host's side of a call, in the words of this SDK.
pub(crate) mod host;
/// The one instance of a plugin in a component's memory.
mod slot;

pub use exports::Exports;
pub use slot::{Slot, Stored};

/// What [`crate::export!`] makes of a plugin on this target.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_on_this_target {
    ($plugin:ty: $($kind:ident),+) => {
        impl $crate::component::Stored for $plugin {
            fn slot() -> &'static $crate::component::Slot<Self> {
                static SLOT: $crate::component::Slot<$plugin> = $crate::component::Slot::new();
                &SLOT
            }
        }

        type PegboxExports = $crate::component::Exports<$plugin>;
        $crate::component::bindings::lifecycle::export!(
            PegboxExports with_types_in $crate::component::bindings::lifecycle
        );
        $( $crate::__export_kind!($kind PegboxExports); )+
    };
}

/// Exports the interface of one kind. The component's description of it comes along: with the macro, not with
/// this crate, so that a component has the interfaces of its own kinds only.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_kind {
    (Cleaner $exports:ident) => {
        $crate::component::bindings::cleaner::export!(
            $exports with_types_in $crate::component::bindings::cleaner
        );
    };
    (Validator $exports:ident) => {
        $crate::component::bindings::validator::export!(
            $exports with_types_in $crate::component::bindings::validator
        );
    };
    (Loss $exports:ident) => {
        $crate::component::bindings::loss::export!(
            $exports with_types_in $crate::component::bindings::loss
        );
    };
    (Metric $exports:ident) => {
        $crate::component::bindings::metric::export!(
            $exports with_types_in $crate::component::bindings::metric
        );
    };
    (Exporter $exports:ident) => {
        $crate::component::bindings::exporter::export!(
            $exports with_types_in $crate::component::bindings::exporter
        );
    };
}
