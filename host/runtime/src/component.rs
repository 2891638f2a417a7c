//! Plugins as WebAssembly components: checked before they run, limited while they run, thrown away when
//! they fail.

mod artifacts;
mod bindings;
pub(crate) mod capabilities;
mod cleaner;
mod exporter;
mod instance;
mod loss;
mod metric;
mod program;
mod state;
mod steps;
mod tensors;
mod validator;

pub use bindings::Everything;
pub use cleaner::ComponentCleaner;
pub use exporter::ComponentExporter;
pub use loss::ComponentLoss;
pub use metric::ComponentMetric;
pub use program::{Program, Surface};
pub use state::HostState;
pub use validator::ComponentValidator;
