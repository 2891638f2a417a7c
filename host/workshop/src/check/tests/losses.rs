use pegbox_runtime::tensors::rules;
use pegbox_runtime::{AnyTensor, DType, Loss, Shape, StepView, TensorEngine, TensorOp, TensorType};

use super::*;

/// Mean cross-entropy by the engine's operations, with one thing wrong.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    /// Brings its own gradient, times this.
    Gradient(f32),
    /// The labels' part of the gradient is lost: `log_softmax` under `detach`, but for a term.
    Detached,
    /// Not connected to the logits.
    Constant,
    NotFinite,
    /// Adds its number of calls.
    Counts(u32),
}

struct CrossEntropy(Wrong);

fn apply(engine: &dyn TensorEngine, op: TensorOp, arguments: &[&AnyTensor]) -> AnyTensor {
    let out = rules::infer_for(&op, arguments).unwrap();
    engine.apply(&op, arguments, out).unwrap()
}

impl Loss for CrossEntropy {
    fn compute(&mut self, step: Arc<dyn StepView>) -> Result<AnyTensor, PluginError> {
        let engine = step.engine();
        let run = |op, arguments: &[&AnyTensor]| apply(&*engine, op, arguments);
        let (logits, labels) = (step.logits(), step.labels());
        let (rows, classes) = (logits.shape()[0], logits.shape()[1]);
        let log_p = run(TensorOp::LogSoftmax { dim: -1 }, &[&logits]);
        let index = run(TensorOp::Reshape { shape: vec![rows as i32, 1] }, &[&labels]);
        let picked = run(TensorOp::Gather { dim: -1 }, &[&log_p, &index]);
        let loss = run(TensorOp::Neg, &[&run(TensorOp::Mean { dims: vec![] }, &[&picked])]);
        let loss = match &mut self.0 {
            Wrong::Nothing => loss,
            Wrong::Gradient(factor) => {
                let one_hot = run(TensorOp::OneHot { classes: classes as u32 }, &[&labels]);
                let one_hot = run(TensorOp::ToFloat, &[&one_hot]);
                let p = run(TensorOp::Softmax { dim: -1 }, &[&logits]);
                let gradient = run(TensorOp::Sub, &[&p, &one_hot]);
                let gradient = run(TensorOp::MulScalar(*factor / rows as f32), &[&gradient]);
                run(TensorOp::WithGradient, &[&logits, &loss, &gradient])
            }
            Wrong::Detached => {
                let cut = run(TensorOp::Detach, &[&loss]);
                let part = run(TensorOp::MulScalar(0.9), &[&cut]);
                let rest = run(TensorOp::MulScalar(0.1), &[&loss]);
                run(TensorOp::Add, &[&part, &rest])
            }
            Wrong::Constant => run(TensorOp::Detach, &[&loss]),
            Wrong::NotFinite => run(TensorOp::MulScalar(f32::NAN), &[&loss]),
            Wrong::Counts(calls) => {
                *calls += 1;
                run(TensorOp::AddScalar(*calls as f32), &[&loss])
            }
        };
        assert_eq!(loss.kind(), TensorType { shape: Shape::SCALAR, dtype: DType::Float });
        Ok(loss)
    }
}

fn check(wrong: Wrong, text: &str) -> Result<Checked, Refusal> {
    let Body::Loss(case) = body(Kind::Loss, text) else { panic!("no loss") };
    let make = || Ok(Box::new(CrossEntropy(wrong)) as Box<dyn Loss>);
    loss::check(&case, text, &Device::flex(), &identity(), &make)
}

const SEEDED: &str = "[batch]\nlogits = { shape = [4, 7], seed = 3, scale = 3.0 }\nlabels = { seed = 4 }\n";

#[test]
fn a_right_loss_passes_with_every_derivative_looked_at() {
    let checked = unwrap(check(Wrong::Nothing, SEEDED));
    passes(&checked);
    assert!(checked.notes.iter().any(|note| note.contains("in 28 places")), "{:?}", checked.notes);
    // Its own gradient, if it is the right one, is as good.
    passes(&unwrap(check(Wrong::Gradient(1.0), SEEDED)));
}

#[test]
fn a_wrong_gradient_is_caught() {
    for factor in [0.0, -1.0, 0.5, 0.97, 1.03, 2.0] {
        let checked = unwrap(check(Wrong::Gradient(factor), SEEDED));
        fails(&checked, "the gradient at logits[");
        fails(&checked, "by finite differences");
    }
    fails(&unwrap(check(Wrong::Detached, SEEDED)), "look for a `detach` too many");
}

#[test]
fn values_and_gradients_are_compared_with_what_the_case_says() {
    // softmax([ln 3, 0]) = [3/4, 1/4]; the loss is ln 4, its gradient [3/4, -3/4].
    let with = |loss: f64, gradient: &str| {
        format!(
            "loss = {loss}\ngradient = [{gradient}]\n[batch]\nlogits = [[1.0986123, 0.0]]\nlabels = [1]\n"
        )
    };
    passes(&unwrap(check(Wrong::Nothing, &with(1.386_294_4, "[0.75, -0.75]"))));
    fails(
        &unwrap(check(Wrong::Nothing, &with(1.3864, "[0.75, -0.75]"))),
        "line: Some(1), what: \"the loss\"",
    );
    let checked = unwrap(check(Wrong::Nothing, &with(1.386_294_4, "[0.75, -0.7501]")));
    fails(&checked, "the gradient at logits[0, 1]");
    assert_eq!(checked.failures.len(), 1);
}

#[test]
fn what_training_refuses_is_refused() {
    let text = |wrong| check(wrong, SEEDED).err().map(|refusal| refusal.text()).unwrap_or_default();
    assert!(text(Wrong::NotFinite).contains("the loss is NaN"));
    assert!(text(Wrong::Constant).contains("does not depend on the logits"));
    fails(&unwrap(check(Wrong::Counts(0), SEEDED)), "computed again");
}
