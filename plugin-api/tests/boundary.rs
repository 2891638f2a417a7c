//! The C ABI that `export!` makes, used as a host uses it.

use std::ffi::c_void;

use pegbox_plugin::{
    Cleaner, Error, Loss, Outcome, Plugin, Row, RowBatch, Step, Tensor, parse_configuration,
};
use pegbox_plugin_abi::lifecycle::{Description, Kind, Refusal};
use pegbox_plugin_abi::table::{
    ABI_VERSION, Buffer, CONTRACT, ENTRY_SYMBOL, HostTable, PluginTable, Slice, Status,
};
use pegbox_plugin_abi::tensors::TensorOp;
use pegbox_plugin_abi::wire::{HostRequest, Method, TensorHandle, decode, encode};
use serde::de::DeserializeOwned;

/// Does what its configuration says.
struct Odd(String);

impl Plugin for Odd {
    const NAME: &'static str = "test/odd";
    const CONFIGURATION_SCHEMA: &'static str = "{}";

    fn configure(json: &str) -> Result<Self, Error> {
        match parse_configuration::<String>(json)?.as_str() {
            "refuse" => Err(Error::new("not that").with_help("something else")),
            what => Ok(Self(what.to_owned())),
        }
    }
}

impl Loss for Odd {
    fn compute(&self, step: &Step) -> Result<Tensor, Error> {
        let logits = step.logits();
        match self.0.as_str() {
            "panic" => panic!("out of {}", "luck"),
            "misshape" => Ok(logits.reshape(&[7])),
            "swallow" => {
                let attempt = || drop(logits.reshape(&[7]));
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt));
                Ok(step.labels())
            }
            "decline" => Err(Error::new("not today")),
            _ => Ok(logits.sum(&[])),
        }
    }
}

impl Cleaner for Odd {
    fn clean(&mut self, batch: RowBatch) -> Result<Vec<Outcome>, Error> {
        Ok(batch.rows.into_iter().map(|row| Outcome::Replace(row.values)).collect())
    }
}

pegbox_plugin::export!(Odd: Cleaner, Loss);

fn table() -> &'static PluginTable {
    unsafe extern "C" {
        fn pegbox_plugin_v1() -> *const PluginTable;
    }
    assert_eq!(ENTRY_SYMBOL, b"pegbox_plugin_v1\0");
    unsafe { &*pegbox_plugin_v1() }
}

/// A host that knows two tensors, 1 and 2, makes 3 of them by `sum`, and fails at everything else.
#[derive(Default)]
struct Host {
    failed: u32,
    dropped: Vec<TensorHandle>,
}

unsafe extern "C" fn serve(context: *mut c_void, request: Slice, reply: *mut Buffer) -> Status {
    let host = unsafe { &mut *context.cast::<Host>() };
    let handle = |number: TensorHandle| encode(&number).unwrap();
    let answer = match decode(unsafe { request.as_bytes() }).unwrap() {
        HostRequest::StepLogits => handle(1),
        HostRequest::StepLabels => handle(2),
        HostRequest::TensorApply { op: TensorOp::Sum { dims }, arguments } => {
            assert_eq!((dims, arguments), (vec![], vec![1]));
            handle(3)
        }
        HostRequest::TensorDrop { tensor } => {
            host.dropped.push(tensor);
            Vec::new()
        }
        _ => {
            host.failed += 1;
            unsafe { reply.write(Buffer::from_vec(b"no".to_vec())) };
            return Status::HOST_FAILED;
        }
    };
    unsafe { reply.write(Buffer::from_vec(answer)) };
    Status::OK
}

unsafe extern "C" fn free(buffer: Buffer) {
    drop(unsafe { buffer.into_vec() });
}

/// An instance that says how its calls ended.
struct Instance(*mut c_void);

impl Instance {
    fn new() -> Self {
        let (mut instance, mut out) = (std::ptr::null_mut(), Buffer::EMPTY);
        assert_eq!(unsafe { (table().create)(&mut instance, &mut out) }, Status::OK);
        Self(instance)
    }

    fn configured(what: &str) -> Self {
        let instance = Self::new();
        assert_eq!(instance.configure(&format!("{what:?}")).0, Status::OK);
        instance
    }

    fn configure(&self, json: &str) -> (Status, Vec<u8>) {
        let mut out = Buffer::EMPTY;
        let status = unsafe { (table().configure)(self.0, Slice::new(json.as_bytes()), &mut out) };
        (status, taken(out))
    }

    fn call(&self, method: u32, input: &[u8], host: &mut Host) -> (Status, Vec<u8>) {
        let context: *mut Host = host;
        let host = HostTable { context: context.cast(), serve, free };
        let mut out = Buffer::EMPTY;
        let status = unsafe { (table().call)(self.0, method, Slice::new(input), &host, &mut out) };
        (status, taken(out))
    }

    fn compute(&self, host: &mut Host) -> (Status, Vec<u8>) {
        self.call(Method::LossCompute as u32, &[], host)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        unsafe { (table().destroy)(self.0) }
    }
}

fn taken(out: Buffer) -> Vec<u8> {
    let bytes = unsafe { out.as_bytes() }.to_vec();
    unsafe { (table().free)(out) };
    bytes
}

#[track_caller]
fn read<T: DeserializeOwned>((status, bytes): (Status, Vec<u8>), expected: Status) -> T {
    assert_eq!(status, expected, "{}", String::from_utf8_lossy(&bytes));
    decode(&bytes).unwrap()
}

#[test]
fn a_plugin_says_what_it_is() {
    assert_eq!(table().abi_version, ABI_VERSION);
    assert_eq!(unsafe { table().contract.as_bytes() }, CONTRACT.as_bytes());
    let mut out = Buffer::EMPTY;
    assert_eq!(unsafe { (table().describe)(&mut out) }, Status::OK);
    let description: Description = decode(&taken(out)).unwrap();
    assert_eq!(description.name, "test/odd");
    assert_eq!(description.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(description.kinds, [Kind::Cleaner, Kind::Loss]);
}

#[test]
fn every_kind_answers_its_methods() {
    let instance = Instance::configured("work");
    let mut host = Host::default();
    assert_eq!(read::<TensorHandle>(instance.compute(&mut host), Status::OK), 3);
    assert_eq!(host.dropped, [1], "the loss is the host's now, the logits are let go");

    let row = Row { id: 4, values: vec![Some("x".to_owned()), None] };
    let batch = RowBatch { fields: vec!["a".to_owned(), "b".to_owned()], rows: vec![row.clone()] };
    let answer = instance.call(Method::Clean as u32, &encode(&batch).unwrap(), &mut host);
    assert_eq!(read::<Vec<Outcome>>(answer, Status::OK), [Outcome::Replace(row.values)]);
}

#[test]
fn what_a_plugin_declines_comes_with_its_words() {
    let refusal: Refusal = read(Instance::new().configure("\"refuse\""), Status::REFUSED);
    assert_eq!(refusal, Refusal { message: "not that".to_owned(), help: Some("something else".to_owned()) });
    assert_eq!(Instance::new().configure("7").0, Status::REFUSED);
    let refusal: Refusal =
        read(Instance::configured("decline").compute(&mut Host::default()), Status::REFUSED);
    assert_eq!(refusal.message, "not today");
}

#[test]
fn a_panic_comes_with_its_message_and_place() {
    let (status, message) = Instance::configured("panic").compute(&mut Host::default());
    assert_eq!(status, Status::PANICKED);
    let message = String::from_utf8(message).unwrap();
    assert!(message.starts_with("out of luck (") && message.contains("boundary.rs:"), "{message}");
}

#[test]
fn a_failure_of_the_host_ends_the_call_even_if_the_plugin_catches_it() {
    for what in ["misshape", "swallow"] {
        let mut host = Host::default();
        assert_eq!(
            Instance::configured(what).compute(&mut host),
            (Status::HOST_FAILED, Vec::new()),
            "{what}"
        );
        assert_eq!(host.failed, 1, "nothing more is asked after a failure");
    }
}

#[test]
fn calls_that_make_no_sense_are_told() {
    let host = &mut Host::default();
    let instance = Instance::configured("work");
    assert_eq!(instance.call(99, &[], host).0, Status::MALFORMED);
    assert_eq!(instance.call(Method::MetricReset as u32, &[], host).0, Status::MALFORMED);
    assert_eq!(instance.call(Method::Clean as u32, &[255], host).0, Status::MALFORMED);
    assert_eq!(Instance::new().compute(host).0, Status::MALFORMED);
    let (status, message) = Instance::new().configure("\u{0}");
    assert_eq!(status, Status::REFUSED, "{message:?}");
}
