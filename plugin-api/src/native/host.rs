//! The host's side of a call: each function sends one request and waits for the reply. A request that fails
//! ends the call by unwinding to [`super::table`], so that a plugin's code needs no `Result` on each
//! operation.

use std::cell::Cell;
use std::panic::resume_unwind;

use pegbox_plugin_abi::artifacts::{Element, ModelFile, TensorInfo};
use pegbox_plugin_abi::table::{Buffer, HostTable, Slice, Status};
use pegbox_plugin_abi::tensors::{DType, TensorOp};
use pegbox_plugin_abi::wire::{Bytes, HostRequest, TensorHandle as Number, decode, encode};
use serde::de::DeserializeOwned;

/// What unwinds when the host has failed. Nobody else can make one.
pub struct HostFailed(());

#[derive(Clone, Copy)]
struct Serving {
    table: *const HostTable,
    failed: bool,
}

const NOBODY: Serving = Serving { table: std::ptr::null(), failed: false };

thread_local! {
    static SERVING: Cell<Serving> = const { Cell::new(NOBODY) };
}

/// While it lives, requests of this thread go to one host.
pub struct ServingGuard {
    before: Serving,
}

/// Sends the requests of this thread to `table`.
///
/// # Safety
/// `table` must be valid while the guard lives, and the guard must go on the thread that it was made on.
pub unsafe fn serve_from(table: *const HostTable) -> ServingGuard {
    ServingGuard { before: SERVING.replace(Serving { table, failed: false }) }
}

impl ServingGuard {
    /// Whether a request has failed meanwhile.
    pub fn has_failed(&self) -> bool {
        SERVING.get().failed
    }
}

impl Drop for ServingGuard {
    fn drop(&mut self) {
        SERVING.set(self.before);
    }
}

/// Sends a request; what the reply is stands at [`HostRequest`].
fn ask<T: DeserializeOwned>(request: &HostRequest) -> T {
    let serving = SERVING.get();
    assert!(
        !serving.table.is_null(),
        "the host's tensors, model and bundle can be used only during a call, and only on its thread"
    );
    let answer = if serving.failed { None } else { exchange(serving.table, request) };
    match answer.and_then(|bytes| decode(&bytes).ok()) {
        Some(answer) => answer,
        None => {
            SERVING.set(Serving { failed: true, ..serving });
            // Not a panic of the plugin's: no hook, no message.
            resume_unwind(Box::new(HostFailed(())))
        }
    }
}

/// None when the host has failed; it remembers why.
fn exchange(table: *const HostTable, request: &HostRequest) -> Option<Vec<u8>> {
    let request = encode(request).ok()?;
    let mut reply = Buffer::EMPTY;
    // SAFETY: `serve_from` vouches for the table; the reply is read before it is freed, once, by the side
    // that filled it.
    unsafe {
        let table = &*table;
        let status = (table.serve)(table.context, Slice::new(&request), &mut reply);
        let bytes = reply.as_bytes().to_vec();
        (table.free)(reply);
        (status == Status::OK).then_some(bytes)
    }
}

// -- tensors --

/// A live handle; dropping it tells the host.
pub struct TensorHandle(Number);

impl TensorHandle {
    /// Hands the tensor to the host.
    pub fn into_number(self) -> Number {
        std::mem::ManuallyDrop::new(self).0
    }
}

impl Drop for TensorHandle {
    fn drop(&mut self) {
        let serving = SERVING.get();
        if !serving.table.is_null() && !serving.failed {
            // May run while the plugin unwinds, so a failure must not unwind again. The host lets go of all
            // handles when the call ends.
            let _ = exchange(serving.table, &HostRequest::TensorDrop { tensor: self.0 });
        }
    }
}

pub fn apply<const N: usize>(op: TensorOp, arguments: [&TensorHandle; N]) -> TensorHandle {
    let arguments = arguments.iter().map(|argument| argument.0).collect();
    TensorHandle(ask(&HostRequest::TensorApply { op, arguments }))
}

pub fn concat(parts: &[&TensorHandle], dim: i32) -> TensorHandle {
    let arguments = parts.iter().map(|part| part.0).collect();
    TensorHandle(ask(&HostRequest::TensorApply { op: TensorOp::Concat { dim }, arguments }))
}

pub fn tensor_full(shape: &[u32], value: f32) -> TensorHandle {
    TensorHandle(ask(&HostRequest::TensorFull { shape: shape.to_vec(), value }))
}

pub fn tensor_from_floats(shape: &[u32], values: &[f32]) -> TensorHandle {
    TensorHandle(ask(&HostRequest::TensorFromFloats { shape: shape.to_vec(), values: values.to_vec() }))
}

pub fn tensor_from_ints(shape: &[u32], values: &[i64]) -> TensorHandle {
    TensorHandle(ask(&HostRequest::TensorFromInts { shape: shape.to_vec(), values: values.to_vec() }))
}

pub fn tensor_shape(tensor: &TensorHandle) -> Vec<u32> {
    ask(&HostRequest::TensorShape { tensor: tensor.0 })
}

pub fn tensor_dtype(tensor: &TensorHandle) -> DType {
    ask(&HostRequest::TensorDType { tensor: tensor.0 })
}

pub fn tensor_read(tensor: &TensorHandle) -> Vec<f32> {
    ask(&HostRequest::TensorRead { tensor: tensor.0 })
}

pub fn tensor_read_ints(tensor: &TensorHandle) -> Vec<i64> {
    ask(&HostRequest::TensorReadInts { tensor: tensor.0 })
}

// -- the step: a call has one, so its handle says nothing --

pub struct StepHandle;

pub fn step_number(_: &StepHandle) -> u64 {
    ask(&HostRequest::StepNumber)
}

pub fn step_training(_: &StepHandle) -> bool {
    ask(&HostRequest::StepTraining)
}

pub fn step_record_ids(_: &StepHandle) -> Vec<u64> {
    ask(&HostRequest::StepRecordIds)
}

pub fn step_classes(_: &StepHandle) -> Vec<String> {
    ask(&HostRequest::StepClasses)
}

pub fn step_logits(_: &StepHandle) -> TensorHandle {
    TensorHandle(ask(&HostRequest::StepLogits))
}

pub fn step_labels(_: &StepHandle) -> TensorHandle {
    TensorHandle(ask(&HostRequest::StepLabels))
}

pub fn step_mask(_: &StepHandle) -> TensorHandle {
    TensorHandle(ask(&HostRequest::StepMask))
}

pub fn step_weights(_: &StepHandle) -> TensorHandle {
    TensorHandle(ask(&HostRequest::StepWeights))
}

pub fn step_teacher_logits(_: &StepHandle) -> Option<TensorHandle> {
    ask::<Option<Number>>(&HostRequest::StepTeacherLogits).map(TensorHandle)
}

pub fn step_hidden_state_count(_: &StepHandle) -> u32 {
    ask(&HostRequest::StepHiddenStateCount)
}

pub fn step_hidden_state(_: &StepHandle, layer: u32) -> TensorHandle {
    TensorHandle(ask(&HostRequest::StepHiddenState { layer }))
}

// -- the model and the bundle: as for the step --

pub struct ModelHandle;

pub struct BundleHandle;

pub fn model_configuration(_: &ModelHandle) -> String {
    ask(&HostRequest::ModelConfiguration)
}

pub fn model_tokenizer_files(_: &ModelHandle) -> Vec<ModelFile> {
    ask(&HostRequest::ModelTokenizerFiles)
}

pub fn model_labels(_: &ModelHandle) -> Vec<String> {
    ask(&HostRequest::ModelLabels)
}

pub fn model_metrics(_: &ModelHandle) -> String {
    ask(&HostRequest::ModelMetrics)
}

pub fn model_provenance(_: &ModelHandle) -> String {
    ask(&HostRequest::ModelProvenance)
}

pub fn model_tensors(_: &ModelHandle) -> Vec<TensorInfo> {
    ask(&HostRequest::ModelTensors)
}

pub fn model_read(_: &ModelHandle, name: &str, start: u64, count: u64, element: Element) -> Vec<u8> {
    ask::<Bytes>(&HostRequest::ModelRead { name: name.to_owned(), start, count, element }).0
}

pub fn bundle_create(_: &BundleHandle, path: &str) {
    ask(&HostRequest::BundleCreate { path: path.to_owned() })
}

pub fn bundle_append(_: &BundleHandle, path: &str, content: &[u8]) {
    ask(&HostRequest::BundleAppend { path: path.to_owned(), content: Bytes(content.to_vec()) })
}
