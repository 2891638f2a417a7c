//! The host's side of a native plugin's requests.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pegbox_plugin_abi::table::{Buffer, Slice, Status};
use pegbox_plugin_abi::wire::{self, Bytes, HostRequest, TensorHandle};
use serde::Serialize;

use crate::error::Cause;
use crate::services::Services;

/// What a native plugin's requests are served from.
pub struct Context {
    pub services: Services,
    /// Why a request failed; the plugin only passes on that it did.
    pub failure: Option<Cause>,
}

impl Context {
    pub fn new(services: Services) -> Self {
        Self { services, failure: None }
    }
}

/// [`pegbox_plugin_abi::table::HostTable::serve`].
///
/// # Safety
/// `context` must be the [`Context`] of the call in progress, `request` readable, `reply` writable.
pub unsafe extern "C" fn serve(context: *mut c_void, request: Slice, reply: *mut Buffer) -> Status {
    // SAFETY: the caller's promise.
    let (context, request) = unsafe { (&mut *context.cast::<Context>(), request.as_bytes()) };
    let result = catch_unwind(AssertUnwindSafe(|| answer(&mut context.services, request)))
        .unwrap_or_else(|_| Err(Cause::Host { message: "a panic".to_owned() }));
    let (status, bytes) = match result {
        Ok(bytes) => (Status::OK, bytes),
        Err(cause) => {
            let message = cause.to_string().into_bytes();
            context.failure = Some(cause);
            (Status::HOST_FAILED, message)
        }
    };
    // SAFETY: the caller's promise.
    unsafe { reply.write(Buffer::from_vec(bytes)) };
    status
}

/// [`pegbox_plugin_abi::table::HostTable::free`].
///
/// # Safety
/// `buffer` must come from [`serve`] and not be used again.
pub unsafe extern "C" fn free(buffer: Buffer) {
    // SAFETY: the caller's promise.
    drop(unsafe { buffer.into_vec() });
}

/// Serves one encoded [`HostRequest`]; gives the encoded reply.
pub fn answer(services: &mut Services, request: &[u8]) -> Result<Vec<u8>, Cause> {
    let request: HostRequest = wire::decode(request).map_err(|error| Cause::Contract {
        what: format!("it asked for something that makes no sense: {error}"),
        help: None,
    })?;
    match request {
        HostRequest::StepNumber => reply(&services.step_fact(|step| step.number())?),
        HostRequest::StepTraining => reply(&services.step_fact(|step| step.training())?),
        HostRequest::StepRecordIds => reply(&services.step_fact(|step| step.record_ids().to_vec())?),
        HostRequest::StepClasses => reply(&services.step_fact(|step| step.classes().to_vec())?),
        HostRequest::StepLogits => handle(services.step_tensor("logits", |step| step.logits())),
        HostRequest::StepLabels => handle(services.step_tensor("labels", |step| step.labels())),
        HostRequest::StepMask => handle(services.step_tensor("mask", |step| step.mask())),
        HostRequest::StepWeights => handle(services.step_tensor("weights", |step| step.weights())),
        HostRequest::StepTeacherLogits => reply(&services.teacher_logits()?.map(u64::from)),
        HostRequest::StepHiddenStateCount => reply(&services.step_fact(|step| step.hidden_state_count())?),
        HostRequest::StepHiddenState { layer } => handle(services.hidden_state(layer)),
        HostRequest::TensorApply { op, arguments } => {
            let arguments: Vec<u32> = arguments.into_iter().map(number).collect();
            handle(services.apply(&op, &arguments))
        }
        HostRequest::TensorFull { shape, value } => handle(services.full(&shape, value)),
        HostRequest::TensorFromFloats { shape, values } => {
            handle(services.tensor_from_floats(&shape, values))
        }
        HostRequest::TensorFromInts { shape, values } => handle(services.tensor_from_ints(&shape, values)),
        HostRequest::TensorShape { tensor } => reply(&services.shape(number(tensor))?),
        HostRequest::TensorDType { tensor } => reply(&services.dtype(number(tensor))?),
        HostRequest::TensorRead { tensor } => reply(&services.read(number(tensor))?),
        HostRequest::TensorReadInts { tensor } => reply(&services.read_ints(number(tensor))?),
        HostRequest::TensorDrop { tensor } => {
            services.drop_tensor(number(tensor));
            reply(&())
        }
        HostRequest::ModelConfiguration => reply(&services.model_text(|model| model.configuration())?),
        HostRequest::ModelTokenizerFiles => reply(&services.tokenizer_files()?),
        HostRequest::ModelLabels => reply(&services.labels()?),
        HostRequest::ModelMetrics => reply(&services.model_text(|model| model.metrics())?),
        HostRequest::ModelProvenance => reply(&services.model_text(|model| model.provenance())?),
        HostRequest::ModelTensors => reply(&services.tensor_infos()?),
        HostRequest::ModelRead { name, start, count, element } => {
            reply(&Bytes(services.read_model(&name, start, count, element)?))
        }
        HostRequest::BundleCreate { path } => reply(&services.create_file(&path)?),
        HostRequest::BundleAppend { path, content } => reply(&services.append_to_file(&path, &content.0)?),
    }
}

/// A handle as the table of tensors counts them; what is too large is no tensor, as 0 is none.
pub fn number(handle: TensorHandle) -> u32 {
    u32::try_from(handle).unwrap_or(0)
}

fn handle(result: Result<u32, Cause>) -> Result<Vec<u8>, Cause> {
    reply(&u64::from(result?))
}

fn reply<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Cause> {
    wire::encode(&value).map_err(|error| Cause::Host { message: error.to_string() })
}
