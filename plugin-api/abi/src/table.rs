//! The C ABI of a native plugin, version 1.
//!
//! A plugin library exports one symbol, [`ENTRY_SYMBOL`], of type [`Entry`]. It returns a table that
//! lives as long as the library. Every function of the table is `extern "C"`, must not unwind, and
//! reports through [`Status`]; bytes go in as a [`Slice`] that the caller keeps, and come out as a
//! [`Buffer`] that the side which filled it frees.
//!
//! An instance is used by one thread at a time and may move between threads.

use std::ffi::c_void;

/// Version of these tables. Another version is another entry symbol; a host loads only those it knows.
pub const ABI_VERSION: u32 = 1;

/// The symbol that a plugin library exports, NUL-terminated for the dynamic loader.
pub const ENTRY_SYMBOL: &[u8] = b"pegbox_plugin_v1\0";

/// The contract (`pegbox:plugin`) whose types [`crate::wire`] mirrors.
pub const CONTRACT: &str = "0.1.1";

/// Type of the entry symbol.
pub type Entry = unsafe extern "C" fn() -> *const PluginTable;

/// How a function of the tables ended. A plain number, so that an unknown one from the other side is a
/// value that can be reported, not undefined behaviour.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status(pub u32);

impl Status {
    /// The out buffer holds the encoded result.
    pub const OK: Self = Self(0);
    /// The plugin declined: the out buffer holds an encoded [`crate::lifecycle::Refusal`].
    pub const REFUSED: Self = Self(1);
    /// The plugin panicked: the out buffer holds the message, UTF-8. The instance must be destroyed.
    pub const PANICKED: Self = Self(2);
    /// A host function failed and the plugin passed that on: the out buffer is empty, because the host
    /// remembers its own error. The instance must be destroyed.
    pub const HOST_FAILED: Self = Self(3);
    /// The input could not be decoded, or the method is not one that the plugin offers: the out buffer
    /// holds a message, UTF-8.
    pub const MALFORMED: Self = Self(4);
}

/// Bytes lent for the length of one call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    pub start: *const u8,
    pub len: usize,
}

impl Slice {
    /// Lends `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        Self { start: bytes.as_ptr(), len: bytes.len() }
    }

    /// Lends the bytes of a text that lives for ever; for the table's own fields.
    pub const fn from_static(text: &'static str) -> Self {
        Self { start: text.as_ptr(), len: text.len() }
    }

    /// # Safety
    /// `start` must point to `len` readable bytes that nobody writes to while the result lives.
    pub unsafe fn as_bytes<'a>(&self) -> &'a [u8] {
        if self.start.is_null() || self.len == 0 {
            return &[];
        }
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

/// Bytes that one side allocated and that side frees, through its table's `free`.
#[repr(C)]
pub struct Buffer {
    pub start: *mut u8,
    pub len: usize,
    pub capacity: usize,
}

impl Buffer {
    /// Nothing; needs no freeing, bears freeing.
    pub const EMPTY: Self = Self { start: std::ptr::null_mut(), len: 0, capacity: 0 };

    /// Hands `bytes` out.
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        let mut bytes = std::mem::ManuallyDrop::new(bytes);
        Self { start: bytes.as_mut_ptr(), len: bytes.len(), capacity: bytes.capacity() }
    }

    /// Takes the bytes back; only the side that called [`Buffer::from_vec`] may.
    ///
    /// # Safety
    /// The buffer must come from `from_vec` of this same allocator, and must not be used again.
    pub unsafe fn into_vec(self) -> Vec<u8> {
        if self.start.is_null() {
            return Vec::new();
        }
        unsafe { Vec::from_raw_parts(self.start, self.len, self.capacity) }
    }

    /// # Safety
    /// The buffer must not have been freed.
    pub unsafe fn as_bytes(&self) -> &[u8] {
        if self.start.is_null() || self.len == 0 {
            return &[];
        }
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

/// What a plugin library offers. `abi_version` comes first in every version, and is all that a host may
/// read before it has compared it.
#[repr(C)]
pub struct PluginTable {
    /// [`ABI_VERSION`] at the time of building.
    pub abi_version: u32,
    /// [`CONTRACT`] at the time of building; UTF-8.
    pub contract: Slice,
    /// Fills `out` with an encoded [`crate::lifecycle::Description`].
    pub describe: unsafe extern "C" fn(out: *mut Buffer) -> Status,
    /// Makes an instance that is not yet configured.
    pub create: unsafe extern "C" fn(instance: *mut *mut c_void, out: *mut Buffer) -> Status,
    /// Takes the recipe's configuration: a JSON object, UTF-8. Once in an instance's life, before `call`.
    pub configure: unsafe extern "C" fn(instance: *mut c_void, json: Slice, out: *mut Buffer) -> Status,
    /// Runs the method of [`crate::wire::Method`] number `method` on the encoded `input`. `host` is valid
    /// for the length of the call and must not be used from another thread.
    pub call: unsafe extern "C" fn(
        instance: *mut c_void,
        method: u32,
        input: Slice,
        host: *const HostTable,
        out: *mut Buffer,
    ) -> Status,
    /// Ends an instance; also one that panicked.
    pub destroy: unsafe extern "C" fn(instance: *mut c_void),
    /// Frees a buffer that this table's functions filled.
    pub free: unsafe extern "C" fn(buffer: Buffer),
}

// The table is constant data and functions.
unsafe impl Sync for PluginTable {}
unsafe impl Send for PluginTable {}

/// What the host offers during one call of [`PluginTable::call`].
#[repr(C)]
pub struct HostTable {
    /// Passed back as it is.
    pub context: *mut c_void,
    /// Serves one encoded [`crate::wire::HostRequest`]. With [`Status::OK`], `reply` holds the encoded
    /// type that the request's documentation names. With [`Status::HOST_FAILED`], `reply` holds a message
    /// (UTF-8) and the plugin's call is over: it must return [`Status::HOST_FAILED`].
    pub serve: unsafe extern "C" fn(context: *mut c_void, request: Slice, reply: *mut Buffer) -> Status,
    /// Frees a buffer that `serve` filled.
    pub free: unsafe extern "C" fn(buffer: Buffer),
}
