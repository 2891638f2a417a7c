use pegbox_runtime::{Bundle, Cause, Element, Exporter, ModelView};

use super::*;

#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    /// Counts its exports in the file.
    Counts,
    /// One file more.
    More,
    /// Leaves its folder.
    Leaves,
}

/// Writes the labels, and the tensor `w` as bytes.
struct Writes(Wrong, u32);

impl Exporter for Writes {
    fn export(&mut self, model: Arc<dyn ModelView>, bundle: Arc<dyn Bundle>) -> Result<(), PluginError> {
        let fail = |error| PluginError::new(identity(), "exporter.export", Cause::Artifact(error));
        let put = |path: &str, content: &[u8]| {
            bundle.create(path).and_then(|()| bundle.append(path, content)).map_err(fail)
        };
        self.1 += 1;
        let mut text = model.labels().join("\n");
        if self.0 == Wrong::Counts {
            text.push_str(&self.1.to_string());
        }
        put("labels.txt", text.as_bytes())?;
        put("sub/w.bin", &model.read("w", 0, 2, Element::Float32).map_err(fail)?)?;
        match self.0 {
            Wrong::More => put("more.txt", b"x"),
            Wrong::Leaves => put("../more.txt", b"x"),
            Wrong::Nothing | Wrong::Counts => Ok(()),
        }
    }
}

const MODEL: &str = "[model]\nlabels = [\"a\", \"b\"]\n[model.tensors]\nw = [1.0, -2.0]\n";
/// 1 and -2 in single precision, little-endian: 00 00 80 3f 00 00 00 c0.
const FILES: &str = "[files]\n\"labels.txt\" = \"a\\nb\"\n\"sub/w.bin\" = { bytes = 8, digest = \
                     \"sha256:ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b\" }\n";

fn check(wrong: Wrong, text: &str) -> Result<Checked, Refusal> {
    let Body::Exporter(case) = body(Kind::Exporter, text) else { panic!("no exporter") };
    exporter::check(&case, text, &|| Ok(Box::new(Writes(wrong, 0)) as Box<dyn Exporter>))
}

#[test]
fn a_right_exporter_passes() {
    let checked = unwrap(check(Wrong::Nothing, &format!("{MODEL}{FILES}")));
    passes(&checked);
    assert!(checked.golden.is_none());
}

#[test]
fn what_is_wrong_is_named() {
    let with = |wrong, files: &str| unwrap(check(wrong, &format!("{MODEL}{files}")));
    fails(&with(Wrong::Nothing, &FILES.replace("a\\nb", "a\\nc")), "the file labels.txt");
    fails(&with(Wrong::Nothing, &FILES.replace("bytes = 8", "bytes = 9")), "9 bytes");
    fails(&with(Wrong::Nothing, &FILES.replace("sha256:ee", "sha256:00")), "sha256:00");
    fails(&with(Wrong::Nothing, &format!("{FILES}\"x.txt\" = \"\"\n")), "the file x.txt");
    fails(&with(Wrong::More, FILES), "the file more.txt");
    fails(&with(Wrong::Counts, &FILES.replace("a\\nb", "a\\nb1")), "differs in a second export");
}

#[test]
fn leaving_the_artifact_is_refused() {
    let refused = check(Wrong::Leaves, &format!("{MODEL}{FILES}")).err().map(|refusal| refusal.text());
    assert!(refused.unwrap().contains("../more.txt"));
}

#[test]
fn without_expectations_files_go_into_a_golden_file_as_text_or_digest() {
    let golden = unwrap(check(Wrong::Nothing, MODEL)).golden.unwrap();
    assert_eq!(golden["labels.txt"], "a\nb");
    assert_eq!(golden["sub/w.bin"]["bytes"], 8);
}
