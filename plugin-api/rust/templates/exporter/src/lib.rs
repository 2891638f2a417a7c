//! Writes the model's configuration, its labels, and each tensor as a NumPy file.

use pegbox_plugin::{Bundle, Element, Error, Exporter, Model, Plugin};

struct {{Pascal}};

impl Plugin for {{Pascal}} {
    const NAME: &'static str = pegbox_plugin::manifest_name!();
    const CONFIGURATION_SCHEMA: &'static str = r#"{"type": "object", "additionalProperties": false}"#;

    fn configure(_: &str) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl Exporter for {{Pascal}} {
    fn export(&mut self, model: &Model, bundle: &Bundle) -> Result<(), Error> {
        bundle.write("config.json", model.configuration().as_bytes());
        let labels: String = model.labels().iter().map(|label| format!("{label}\n")).collect();
        bundle.write("labels.txt", labels.as_bytes());
        for tensor in model.tensors() {
            let path = format!("tensors/{}.npy", tensor.name);
            bundle.write(&path, &npy_head(&tensor.shape));
            for piece in model.pieces(&tensor, Element::Float32) {
                bundle.append(&path, &piece);
            }
        }
        Ok(())
    }
}

/// The head of a file of NumPy's format 1.0: what the numbers are, padded to a multiple of 64 bytes.
fn npy_head(shape: &[u64]) -> Vec<u8> {
    let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let mut text =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{comma}), }}", sizes.join(", "));
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes()].concat()
}

pegbox_plugin::export!({{Pascal}}: Exporter);

#[cfg(test)]
mod tests {
    use pegbox_plugin::testing::TestModel;

    use super::*;

    #[test]
    fn labels_stand_one_in_a_line() {
        let model = TestModel { labels: vec!["red".to_owned(), "blue".to_owned()], ..TestModel::default() };
        let (result, files) = model.run(|model, bundle| {{Pascal}}.export(model, bundle));
        result.unwrap();
        assert_eq!(files["labels.txt"], b"red\nblue\n");
    }
}
