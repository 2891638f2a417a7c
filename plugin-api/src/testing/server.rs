//! The host's end of the requests.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use half::{bf16, f16};
use pegbox_plugin_abi::artifacts::Element;
use pegbox_plugin_abi::table::{Buffer, HostTable, Slice, Status};
use pegbox_plugin_abi::tensors::DType;
use pegbox_plugin_abi::wire::{Bytes, HostRequest, TensorHandle, decode, encode};
use serde::Serialize;

use super::operations;
use super::values::{Checked, Values};
use super::{TestModel, TestStep};
use crate::native::host::serve_from;

/// One call's host.
#[derive(Default)]
pub struct Server {
    step: Option<TestStep>,
    model: Option<TestModel>,
    files: BTreeMap<String, Vec<u8>>,
    tensors: HashMap<TensorHandle, Values>,
    made: TensorHandle,
    failure: Option<String>,
}

/// Runs `work` with its requests served.
pub fn serve<R>(server: &mut Server, work: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    let context: *mut Server = server;
    let table = HostTable { context: context.cast(), serve: answer, free };
    // SAFETY: table and server outlive the guard, which goes at the end of this function.
    let _guard = unsafe { serve_from(&table) };
    catch_unwind(AssertUnwindSafe(work))
}

unsafe extern "C" fn answer(context: *mut c_void, request: Slice, reply: *mut Buffer) -> Status {
    // SAFETY: the context is the server of `serve`, which nobody else uses meanwhile; the request is
    // readable.
    let (server, request) = unsafe { (&mut *context.cast::<Server>(), request.as_bytes()) };
    let result =
        decode(request).map_err(|error| error.to_string()).and_then(|request| server.answer(request));
    let (status, bytes) = match result {
        Ok(bytes) => (Status::OK, bytes),
        Err(what) => {
            server.failure = Some(what);
            (Status::HOST_FAILED, Vec::new())
        }
    };
    // SAFETY: the plugin's side gives a place to write to.
    unsafe { reply.write(Buffer::from_vec(bytes)) };
    status
}

unsafe extern "C" fn free(buffer: Buffer) {
    // SAFETY: the buffer came from `answer`, and is freed once.
    drop(unsafe { buffer.into_vec() });
}

type Reply = Checked<Vec<u8>>;

impl Server {
    pub fn of_step(step: TestStep) -> Self {
        Self { step: Some(step), ..Self::default() }
    }

    pub fn of_model(model: TestModel) -> Self {
        Self { model: Some(model), ..Self::default() }
    }

    pub fn into_files(self) -> BTreeMap<String, Vec<u8>> {
        self.files
    }

    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn answer(&mut self, request: HostRequest) -> Reply {
        match request {
            HostRequest::StepNumber => reply(&self.step()?.number),
            HostRequest::StepTraining => reply(&self.step()?.training),
            HostRequest::StepRecordIds => reply(&self.step()?.record_ids),
            HostRequest::StepClasses => reply(&self.step()?.classes),
            HostRequest::StepLogits => {
                let step = self.step()?;
                let data = step.logits.iter().map(|x| f64::from(*x)).collect();
                let logits = Values::new(step.classes_last(), DType::Float, data)?;
                self.keep(logits)
            }
            HostRequest::StepLabels => {
                let step = self.step()?;
                let labels = step.like_labels(DType::Int, step.labels.iter().map(|x| *x as f64).collect());
                self.keep(labels)
            }
            HostRequest::StepMask => {
                let step = self.step()?;
                let data = step.mask.iter().map(|held| f64::from(u8::from(*held))).collect();
                let mask = step.like_labels(DType::Boolean, data);
                self.keep(mask)
            }
            HostRequest::StepWeights => {
                let step = self.step()?;
                let data = step.weights.iter().map(|x| f64::from(*x)).collect();
                let weights = step.like_labels(DType::Float, data);
                self.keep(weights)
            }
            HostRequest::StepTeacherLogits => {
                let step = self.step()?;
                let Some(data) = &step.teacher_logits else { return reply(&None::<TensorHandle>) };
                let data = data.iter().map(|x| f64::from(*x)).collect();
                let logits = Values::new(step.classes_last(), DType::Float, data)?;
                let handle = self.insert(logits)?;
                reply(&Some(handle))
            }
            HostRequest::StepHiddenStateCount => reply(&0u32),
            HostRequest::StepHiddenState { layer } => Err(format!("there is no hidden state {layer}")),
            HostRequest::TensorApply { op, arguments } => {
                let arguments = arguments
                    .iter()
                    .map(|handle| self.tensor(*handle).cloned())
                    .collect::<Checked<Vec<_>>>()?;
                let result =
                    operations::apply(&op, &arguments).map_err(|what| format!("{}: {what}", op.name()))?;
                self.keep(result)
            }
            HostRequest::TensorFull { shape, value } => {
                let shape = sizes(&shape);
                let data = vec![f64::from(value); shape.iter().product()];
                self.keep(Values::new(shape, DType::Float, data)?)
            }
            HostRequest::TensorFromFloats { shape, values } => {
                let data = values.into_iter().map(f64::from).collect();
                self.keep(Values::new(sizes(&shape), DType::Float, data)?)
            }
            HostRequest::TensorFromInts { shape, values } => {
                let data = values.into_iter().map(|x| x as f64).collect();
                self.keep(Values::new(sizes(&shape), DType::Int, data)?)
            }
            HostRequest::TensorShape { tensor } => {
                let shape = &self.tensor(tensor)?.shape;
                reply(&shape.iter().map(|size| *size as u32).collect::<Vec<_>>())
            }
            HostRequest::TensorDType { tensor } => reply(&self.tensor(tensor)?.dtype),
            HostRequest::TensorRead { tensor } => {
                reply(&self.tensor(tensor)?.data.iter().map(|x| *x as f32).collect::<Vec<_>>())
            }
            HostRequest::TensorReadInts { tensor } => {
                let tensor = self.tensor(tensor)?;
                tensor.expect(&[DType::Int, DType::Boolean])?;
                reply(&tensor.data.iter().map(|x| *x as i64).collect::<Vec<_>>())
            }
            HostRequest::TensorDrop { tensor } => {
                self.tensors.remove(&tensor);
                reply(&())
            }
            HostRequest::ModelConfiguration => reply(&self.model()?.configuration),
            HostRequest::ModelTokenizerFiles => reply(&self.model()?.tokenizer_files),
            HostRequest::ModelLabels => reply(&self.model()?.labels),
            HostRequest::ModelMetrics => reply(&self.model()?.metrics),
            HostRequest::ModelProvenance => reply(&self.model()?.provenance),
            HostRequest::ModelTensors => {
                reply(&self.model()?.tensors.iter().map(|(info, _)| info).collect::<Vec<_>>())
            }
            HostRequest::ModelRead { name, start, count, element } => {
                reply(&Bytes(self.read(&name, start, count, element)?))
            }
            HostRequest::BundleCreate { path } => match self.files.insert(path.clone(), Vec::new()) {
                None => reply(&()),
                Some(_) => Err(format!("`{path}` was created before")),
            },
            HostRequest::BundleAppend { path, content } => {
                let file = self.files.get_mut(&path).ok_or_else(|| format!("`{path}` was never created"))?;
                file.extend_from_slice(&content.0);
                reply(&())
            }
        }
    }

    fn read(&self, name: &str, start: u64, count: u64, element: Element) -> Checked<Vec<u8>> {
        let tensors = &self.model()?.tensors;
        let (_, values) = tensors
            .iter()
            .find(|(info, _)| info.name == name)
            .ok_or_else(|| format!("the model has no tensor `{name}`"))?;
        if count.saturating_mul(element.size()) > 16 << 20 {
            return Err(format!("{count} elements of `{name}` are more than 16 MiB"));
        }
        let range = start as usize..start.saturating_add(count) as usize;
        let values = values.get(range).ok_or_else(|| format!("{start} + {count} leaves `{name}`"))?;
        Ok(match element {
            Element::Float32 => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Element::Float16 => values.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect(),
            Element::BFloat16 => values.iter().flat_map(|x| bf16::from_f32(*x).to_le_bytes()).collect(),
        })
    }

    fn step(&self) -> Checked<&TestStep> {
        self.step.as_ref().ok_or_else(|| "this call has no step".to_owned())
    }

    fn model(&self) -> Checked<&TestModel> {
        self.model.as_ref().ok_or_else(|| "this call has no model".to_owned())
    }

    fn tensor(&self, handle: TensorHandle) -> Checked<&Values> {
        self.tensors.get(&handle).ok_or_else(|| format!("there is no tensor {handle}"))
    }

    fn keep(&mut self, values: Values) -> Reply {
        let handle = self.insert(values)?;
        reply(&handle)
    }

    fn insert(&mut self, values: Values) -> Checked<TensorHandle> {
        let Values { shape, dtype, data } = values;
        self.made += 1;
        self.tensors.insert(self.made, Values::new(shape, dtype, data)?);
        Ok(self.made)
    }
}

fn sizes(shape: &[u32]) -> Vec<usize> {
    shape.iter().map(|size| *size as usize).collect()
}

fn reply<T: Serialize + ?Sized>(value: &T) -> Reply {
    encode(&value).map_err(|error| error.to_string())
}
