//! What training relies on: exact repetition, freezing, updates in place.

use burn::tensor::{Int, Tensor, TensorData, activation::log_softmax};
use pegbox_models::kernels::adamw::{self, AdamW};
use pegbox_models::{
    DropoutKey, Encoder, EncoderConfig, Head, Logits, Mode, Parameters, Pooling, Problem, TokenBatch, device,
};
use rayon::ThreadPoolBuilder;

const CLASSES: usize = 7;

/// A parameter's gradient, if it took part.
type Named = (String, Option<Vec<f32>>);

fn model() -> Encoder {
    let config = serde_json::json!({
        "vocab_size": 1500, "hidden_size": 96, "num_hidden_layers": 2, "num_attention_heads": 3,
        "intermediate_size": 200, "max_position_embeddings": 80, "type_vocab_size": 2
    });
    let config = EncoderConfig::from_json(config.as_object().unwrap().clone()).unwrap();
    let head = Head::Sequence { outputs: CLASSES, pooling: Pooling::Cls, problem: Problem::SingleLabel };
    Encoder::random(config, head, 5, &device::parse("cpu").unwrap()).unwrap()
}

/// Large enough for every kernel to be cut into several pieces.
fn batch() -> TokenBatch {
    let rows: Vec<Vec<u32>> =
        (1..=9).map(|row| (0..7 * row + 5).map(|t| (row * 131 + t * t * 17) % 1500).collect()).collect();
    TokenBatch::new(rows.iter().map(Vec::as_slice), 0).unwrap()
}

/// The loss of one forward pass, and the gradient of every parameter that `trainable` names.
fn gradients(model: &Encoder, step: u64, trainable: &dyn Fn(&str) -> bool) -> (f32, Vec<Named>) {
    let batch = batch();
    let mut graph = model.tracked(trainable);
    let mode = Mode { dropout: Some(DropoutKey { seed: 9, step }), hidden_states: false };
    let Logits::Rows(logits) = graph.forward(&batch, mode).unwrap().logits else { panic!("a row a text") };
    let labels: Vec<i64> = (0..batch.rows as i64).map(|row| row * 3 % CLASSES as i64).collect();
    let labels = Tensor::<2, Int>::from_data(TensorData::new(labels, [batch.rows, 1]), &logits.device());
    let loss = log_softmax(logits, 1).gather(1, labels).mean().neg();
    let mut all = loss.backward();
    let list = graph
        .parameters()
        .into_iter()
        .map(|(name, parameter)| (name, parameter.take_gradient(&mut all).map(|g| g.into_values())))
        .collect();
    (loss.into_scalar::<f32>(), list)
}

fn train(model: &mut Encoder, moments: &mut [(Vec<f32>, Vec<f32>)], steps: std::ops::Range<u64>) -> Vec<f32> {
    let cpu = device::parse("cpu").unwrap();
    steps
        .map(|step| {
            let (loss, gradients) = gradients(model, step, &|_| true);
            let t = step as i32 + 1;
            let rule = AdamW {
                learning_rate: 3e-3,
                weight_decay: 0.01,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                correction1: 1.0 - 0.9f32.powi(t),
                correction2: (1.0 - 0.999f32.powi(t)).sqrt(),
                gradient_scale: 1.0,
                scale_parameter: false,
            };
            for (((_, mut p), (_, g)), (m, v)) in
                model.parameters().into_iter().zip(&gradients).zip(moments.iter_mut())
            {
                let g = g.as_ref().expect("a gradient");
                p.update_in_place(&cpu, |p| adamw::step(p, g, m, v, rule));
            }
            loss
        })
        .collect()
}

fn moments(model: &mut Encoder) -> Vec<(Vec<f32>, Vec<f32>)> {
    let sizes = model.parameters().into_iter().map(|(_, p)| p.shape().iter().product());
    sizes.map(|n: usize| (vec![0.0; n], vec![0.0; n])).collect()
}

fn bits(model: &mut Encoder) -> Vec<Vec<u32>> {
    model.parameters().iter().map(|(_, p)| p.values().iter().map(|v| v.to_bits()).collect()).collect()
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let run = |threads| {
        with_threads(threads, || {
            let mut model = model();
            let mut moments = moments(&mut model);
            let losses: Vec<u32> =
                train(&mut model, &mut moments, 0..3).iter().map(|l| l.to_bits()).collect();
            (losses, bits(&mut model))
        })
    };
    let one = run(1);
    for threads in [2, 3, 5] {
        assert!(one == run(threads), "{threads} threads differ from one");
    }
}

#[test]
fn a_continued_run_equals_an_uninterrupted_one() {
    let (mut whole, mut parts) = (model(), model());
    let mut whole_moments = moments(&mut whole);
    train(&mut whole, &mut whole_moments, 0..6);

    let mut part_moments = moments(&mut parts);
    train(&mut parts, &mut part_moments, 0..2);
    // Only values cross the interruption, as through a checkpoint.
    let cpu = device::parse("cpu").unwrap();
    let mut resumed = model();
    for ((_, mut new), (_, old)) in resumed.parameters().into_iter().zip(parts.parameters()) {
        assert!(new.set(old.values(), &cpu));
    }
    train(&mut resumed, &mut part_moments, 2..6);
    assert!(bits(&mut whole) == bits(&mut resumed));
}

#[test]
fn training_learns() {
    let mut model = model();
    let mut moments = moments(&mut model);
    let losses = train(&mut model, &mut moments, 0..40);
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&losses[..5]), mean(&losses[35..]));
    assert!(last < first / 2.0, "mean loss of the first five steps {first}, of the last five {last}");
}

#[test]
fn steps_and_seeds_draw_their_own_masks() {
    let model = model();
    let loss = |step| gradients(&model, step, &|_| true).0;
    assert_eq!(loss(4).to_bits(), loss(4).to_bits());
    assert_ne!(loss(4), loss(5));
}

#[test]
fn frozen_parameters_have_no_gradient_and_change_no_other() {
    let model = model();
    let all = gradients(&model, 1, &|_| true).1;
    let upper = |name: &str| !name.contains("embeddings") && !name.contains("layer.0.");
    let biases = |name: &str| name.ends_with("bias");
    for trainable in [&upper as &dyn Fn(&str) -> bool, &biases] {
        let some = gradients(&model, 1, trainable).1;
        for ((name, full), (_, partial)) in all.iter().zip(&some) {
            match trainable(name) {
                true => assert!(full.is_some() && full == partial, "{name}"),
                false => assert!(partial.is_none(), "{name} is frozen"),
            }
        }
    }
}

#[test]
fn updates_happen_in_place() {
    let cpu = device::parse("cpu").unwrap();
    let mut model = model();
    let mut addresses = || -> Vec<usize> {
        let mut list = Vec::new();
        for (_, mut parameter) in model.parameters() {
            parameter.update_in_place(&cpu, |values| list.push(values.as_ptr() as usize));
        }
        // The graph of a training step shares the values; it is gone before the next update.
        gradients(&model, 0, &|_| true);
        list
    };
    // The first update may copy what the model's construction still shared.
    addresses();
    assert_eq!(addresses(), addresses(), "an update copied a buffer");
}
