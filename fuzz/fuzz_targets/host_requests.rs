//! Every host function that takes a plugin's data, as a native plugin asks for it: whole sessions of requests
//! that are nearly right, and raw bytes. The functions of components go through the same code.
//!
//! No request may panic, hold more than the limits allow, or leave a tensor behind when its call has ended.

#![no_main]

use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use pegbox_fuzz::export::{Model, Watched};
use pegbox_fuzz::requests::request;
use pegbox_fuzz::step::Step;
use pegbox_plugin_abi::artifacts::{ModelFile, TensorInfo};
use pegbox_plugin_abi::tensors::DType;
use pegbox_plugin_abi::wire::{Bytes, HostRequest, TensorHandle, decode, encode};
use pegbox_runtime::fuzzing::Host;
use pegbox_runtime::{Cause, LimitOverrides, Limits};
use serde::de::DeserializeOwned;

const TENSORS: u64 = 12;
const TENSOR_BYTES: u64 = 1 << 20;
const OUTPUT_BYTES: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let mut u = Unstructured::new(bytes);
    // The bytes ran out: what was done until then was checked.
    let _ = instance(&mut u);
});

fn instance(u: &mut Unstructured<'_>) -> Result<()> {
    let overrides = LimitOverrides {
        tensors: Some(TENSORS),
        tensor_mib: Some(TENSOR_BYTES >> 20),
        output_mib: Some(OUTPUT_BYTES >> 20),
        ..LimitOverrides::default()
    };
    let limits = Limits::settle(&[], &LimitOverrides::default(), &overrides).expect("the limits can be");
    let may_read = u.ratio(7, 8u8)?;
    let mut host = Host::new(&limits, may_read);
    let mut kept = Vec::new();
    while !u.is_empty() {
        call(u, &mut host, may_read, &mut kept)?;
    }
    Ok(())
}

/// What a plugin holds in one call.
struct Call<'h> {
    host: &'h mut Host,
    scene: Scene,
    may_read: bool,
    live: Vec<TensorHandle>,
}

enum Scene {
    Records,
    Step(Arc<Step>),
    Export(Arc<Watched>),
}

/// One call with some requests; `kept` are handles from earlier calls.
fn call(
    u: &mut Unstructured<'_>,
    host: &mut Host,
    may_read: bool,
    kept: &mut Vec<TensorHandle>,
) -> Result<()> {
    let scene = match u.int_in_range(0..=7u8)? {
        0 => {
            host.begin_records();
            Scene::Records
        }
        1 | 2 => {
            let bundle = Arc::<Watched>::default();
            host.begin_export(Arc::new(Model), bundle.clone());
            Scene::Export(bundle)
        }
        _ => {
            let step = Step::new(u.arbitrary()?, u.arbitrary()?, u.arbitrary()?, u.arbitrary()?);
            host.begin_step(step.clone());
            Scene::Step(step)
        }
    };
    let mut call = Call { host, scene, may_read, live: Vec::new() };
    for handle in kept.iter() {
        let stale = encode(&HostRequest::TensorShape { tensor: *handle }).expect("it can be encoded");
        assert!(call.host.answer(&stale).is_err(), "handle {handle} of an earlier call is alive");
    }
    let done = call.requests(u);
    kept.clone_from(&call.live);
    call.end();
    done
}

impl Call<'_> {
    fn requests(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        for _ in 0..u.int_in_range(1..=48u8)? {
            if u.ratio(1, 32u8)? {
                let size = usize::from(u.arbitrary::<u8>()?);
                self.raw(u.bytes(size.min(u.len()))?);
            } else {
                let request = request(u, &self.live)?;
                self.ask(&request);
            }
            self.within_limits();
        }
        if u.ratio(1, 4u8)? && !self.live.is_empty() {
            let handle = *u.choose(&self.live)?;
            if let Ok(loss) = self.host.take_loss(u32::try_from(handle).expect("a handle of the host")) {
                assert_eq!((loss.dtype(), &loss.shape()[..]), (DType::Float, &[1][..]));
            }
        }
        Ok(())
    }

    /// Bytes that may be no request. What they made is found out by asking.
    fn raw(&mut self, bytes: &[u8]) {
        if let Ok(request) = decode::<HostRequest>(bytes) {
            self.ask(&request);
        } else {
            assert!(self.host.answer(bytes).is_err());
        }
    }

    fn ask(&mut self, request: &HostRequest) {
        let bytes = encode(request).expect("it can be encoded");
        match self.host.answer(&bytes) {
            Ok(reply) => self.fits(request, &reply),
            // It would be Pegbox's own mistake, and the engine here makes none.
            Err(Cause::Host { message }) => panic!("{request:?}: {message}"),
            Err(cause) => {
                let _ = cause.to_string();
            }
        }
    }

    /// The reply is of the type that the request names, and says what is so.
    fn fits(&mut self, request: &HostRequest, reply: &[u8]) {
        use HostRequest as Ask;
        match request {
            Ask::StepNumber => _ = get::<u64>(reply),
            Ask::StepTraining => _ = get::<bool>(reply),
            Ask::StepRecordIds => _ = get::<Vec<u64>>(reply),
            Ask::StepClasses | Ask::ModelLabels => _ = get::<Vec<String>>(reply),
            Ask::StepHiddenStateCount => _ = get::<u32>(reply),
            Ask::StepTeacherLogits => {
                if let Some(handle) = get::<Option<TensorHandle>>(reply) {
                    self.got(handle);
                }
            }
            Ask::StepLogits
            | Ask::StepLabels
            | Ask::StepMask
            | Ask::StepWeights
            | Ask::StepHiddenState { .. }
            | Ask::TensorApply { .. }
            | Ask::TensorFull { .. }
            | Ask::TensorFromFloats { .. }
            | Ask::TensorFromInts { .. } => self.got(get(reply)),
            Ask::TensorShape { tensor } => {
                let shape = get::<Vec<u32>>(reply);
                assert!((1..=8).contains(&shape.len()) && !shape.contains(&0), "{shape:?} of {tensor}");
            }
            Ask::TensorDType { .. } => _ = get::<DType>(reply),
            Ask::TensorRead { .. } => {
                let _ = get::<Vec<f32>>(reply);
                assert!(self.may_read);
            }
            Ask::TensorReadInts { .. } => {
                let _ = get::<Vec<i64>>(reply);
                assert!(self.may_read);
            }
            Ask::TensorDrop { tensor } => self.live.retain(|handle| handle != tensor),
            Ask::ModelConfiguration | Ask::ModelMetrics | Ask::ModelProvenance => _ = get::<String>(reply),
            Ask::ModelTokenizerFiles => _ = get::<Vec<ModelFile>>(reply),
            Ask::ModelTensors => _ = get::<Vec<TensorInfo>>(reply),
            Ask::ModelRead { count, element, .. } => {
                assert_eq!(get::<Bytes>(reply).0.len() as u64, count * element.size());
            }
            Ask::BundleCreate { .. } | Ask::BundleAppend { .. } => get::<()>(reply),
        }
    }

    fn got(&mut self, handle: TensorHandle) {
        assert!(handle != 0 && u32::try_from(handle).is_ok(), "{handle} is no handle");
        assert!(!self.live.contains(&handle), "handle {handle} was given twice");
        self.live.push(handle);
    }

    fn within_limits(&self) {
        let (count, bytes) = self.host.live();
        assert_eq!(count, self.live.len());
        assert!(count as u64 <= TENSORS, "{count} tensors");
        assert!(bytes <= TENSOR_BYTES, "{bytes} bytes of tensors");
        match &self.scene {
            Scene::Step(step) => assert_eq!(step.engine.alive(), count),
            Scene::Export(bundle) => assert!(bundle.written() <= OUTPUT_BYTES),
            Scene::Records => assert_eq!(count, 0),
        }
    }

    fn end(self) {
        self.host.end();
        assert_eq!(self.host.live(), (0, 0));
        if let Scene::Step(step) = &self.scene {
            assert_eq!(step.engine.alive(), 0, "tensors were left behind");
        }
    }
}

fn get<T: DeserializeOwned>(reply: &[u8]) -> T {
    decode(reply).expect("the reply is of the type that the request names")
}
