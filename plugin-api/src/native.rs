//! Plugins as native libraries: the C ABI of `pegbox-plugin-abi`. A panic of the plugin and a failure of the
//! host both unwind to the boundary, and no further.

/// The host's side of a call, in the words of this SDK.
pub(crate) mod host;
/// The methods of each kind.
mod methods;
/// What a panic said.
mod panics;
/// The functions of the plugin's table.
mod table;

pub use methods::{Failure, cleaner, exporter, loss, metric, validator};
pub use pegbox_plugin_abi::table::PluginTable;
pub use pegbox_plugin_abi::wire::Method;
pub use table::{Dispatch, table};

/// What [`crate::export!`] makes of a plugin on this target.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_on_this_target {
    ($plugin:ty: $($kind:ident),+) => {
        impl $crate::native::Dispatch for $plugin {
            fn dispatch(
                &mut self,
                method: $crate::native::Method,
                input: &[u8],
            ) -> ::core::result::Result<::std::vec::Vec<u8>, $crate::native::Failure> {
                $(
                    if let ::core::option::Option::Some(answer) = $crate::__methods_of!($kind)(self, method, input) {
                        return answer;
                    }
                )+
                ::core::result::Result::Err($crate::native::Failure::of_another_kind(method))
            }
        }

        static TABLE: $crate::native::PluginTable = $crate::native::table::<$plugin>();

        // The name is `ENTRY_SYMBOL` of the ABI.
        #[unsafe(no_mangle)]
        pub extern "C" fn pegbox_plugin_v1() -> *const $crate::native::PluginTable {
            &TABLE
        }
    };
}

/// The function that answers the methods of a kind.
#[doc(hidden)]
#[macro_export]
macro_rules! __methods_of {
    (Cleaner) => {
        $crate::native::cleaner
    };
    (Validator) => {
        $crate::native::validator
    };
    (Loss) => {
        $crate::native::loss
    };
    (Metric) => {
        $crate::native::metric
    };
    (Exporter) => {
        $crate::native::exporter
    };
}
