//! The macro `export!`, and what it knows of a plugin beyond the plugin's own traits.

use pegbox_plugin_abi::lifecycle::{Description, Kind};

use crate::traits::Plugin;

/// Makes a crate a plugin: `export!(Focal: Loss);`, or `export!(Scrubber: Cleaner, Validator);` for a plugin
/// of several kinds. Once in a crate, whose type is `cdylib` and whose version is the plugin's.
///
/// A component exports and imports what its kinds need and nothing else.
#[macro_export]
macro_rules! export {
    ($plugin:ty: $($kind:ident),+ $(,)?) => {
        const _: () = {
            impl $crate::Exported for $plugin {
                // Expanded where the macro is used: the version is the plugin's.
                const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
                const KINDS: &'static [$crate::Kind] = &[$($crate::Kind::$kind),+];
            }
            $crate::__export_on_this_target!($plugin: $($kind),+);
        };
    };
}

/// What [`export!`] adds to a plugin.
pub trait Exported: Plugin {
    const VERSION: &'static str;
    const KINDS: &'static [Kind];
}

/// What the plugin says of itself.
pub fn describe<T: Exported>() -> Description {
    Description {
        name: T::NAME.to_owned(),
        version: T::VERSION.to_owned(),
        kinds: T::KINDS.to_vec(),
        configuration_schema: T::CONFIGURATION_SCHEMA.to_owned(),
    }
}
