//! `wasi:filesystem/types` without files that make the host wait. To open a pipe is to wait for whoever writes to it, to
//! read a device may never end, and a wait on the host's side passes every deadline.

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode as Fault;
use wasmtime_wasi::p2::bindings::sync::filesystem::types;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, HostDescriptor, OpenFlags, PathFlags,
};

use crate::component::state::HostState;

/// As wasmtime-wasi calls it.
const INTERFACE: &str = "wasi:filesystem/types@0.2.12";

/// What `open-at` is given: the folder, how, what, and for what.
type Request = (Resource<Descriptor>, PathFlags, String, OpenFlags, DescriptorFlags);

pub fn add_to_linker(linker: &mut Linker<HostState>) -> Result<()> {
    types::add_to_linker::<HostState, WasiFilesystem>(linker, HostState::filesystem)?;
    linker.allow_shadowing(true);
    linker.instance(INTERFACE)?.func_wrap("[method]descriptor.open-at", open_at)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn open_at(
    mut store: StoreContextMut<'_, HostState>,
    request: Request,
) -> Result<(Result<Resource<Descriptor>, ErrorCode>,)> {
    match open(store.data_mut(), request) {
        Ok(descriptor) => Ok((Ok(descriptor),)),
        Err(error) => Ok((Err(error.downcast()?.into()),)),
    }
}

fn open(state: &mut HostState, request: Request) -> FsResult<Resource<Descriptor>> {
    let (folder, path_flags, path, open_flags, flags) = request;
    let mut files = state.filesystem();
    // What is not there is told by opening it.
    let about = files.stat_at(Resource::new_borrow(folder.rep()), path_flags, path.clone());
    match about.map(|about| about.type_) {
        Ok(DescriptorType::RegularFile | DescriptorType::Directory | DescriptorType::SymbolicLink)
        | Err(_) => files.open_at(folder, path_flags, path, open_flags, flags),
        Ok(_) => Err(Fault::NotPermitted.into()),
    }
}
