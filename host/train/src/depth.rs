//! How deep in the model each parameter lies.

use pegbox_models::adapter::PREFIX;

/// The group of each of a model's parameters by their names, in the model's order: 0 for the embeddings, then one group
/// more for each numbered layer, and one for what comes behind the last of them. An encoder's layers come before its
/// decoder's.
pub fn groups(names: &[String]) -> Vec<u32> {
    let numbered: Vec<Option<&str>> = names.iter().map(|name| layer(name)).collect();
    let last = numbered.iter().rposition(Option::is_some);
    let (mut group, mut current) = (0, None);
    let mut groups = Vec::with_capacity(names.len());
    for (i, layer) in numbered.iter().enumerate() {
        if layer.is_some() && *layer != current {
            (group, current) = (group + 1, *layer);
        }
        groups.push(if last.is_some_and(|last| i > last) { group + 1 } else { group });
    }
    groups
}

/// The name up to the number of its layer.
fn layer(name: &str) -> Option<&str> {
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    let mut end = 0;
    for part in name.split('.') {
        end += part.len();
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            return name.get(..end);
        }
        end += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embeddings_layers_and_the_rest() {
        let names = [
            ("bert.embeddings.word_embeddings.weight", 0),
            ("bert.encoder.layer.0.a.weight", 1),
            ("base_model.model.bert.encoder.layer.0.a.lora_A.weight", 1),
            ("bert.encoder.layer.0.b.weight", 1),
            ("bert.encoder.layer.1.a.weight", 2),
            ("bert.pooler.dense.weight", 3),
            ("classifier.weight", 3),
        ];
        check(&names);
        check(&[
            ("shared.weight", 0),
            ("encoder.block.0.layer.0.SelfAttention.q.weight", 1),
            ("encoder.block.0.layer.1.layer_norm.weight", 1),
            ("encoder.block.1.layer.0.layer_norm.weight", 2),
            ("encoder.final_layer_norm.weight", 2),
            ("decoder.block.0.layer.0.SelfAttention.q.weight", 3),
            ("decoder.final_layer_norm.weight", 4),
        ]);
    }

    fn check(expected: &[(&str, u32)]) {
        let names: Vec<String> = expected.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(groups(&names), expected.iter().map(|(_, group)| *group).collect::<Vec<_>>());
    }
}
