//! What the fuzz targets in `fuzz/` reach into: the host functions as a native plugin asks for them, and the
//! checks of what plugins return. Not part of the crate's interface.

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use crate::artifact::{Bundle, ModelView};
use crate::clock::Ticker;
use crate::error::Cause;
use crate::native;
use crate::services::{Scene, Services};
use crate::step::StepView;
use crate::tensors::AnyTensor;
use pegbox_manifest::Limits;

pub use crate::artifact::BundlePaths;
pub use crate::checks::{findings, loss, outcomes, report};
pub use crate::configuration::Schema;

/// The host's side of one native instance.
pub struct Host {
    services: Services,
    limits: Limits,
}

impl Host {
    pub fn new(limits: &Limits, may_read: bool) -> Self {
        Self { services: Services::new(limits, may_read), limits: *limits }
    }

    /// Begins a call about records.
    pub fn begin_records(&mut self) {
        self.begin(Scene::Records);
    }

    /// Begins a call of a loss or a metric.
    pub fn begin_step(&mut self, step: Arc<dyn StepView>) {
        self.begin(Scene::step(step));
    }

    /// Begins a call of an exporter.
    pub fn begin_export(&mut self, model: Arc<dyn ModelView>, bundle: Arc<dyn Bundle>) {
        self.begin(Scene::export(model, bundle));
    }

    fn begin(&mut self, scene: Scene) {
        static TICKER: LazyLock<Ticker> =
            LazyLock::new(|| Ticker::start(|| ()).expect("the system gives a thread"));
        self.services.begin(scene, TICKER.deadline(self.limits.deadline_ms));
    }

    /// Serves one encoded request. A panic is not caught here.
    ///
    /// # Errors
    /// Why the request failed.
    pub fn answer(&mut self, request: &[u8]) -> Result<Vec<u8>, Cause> {
        native::answer(&mut self.services, request)
    }

    /// Takes the tensor that a loss returns, and checks it.
    ///
    /// # Errors
    /// There is none, or it is no loss.
    pub fn take_loss(&mut self, handle: u32) -> Result<AnyTensor, Cause> {
        loss(self.services.take_tensor(handle)?)
    }

    /// Ends the call.
    pub fn end(&mut self) {
        self.services.end();
    }

    /// Tensors alive, and the bytes that they count for.
    pub fn live(&self) -> (usize, u64) {
        self.services.live()
    }
}

/// Checks `configuration` against a plugin's schema; false where the schema is none.
pub fn configure(schema: &str, configuration: &Value) -> bool {
    Schema::parse(schema).is_ok_and(|schema| schema.check(configuration).is_ok())
}
