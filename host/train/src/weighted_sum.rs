//! Several losses as one: `sum(weight * loss)`.

use std::sync::Arc;

use pegbox_runtime::{AnyTensor, Cause, Loss, PluginError, PluginIdentity, StepView, TensorEngine, TensorOp};

use crate::tensor_engine::into_floats;

/// One loss in the sum.
pub struct Term {
    pub weight: f32,
    pub loss: Box<dyn Loss>,
    /// Who computes it, for errors.
    pub identity: Arc<PluginIdentity>,
}

/// The weighted sum of losses. Each term is a weighted mean over the same labels, so the sum is one, too.
pub struct WeightedSum(Vec<Term>);

impl WeightedSum {
    /// `terms` are at least one; an empty sum is 0 and connected to nothing, which training refuses.
    pub fn new(terms: Vec<Term>) -> Self {
        Self(terms)
    }
}

impl Loss for WeightedSum {
    fn compute(&mut self, step: Arc<dyn StepView>) -> Result<AnyTensor, PluginError> {
        let engine = step.engine();
        let mut sum: Option<AnyTensor> = None;
        for Term { weight, loss, identity } in &mut self.0 {
            let fail = |cause| PluginError::new(Arc::clone(identity), "loss.compute", cause);
            let value = loss.compute(Arc::clone(&step))?;
            check_finite(&value).map_err(&fail)?;
            let scaled = apply(&*engine, &TensorOp::MulScalar(*weight), &[&value]).map_err(&fail)?;
            sum = Some(match sum {
                None => scaled,
                Some(sum) => apply(&*engine, &TensorOp::Add, &[&sum, &scaled]).map_err(&fail)?,
            });
        }
        match sum {
            Some(sum) => Ok(sum),
            None => {
                let cause = Cause::Host { message: "a loss without terms".to_owned() };
                let identity = crate::builtin::identity("weighted-sum");
                Err(PluginError::new(identity, "loss.compute", cause))
            }
        }
    }
}

/// In a sum it would no longer show which term was not finite.
fn check_finite(value: &AnyTensor) -> Result<(), Cause> {
    let value = into_floats::<1>("compute", value)?.into_scalar::<f32>();
    if value.is_finite() {
        return Ok(());
    }
    Err(Cause::Contract {
        what: format!("the loss is {value}"),
        help: Some("look for a logarithm of 0, a division by 0 or an overflow in the plugin".to_owned()),
    })
}

/// Float `[1]` in, float `[1]` out.
fn apply(engine: &dyn TensorEngine, op: &TensorOp, arguments: &[&AnyTensor]) -> Result<AnyTensor, Cause> {
    let out = arguments.first().map(|first| first.kind());
    let out = out.ok_or_else(|| Cause::Host { message: "an operation without operands".to_owned() })?;
    Ok(engine.apply(op, arguments, out)?)
}
