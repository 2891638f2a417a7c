//! What the host offers to a plugin during one call, whatever the plugin is made of: operations on
//! tensors, the step, the model, the bundle. Every request is checked here and every failure is a
//! [`Cause`], also a panic of the tensor library.

mod table;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pegbox_plugin_abi::artifacts::{Element, ModelFile, TensorInfo};

use crate::artifact::{ArtifactError, Bundle, BundlePaths, ModelView, check_read};
use crate::clock::Deadline;
use crate::error::Cause;
use crate::step::StepView;
use crate::tensors::{
    AnyTensor, DType, MAX_READ_ELEMENTS, TensorEngine, TensorError, TensorOp, TensorType, rules,
};
use pegbox_manifest::Limits;
use table::TensorTable;

/// What a call is about.
pub enum Scene {
    /// Records only: the host offers nothing.
    Records,
    /// A loss or a metric.
    Step { step: Arc<dyn StepView>, engine: Arc<dyn TensorEngine> },
    /// An exporter.
    Export {
        model: Arc<dyn ModelView>,
        tensors: Vec<TensorInfo>,
        bundle: Arc<dyn Bundle>,
        paths: BundlePaths,
    },
}

impl Scene {
    pub fn step(step: Arc<dyn StepView>) -> Self {
        let engine = step.engine();
        Self::Step { step, engine }
    }

    pub fn export(model: Arc<dyn ModelView>, bundle: Arc<dyn Bundle>) -> Self {
        let tensors = model.tensors();
        Self::Export { model, tensors, bundle, paths: BundlePaths::default() }
    }
}

/// The host's side of one instance: between calls it offers nothing and holds no tensor.
pub struct Services {
    scene: Scene,
    tensors: TensorTable,
    deadline: Option<Deadline>,
    may_read: bool,
    output: Output,
}

/// What an exporter has written in this call, in bytes.
struct Output {
    written: u64,
    limit_mib: u64,
}

/// What a file counts for though it is empty.
const FILE_BYTES: u64 = 4096;

impl Output {
    fn add(&mut self, bytes: u64) -> Result<(), Cause> {
        self.written = self.written.saturating_add(bytes);
        if self.written > self.limit_mib << 20 {
            let what = "it wrote more to its bundle than it may";
            return Err(Cause::limit(what, "output-mib", self.limit_mib));
        }
        Ok(())
    }
}

impl Services {
    /// `may_read`: whether elements of tensors may be copied out.
    pub fn new(limits: &Limits, may_read: bool) -> Self {
        let output = Output { written: 0, limit_mib: limits.output_mib };
        Self { scene: Scene::Records, tensors: TensorTable::new(limits), deadline: None, may_read, output }
    }

    pub fn begin(&mut self, scene: Scene, deadline: Deadline) {
        self.scene = scene;
        self.output.written = 0;
        self.deadline = Some(deadline);
    }

    /// Lets go of everything that the call had, also of handles that the plugin forgot to drop: device
    /// memory does not pile up. Returns how many these were.
    pub fn end(&mut self) -> u64 {
        self.scene = Scene::Records;
        self.deadline = None;
        self.tensors.clear()
    }

    /// Tensors alive, and the bytes that they count for.
    #[cfg(feature = "fuzzing")]
    pub fn live(&self) -> (usize, u64) {
        self.tensors.live()
    }

    /// Host operations count towards the deadline too.
    fn check_deadline(&self) -> Result<(), Cause> {
        match &self.deadline {
            Some(deadline) if deadline.has_passed() => Err(Cause::Deadline { limit_ms: deadline.limit_ms() }),
            _ => Ok(()),
        }
    }

    /// Milliseconds until the call's deadline.
    pub fn ms_left(&self) -> u64 {
        self.deadline.as_ref().map_or(0, Deadline::ms_left)
    }

    /// That the call took too long.
    pub fn out_of_time(&self) -> Cause {
        Cause::Deadline { limit_ms: self.deadline.as_ref().map_or(0, Deadline::limit_ms) }
    }

    fn engine(&self) -> Result<Arc<dyn TensorEngine>, Cause> {
        self.check_deadline()?;
        match &self.scene {
            Scene::Step { engine, .. } => Ok(Arc::clone(engine)),
            _ => Err(outside("tensors", "a loss or a metric")),
        }
    }

    // -- tensors --

    pub fn apply(&mut self, op: &TensorOp, handles: &[u32]) -> Result<u32, Cause> {
        let engine = self.engine()?;
        let arguments = handles
            .iter()
            .map(|handle| self.tensors.get(op.name(), *handle))
            .collect::<Result<Vec<_>, _>>()?;
        let out = rules::infer_for(op, &arguments)?;
        self.tensors.check_room(op.name(), out)?;
        let result = guarded(|| engine.apply(op, &arguments, out))?;
        self.keep(op.name(), result, out)
    }

    pub fn full(&mut self, dims: &[u32], value: f32) -> Result<u32, Cause> {
        let (op, engine) = ("full", self.engine()?);
        let out = TensorType { shape: rules::created(op, dims, None)?, dtype: DType::Float };
        self.tensors.check_room(op, out)?;
        let result = guarded(|| engine.full(out.shape, value))?;
        self.keep(op, result, out)
    }

    pub fn tensor_from_floats(&mut self, dims: &[u32], values: Vec<f32>) -> Result<u32, Cause> {
        let (op, engine) = ("from-floats", self.engine()?);
        let shape = rules::created(op, dims, Some(values.len()))?;
        let out = TensorType { shape, dtype: DType::Float };
        self.tensors.check_room(op, out)?;
        let result = guarded(|| engine.tensor_from_floats(shape, values))?;
        self.keep(op, result, out)
    }

    pub fn tensor_from_ints(&mut self, dims: &[u32], values: Vec<i64>) -> Result<u32, Cause> {
        let (op, engine) = ("from-ints", self.engine()?);
        let shape = rules::created(op, dims, Some(values.len()))?;
        let out = TensorType { shape, dtype: DType::Int };
        self.tensors.check_room(op, out)?;
        let result = guarded(|| engine.tensor_from_ints(shape, values))?;
        self.keep(op, result, out)
    }

    pub fn shape(&self, handle: u32) -> Result<Vec<u32>, Cause> {
        let tensor = self.tensors.get("shape", handle)?;
        Ok(tensor.shape().iter().map(|size| u32::try_from(*size).unwrap_or(u32::MAX)).collect())
    }

    pub fn dtype(&self, handle: u32) -> Result<DType, Cause> {
        Ok(self.tensors.get("dtype", handle)?.dtype())
    }

    fn check_may_read(&self) -> Result<(), Cause> {
        if self.may_read {
            return Ok(());
        }
        Err(Cause::NotPermitted { what: "read the elements of a tensor", permission: "read-tensors" })
    }

    pub fn read(&self, handle: u32) -> Result<Vec<f32>, Cause> {
        self.check_may_read()?;
        let (op, engine) = ("read", self.engine()?);
        let tensor = self.tensors.get(op, handle)?;
        check_read_size(op, tensor)?;
        guarded(|| engine.read_floats(tensor))
    }

    pub fn read_ints(&self, handle: u32) -> Result<Vec<i64>, Cause> {
        self.check_may_read()?;
        let (op, engine) = ("read-ints", self.engine()?);
        let tensor = self.tensors.get(op, handle)?;
        check_read_size(op, tensor)?;
        if tensor.dtype() == DType::Float {
            let error = TensorError::new(op, "the tensor is float").with_operands(&[tensor.kind()]);
            return Err(error.with_help("use `read`, or convert it with `to-int`").into());
        }
        guarded(|| engine.read_ints(tensor))
    }

    pub fn drop_tensor(&mut self, handle: u32) {
        self.tensors.remove(handle);
    }

    /// Takes the tensor that a loss returns.
    pub fn take_tensor(&mut self, handle: u32) -> Result<AnyTensor, Cause> {
        let tensor = self.tensors.get("compute", handle)?.clone();
        self.tensors.remove(handle);
        Ok(tensor)
    }

    fn keep(&mut self, op: &'static str, tensor: AnyTensor, out: TensorType) -> Result<u32, Cause> {
        if tensor.kind() != out {
            let (found, wanted) = (tensor.kind(), out);
            return Err(Cause::Host { message: format!("{op} made {found:?} instead of {wanted:?}") });
        }
        Ok(self.tensors.insert(op, tensor)?)
    }

    // -- the step --

    /// What the step says of itself.
    pub fn step_fact<T>(&self, get: impl FnOnce(&dyn StepView) -> T) -> Result<T, Cause> {
        let step = self.current_step()?;
        guarded(|| Ok::<_, TensorError>(get(&**step)))
    }

    fn current_step(&self) -> Result<&Arc<dyn StepView>, Cause> {
        match &self.scene {
            Scene::Step { step, .. } => Ok(step),
            _ => Err(outside("the step", "a loss or a metric")),
        }
    }

    /// A handle to one of the step's tensors.
    pub fn step_tensor(
        &mut self,
        name: &'static str,
        get: impl FnOnce(&dyn StepView) -> AnyTensor,
    ) -> Result<u32, Cause> {
        self.check_deadline()?;
        let step = Arc::clone(self.current_step()?);
        let tensor = guarded(|| Ok::<_, TensorError>(get(&*step)))?;
        Ok(self.tensors.insert(name, tensor)?)
    }

    pub fn teacher_logits(&mut self) -> Result<Option<u32>, Cause> {
        let step = Arc::clone(self.current_step()?);
        match guarded(|| Ok::<_, TensorError>(step.teacher_logits()))? {
            Some(tensor) => Ok(Some(self.tensors.insert("teacher-logits", tensor)?)),
            None => Ok(None),
        }
    }

    pub fn hidden_state(&mut self, layer: u32) -> Result<u32, Cause> {
        let step = Arc::clone(self.current_step()?);
        match guarded(|| Ok::<_, TensorError>(step.hidden_state(layer)))? {
            Some(tensor) => Ok(self.tensors.insert("hidden-state", tensor)?),
            None => {
                let count = step.hidden_state_count();
                let error = TensorError::new(
                    "hidden-state",
                    format!("there is no hidden state {layer}; the step has {count}"),
                );
                Err(error.with_help("the recipe must ask for hidden states").into())
            }
        }
    }

    // -- the model and the bundle --

    fn model(&self) -> Result<&Arc<dyn ModelView>, Cause> {
        self.check_deadline()?;
        match &self.scene {
            Scene::Export { model, .. } => Ok(model),
            _ => Err(outside("the model", "an exporter")),
        }
    }

    pub fn model_text(&self, get: impl FnOnce(&dyn ModelView) -> String) -> Result<String, Cause> {
        let model = self.model()?;
        guarded(|| Ok::<_, ArtifactError>(get(&**model)))
    }

    pub fn tokenizer_files(&self) -> Result<Vec<ModelFile>, Cause> {
        let model = self.model()?;
        guarded(|| model.tokenizer_files())
    }

    pub fn labels(&self) -> Result<Vec<String>, Cause> {
        let model = self.model()?;
        guarded(|| Ok::<_, ArtifactError>(model.labels()))
    }

    pub fn tensor_infos(&self) -> Result<&[TensorInfo], Cause> {
        match &self.scene {
            Scene::Export { tensors, .. } => Ok(tensors),
            _ => Err(outside("the model", "an exporter")),
        }
    }

    pub fn read_model(&self, name: &str, start: u64, count: u64, element: Element) -> Result<Vec<u8>, Cause> {
        check_read(self.tensor_infos()?, name, start, count, element)?;
        let model = self.model()?;
        let bytes = guarded(|| model.read(name, start, count, element))?;
        let wanted = count * element.size();
        if bytes.len() as u64 != wanted {
            let message = format!("model.read gave {} bytes of `{name}` instead of {wanted}", bytes.len());
            return Err(Cause::Host { message });
        }
        Ok(bytes)
    }

    pub fn create_file(&mut self, path: &str) -> Result<(), Cause> {
        self.check_deadline()?;
        let Scene::Export { bundle, paths, .. } = &mut self.scene else {
            return Err(outside("the bundle", "an exporter"));
        };
        paths.create(path)?;
        self.output.add(FILE_BYTES)?;
        guarded(|| bundle.create(path))
    }

    pub fn append_to_file(&mut self, path: &str, content: &[u8]) -> Result<(), Cause> {
        self.check_deadline()?;
        self.output.add(content.len() as u64)?;
        let Scene::Export { bundle, paths, .. } = &self.scene else {
            return Err(outside("the bundle", "an exporter"));
        };
        paths.append(path)?;
        guarded(|| bundle.append(path, content))
    }
}

/// Only a native plugin can ask out of turn; a component holds no such handle.
fn outside(what: &str, whom: &str) -> Cause {
    Cause::Contract { what: format!("it asked for {what} outside a call of {whom}"), help: None }
}

fn check_read_size(op: &'static str, tensor: &AnyTensor) -> Result<(), TensorError> {
    if tensor.shape().elements() <= MAX_READ_ELEMENTS {
        return Ok(());
    }
    Err(TensorError::new(op, format!("a read is limited to {MAX_READ_ELEMENTS} elements"))
        .with_operands(&[tensor.kind()])
        .with_help("reduce the tensor first, or read it slice by slice"))
}

/// A panic below must not cross the plugin's frames.
fn guarded<T, E: Into<Cause>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Cause> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(Into::into),
        Err(panic) => Err(Cause::Host { message: panic_text(&*panic) }),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
