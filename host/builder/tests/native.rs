//! What `pegbox plugin build --native` makes of a template must not end the host: the library is loaded here as the
//! host loads it, and its code panics.

use std::ffi::c_void;
use std::path::Path;

use libloading::Library;
use pegbox_builder::{NewPlugin, Options, Tools, build, create};
use pegbox_manifest::Kind;
use pegbox_plugin_abi::table::{Buffer, ENTRY_SYMBOL, Entry, PluginTable, Slice, Status};

#[test]
fn a_panic_in_a_native_library_is_caught_in_it() {
    let parent = tempfile::tempdir().unwrap();
    let created = create(&NewPlugin {
        kind: Kind::Exporter,
        language: "rust".to_owned(),
        name: "test/panics".to_owned(),
        team: None,
        parent: parent.path().to_owned(),
    })
    .unwrap();
    let template = std::fs::read_to_string(&created.source).unwrap();
    let panics = template.replace("Ok(Self)", "panic!(\"not today\")");
    assert_ne!(panics, template);
    std::fs::write(&created.source, panics).unwrap();

    let tools = Tools::of_user(|line| eprintln!("{line}")).unwrap();
    let built = build(&created.folder, &Options { native: true, force: false }, &tools).unwrap();
    let (status, said) = configure(&built.native.unwrap().path);
    assert_eq!(status, Status::PANICKED);
    assert!(said.starts_with("not today"), "{said}");
}

/// Makes an instance and configures it; what it says of that.
fn configure(library: &Path) -> (Status, String) {
    // SAFETY: the library was built a moment ago, against the tables that this test is built against; the calls are
    // those of the host, in its order, and each buffer is read before its side frees it.
    unsafe {
        let library = Library::new(library).unwrap();
        let entry = library.get::<Entry>(ENTRY_SYMBOL).unwrap();
        let table: &PluginTable = &*entry();
        let (mut instance, mut out): (*mut c_void, Buffer) = (std::ptr::null_mut(), Buffer::EMPTY);
        assert_eq!((table.create)(&mut instance, &mut out), Status::OK);
        let status = (table.configure)(instance, Slice::new(b"{}"), &mut out);
        let said = String::from_utf8_lossy(out.as_bytes()).into_owned();
        (table.free)(out);
        (table.destroy)(instance);
        (status, said)
    }
}
