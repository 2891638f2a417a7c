//! State dicts that PyTorch wrote, pickles that it would not write, and archives that are not what they say.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, ZipArchive};

use crate::{Weights, WeightsError};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity/weights").join(name)
}

fn read(bytes: Vec<u8>) -> Result<Weights, WeightsError> {
    Weights::from_bytes(Path::new("pytorch_model.bin"), bytes)
}

fn error(bytes: Vec<u8>) -> String {
    read(bytes).unwrap_err().to_string()
}

/// Reads everything that is there.
fn exhaust(mut weights: Weights) {
    for tensor in weights.tensors() {
        weights.take(&[tensor.name]);
    }
}

fn archive(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A pickle in an archive with one storage, `0`, of 16 bytes.
fn stored(pickle: &[u8]) -> Vec<u8> {
    archive(&[("a/data.pkl", pickle), ("a/data/0", &[0; 16])], CompressionMethod::Stored)
}

fn text(value: &str) -> Vec<u8> {
    [&[b'X'][..], &(value.len() as u32).to_le_bytes(), value.as_bytes()].concat()
}

fn number(value: i32) -> Vec<u8> {
    [&[b'J'][..], &value.to_le_bytes()].concat()
}

fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(".to_vec(), items.concat(), b"t".to_vec()].concat()
}

fn numbers(values: &[i32]) -> Vec<u8> {
    tuple(&values.iter().map(|value| number(*value)).collect::<Vec<_>>())
}

fn storage(kind: &str, key: &str, length: i32) -> Vec<u8> {
    let kind = format!("ctorch\n{kind}\n").into_bytes();
    [tuple(&[text("storage"), kind, text(key), text("cpu"), number(length)]), b"Q".to_vec()].concat()
}

fn tensor(storage: &[u8], offset: i32, shape: &[i32], strides: &[i32]) -> Vec<u8> {
    let arguments = tuple(&[storage.to_vec(), number(offset), numbers(shape), numbers(strides), vec![0x89]]);
    [b"ctorch._utils\n_rebuild_tensor_v2\n".to_vec(), arguments, b"R".to_vec()].concat()
}

fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<u8> =
        entries.iter().flat_map(|(key, value)| [text(key), value.clone()].concat()).collect();
    [b"\x80\x02}(".to_vec(), entries, b"u.".to_vec()].concat()
}

fn pickled(value: Vec<u8>) -> Vec<u8> {
    stored(&dict(&[("w", value)]))
}

fn four_floats() -> Vec<u8> {
    tensor(&storage("FloatStorage", "0", 4), 0, &[2, 2], &[2, 1])
}

#[test]
fn state_dicts_are_read_as_pytorch_reads_them() {
    for (file, expected) in [
        ("state_dict.bin", "state_dict.safetensors"),
        ("stream.bin", "state_dict.safetensors"),
        ("checkpoint.bin", "state_dict.safetensors"),
        ("linear.bin", "linear.safetensors"),
    ] {
        let mut ours = Weights::read(&fixture(file)).unwrap();
        let mut theirs = Weights::read(&fixture(expected)).unwrap();
        let tensors = theirs.tensors();
        assert!(tensors.len() >= 2);
        for name in tensors.into_iter().map(|tensor| [tensor.name]) {
            assert_eq!(ours.take(&name), theirs.take(&name), "{name:?} of {file}");
        }
        let integers = if file == "linear.bin" { vec![] } else { vec!["counter", "mask"] };
        assert_eq!(ours.left_over(), integers, "{file}");
    }
    let weights = Weights::read(&fixture("state_dict.bin")).unwrap();
    let dtypes: Vec<_> = ["half", "bfloat", "double", "mask", "counter"]
        .iter()
        .map(|name| weights.tensors().into_iter().find(|tensor| tensor.name == *name).unwrap().dtype)
        .collect();
    assert_eq!(dtypes, ["F16", "BF16", "F64", "BOOL", "I64"]);
}

#[test]
fn nothing_else_than_a_state_dict_is_let_in() {
    for (pickle, told) in [
        (
            &b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R."[..],
            "`os.system`, which is not part of a state dict",
        ),
        (b"\x80\x02c__builtin__\neval\n.", "`__builtin__.eval`"),
        (b"\x80\x02ctorch.hub\nload\n.", "`torch.hub.load`"),
        (b"\x80\x02ctorch\nload\n.", "`torch.load`"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "`os.system`"),
        (b"\x80\x02cos\n\x1b[2J\n.", "`os.\\u{1b}[2J`"),
        (b"\x80\x02)\x81.", "the opcode 0x81"),
        (b"\x80\x02(i__main__\nX\n.", "the opcode 0x69"),
        (b"\x80\x02}}b}R.", "a name to call is wanted"),
        (b"\x80\x09.", "its protocol is 9"),
        (b"\x80\x02].", "no dictionary of tensors"),
        (b"\x80\x02}.", "its dictionary holds no tensors"),
    ] {
        let error = error(stored(pickle));
        assert!(error.contains(told), "{error}");
    }
    assert!(error(b"\x80\x02}.".to_vec()).contains("a pickle that `torch.save` did not write"));
    assert!(error(b"hello".to_vec()).contains("neither a zip archive nor a pickle"));
}

#[test]
fn pickle_bombs_end_early() {
    let head = b"\x80\x02";
    // Each list holds the one before twice: 2^n when followed, n as it is built.
    let laughs = [&head[..], b"]q\x00", &b"]q\x01(h\x00h\x00eq\x00".repeat(200_000), b"."].concat();
    assert!(error(stored(&laughs)).contains("no dictionary of tensors"));
    let nested = [&head[..], &b"]".repeat(100_000), &b"a".repeat(99_999), b"."].concat();
    assert!(error(stored(&nested)).contains("no dictionary of tensors"));
    let itself = [&head[..], b"}q\x00X\x01\x00\x00\x00ah\x00s."].concat();
    assert!(error(stored(&itself)).contains("holds no tensors"));
    let stack = [&head[..], b"]q\x00", &b"h\x00".repeat(2 << 20)].concat();
    assert!(error(stored(&stack)).contains("it stacks more than"));
    let marks = [&head[..], &b"(".repeat(2 << 20)].concat();
    assert!(error(stored(&marks)).contains("it stacks more than"));
    let objects = [&head[..], &b"N0".repeat(5 << 20)].concat();
    assert!(error(stored(&objects)).contains("objects"));
    for long in [
        &b"\x8b\xff\xff\xff\xff"[..],
        b"X\xff\xff\xff\xff",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x8e\0\0\0\0\0\0\0\x80",
    ] {
        assert!(error(stored(&[&head[..], long].concat())).contains("it is cut off"), "{long:?}");
    }
    for (empty, told) in [
        (&b"."[..], "its stack is empty"),
        (b"(.", "its stack is empty"),
        (b"N(\x85.", "its stack is empty"),
        (b"N(0.", "its stack is empty"),
        (b"t.", "a mark is missing"),
        (b"h\x07.", "it has no object 7"),
        (b"}(Nu.", "has no value"),
        (b"Na.", "its stack is empty"),
        (b"NNa.", "a list is wanted"),
    ] {
        let error = error(stored(&[&head[..], empty].concat()));
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn tensors_that_lie_are_refused() {
    let floats = |length| storage("FloatStorage", "0", length);
    assert!(read(pickled(four_floats())).is_ok());
    for (value, told) in [
        (tensor(&floats(5), 0, &[5], &[1]), "should have 5 elements of 4 bytes, but has 16 bytes"),
        (tensor(&floats(-1), 0, &[1], &[1]), "has -1 elements"),
        (tensor(&floats(4), 1, &[4], &[1]), "its 4 elements from 1 reach beyond the 4"),
        (tensor(&floats(4), 5, &[0], &[1]), "reach beyond"),
        (tensor(&floats(4), -1, &[1], &[1]), "a tensor has -1"),
        (tensor(&floats(4), 0, &[-2], &[1]), "a tensor has -2"),
        (tensor(&floats(4), 0, &[2, 2], &[1]), "2 sizes and 1 strides"),
        (tensor(&floats(4), 0, &[2, 2], &[3, 1]), "reaches beyond the 4 elements"),
        (tensor(&floats(4), 0, &[i32::MAX; 3], &[1; 3]), "too large"),
        (tensor(&floats(4), 0, &[i32::MAX; 2], &[i32::MAX; 2]), "reaches beyond"),
        (tensor(&floats(4), 0, &[1 << 30], &[0]), "reaches beyond"),
        (tensor(&floats(4), 0, &[1; 17], &[1; 17]), "a shape is wanted"),
        (tensor(&storage("FloatStorage", "../0", 4), 0, &[4], &[1]), "the storage `../0` is missing"),
        (tensor(&number(3), 0, &[4], &[1]), "a storage is wanted"),
    ] {
        let error = error(pickled(value));
        assert!(error.contains(told), "{told}: {error}");
    }
    let twice = dict(&[("w", four_floats()), ("w", four_floats())]);
    assert!(error(stored(&twice)).contains("`w` is there twice"));
    let names: Vec<String> = (0..2000).map(|i| format!("{i}")).collect();
    let shared: Vec<_> = names.iter().map(|name| (name.as_str(), b"h\x00".to_vec())).collect();
    let mut pickle = [
        b"\x80\x02".to_vec(),
        tensor(&storage("FloatStorage", "0", 65_536), 0, &[65_536], &[1]),
        b"q\x000".to_vec(),
    ]
    .concat();
    pickle.extend(&dict(&shared)[2..]);
    let file = archive(&[("a/data.pkl", &pickle), ("a/data/0", &[0; 4 << 16])], CompressionMethod::Stored);
    assert!(error(file).contains("share so much"));
}

#[test]
fn archives_that_lie_are_refused() {
    let pickle = dict(&[("w", four_floats())]);
    let good = stored(&pickle);
    let zeros = vec![0; 1 << 20];
    let bomb = archive(&[("a/data.pkl", &pickle), ("a/data/0", &zeros)], CompressionMethod::Deflated);
    assert!(error(bomb).contains("is compressed"));
    assert!(error(archive(&[("b", &[1])], CompressionMethod::Stored)).contains("without data.pkl"));
    let big = archive(
        &[("a/data.pkl", &pickle), ("a/byteorder", b"big"), ("a/data/0", &[0; 16])],
        CompressionMethod::Stored,
    );
    assert!(error(big).contains("big-endian"));

    // In the central directory: sizes at 20 and 24 of an entry, where its local header is at 42.
    let entries: Vec<usize> =
        (0..good.len() - 4).filter(|at| good[*at..].starts_with(b"PK\x01\x02")).collect();
    assert_eq!(entries.len(), 2);
    let changed = |entry: usize, changes: &[(usize, u32)]| {
        let mut bytes = good.clone();
        for (at, value) in changes {
            bytes[entries[entry] + at..][..4].copy_from_slice(&value.to_le_bytes());
        }
        bytes
    };
    assert!(read(changed(0, &[])).is_ok());
    assert!(read(changed(1, &[(20, 1 << 30), (24, 1 << 30)])).is_err(), "larger than the file");
    assert!(read(changed(1, &[(24, 1 << 30)])).is_err(), "two sizes");
    assert!(read(changed(1, &[(42, 0)])).is_err(), "on the other entry");
    assert!(read(changed(1, &[(42, u32::MAX - 1)])).is_err(), "beyond the file");
    assert!(ZipArchive::new(Cursor::new(good)).is_ok());
}

#[test]
fn files_cut_or_flipped_anywhere_never_panic() {
    for name in ["linear.bin", "stream.bin"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for length in 0..whole.len() {
            assert!(read(whole[..length].to_vec()).is_err(), "{name} cut after {length} bytes");
        }
        for position in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[position] ^= 1 << bit;
                if let Ok(weights) = read(bytes) {
                    exhaust(weights);
                }
            }
        }
    }
}
