//! What each operation takes and gives: shapes and dtypes, checked once for every engine. The rules are
//! the contract's (`wit/tensors.wit`); the error's text is what a plugin author reads.

use super::{AnyTensor, DType, MAX_ELEMENTS, MAX_RANK, Shape, TensorError, TensorOp, TensorType};
use DType::{Boolean, Float, Int};

/// Shape and dtype of what `op` makes of `arguments`.
///
/// # Errors
/// A wrong number of arguments, a dtype that `op` does not take, shapes that do not fit, a dimension that
/// does not exist, a parameter out of range, a result of more than [`MAX_ELEMENTS`].
pub fn infer(op: &TensorOp, arguments: &[TensorType]) -> Result<TensorType, TensorError> {
    let out = infer_unbounded(op, arguments).map_err(|error| error.with_operands(arguments))?;
    if out.shape.elements() > MAX_ELEMENTS {
        return Err(too_large(op.name(), out.shape).with_operands(arguments));
    }
    Ok(out)
}

/// [`infer`] on tensors.
pub fn infer_for(op: &TensorOp, arguments: &[&AnyTensor]) -> Result<TensorType, TensorError> {
    match arguments {
        [one] => infer(op, &[one.kind()]),
        [one, two] => infer(op, &[one.kind(), two.kind()]),
        many => infer(op, &many.iter().map(|tensor| tensor.kind()).collect::<Vec<_>>()),
    }
}

/// The shape that a plugin gave for a new tensor of `values` elements (none: as many as the shape says).
///
/// # Errors
/// Not a shape, too large, or not the shape of so many values.
pub fn created(op: &'static str, dims: &[u32], values: Option<usize>) -> Result<Shape, TensorError> {
    let sizes: Vec<usize> = dims.iter().map(|dim| *dim as usize).collect();
    let shape = shape_of(op, &sizes)?;
    if shape.elements() > MAX_ELEMENTS {
        return Err(too_large(op, shape));
    }
    match values {
        Some(count) if count != shape.elements() => Err(TensorError::new(
            op,
            format!("{count} values do not fill shape {shape}, which has {}", shape.elements()),
        )),
        _ => Ok(shape),
    }
}

/// The dimension that `dim` means, counted from the end when negative.
///
/// # Errors
/// There is no such dimension.
pub fn dim(op: &'static str, dim: i32, rank: usize) -> Result<usize, TensorError> {
    let rank = rank as i64;
    let wanted = i64::from(dim);
    if (-rank..rank).contains(&wanted) {
        return Ok(if wanted < 0 { wanted + rank } else { wanted } as usize);
    }
    Err(TensorError::new(op, format!("there is no dimension {dim} in a tensor of rank {rank}"))
        .with_help(format!("dimensions are {} to {}", -rank, rank - 1)))
}

/// The dimensions that a reduction means, each once, ascending; all of them where `dims` is empty.
///
/// # Errors
/// A dimension does not exist, or is named twice.
pub fn reduced(op: &'static str, dims: &[i32], rank: usize) -> Result<Vec<usize>, TensorError> {
    if dims.is_empty() {
        return Ok((0..rank).collect());
    }
    let mut found = dims.iter().map(|d| dim(op, *d, rank)).collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    match found.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(TensorError::new(op, format!("dimension {} is named twice", pair[0]))),
        None => Ok(found),
    }
}

/// The shape that both broadcast to, as NumPy does it.
///
/// # Errors
/// Some dimension differs and is 1 in neither.
pub fn broadcast(op: &'static str, left: Shape, right: Shape) -> Result<Shape, TensorError> {
    let (longer, shorter) = if left.rank() >= right.rank() { (left, right) } else { (right, left) };
    let offset = longer.rank() - shorter.rank();
    let mut out = longer;
    for (i, &size) in shorter.iter().enumerate() {
        let other = longer[offset + i];
        if size == other || size == 1 {
            continue;
        }
        if other != 1 {
            return Err(TensorError::new(
                op,
                format!("shapes {left} and {right} do not broadcast: {other} meets {size}"),
            )
            .with_help("shapes are aligned at the last dimension; sizes must be equal, or one of them 1"));
        }
        out = out.with(offset + i, size);
    }
    Ok(out)
}

fn infer_unbounded(op: &TensorOp, arguments: &[TensorType]) -> Result<TensorType, TensorError> {
    let name = op.name();
    match op {
        TensorOp::Add | TensorOp::Sub | TensorOp::Mul | TensorOp::Div => {
            let [left, right] = exactly(name, arguments)?;
            let dtype = same_dtype(name, left, right, &[Float, Int])?;
            typed(broadcast(name, left.shape, right.shape)?, dtype)
        }
        TensorOp::Pow => {
            let [base, exponent] = exactly(name, arguments)?;
            let dtype = same_dtype(name, base, exponent, &[Float])?;
            typed(broadcast(name, base.shape, exponent.shape)?, dtype)
        }
        TensorOp::Equal => {
            let [left, right] = exactly(name, arguments)?;
            same_dtype(name, left, right, &[Float, Int, Boolean])?;
            typed(broadcast(name, left.shape, right.shape)?, Boolean)
        }
        TensorOp::Greater | TensorOp::GreaterEqual | TensorOp::Less | TensorOp::LessEqual => {
            let [left, right] = exactly(name, arguments)?;
            same_dtype(name, left, right, &[Float, Int])?;
            typed(broadcast(name, left.shape, right.shape)?, Boolean)
        }
        TensorOp::Neg => {
            let [input] = exactly(name, arguments)?;
            takes(name, "the input", input, &[Float, Int])?;
            Ok(input)
        }
        TensorOp::AddScalar(_)
        | TensorOp::MulScalar(_)
        | TensorOp::PowScalar(_)
        | TensorOp::Exp
        | TensorOp::Log
        | TensorOp::Sqrt
        | TensorOp::Abs
        | TensorOp::Relu
        | TensorOp::Gelu
        | TensorOp::Sigmoid
        | TensorOp::Tanh => {
            let [input] = exactly(name, arguments)?;
            takes(name, "the input", input, &[Float])?;
            Ok(input)
        }
        TensorOp::Clamp { low, high } => {
            let [input] = exactly(name, arguments)?;
            takes(name, "the input", input, &[Float])?;
            if low > high || low.is_nan() || high.is_nan() {
                return Err(TensorError::new(name, format!("low {low} is not at most high {high}")));
            }
            Ok(input)
        }
        TensorOp::Softmax { dim: along } | TensorOp::LogSoftmax { dim: along } => {
            let [input] = exactly(name, arguments)?;
            takes(name, "the input", input, &[Float])?;
            dim(name, *along, input.shape.rank())?;
            Ok(input)
        }
        TensorOp::Sum { dims } | TensorOp::Max { dims } => {
            let [input] = exactly(name, arguments)?;
            takes(name, "the input", input, &[Float, Int])?;
            typed(reduction(name, dims, input.shape)?, input.dtype)
        }
        TensorOp::Mean { dims } => {
            let [input] = exactly(name, arguments)?;
            takes(name, "the input", input, &[Float])?;
            typed(reduction(name, dims, input.shape)?, Float)
        }
        TensorOp::Argmax { dim: along } => {
            let [input] = exactly(name, arguments)?;
            takes(name, "the input", input, &[Float, Int])?;
            let along = dim(name, *along, input.shape.rank())?;
            typed(input.shape.with(along, 1), Int)
        }
        TensorOp::Gather { dim: along } => {
            let [input, indices] = exactly(name, arguments)?;
            typed(gather(*along, input, indices)?, input.dtype)
        }
        TensorOp::OneHot { classes } => {
            let [input] = exactly(name, arguments)?;
            takes(name, "the input", input, &[Int])?;
            if *classes == 0 {
                return Err(TensorError::new(name, "there must be at least one class"));
            }
            let mut dims = input.shape.to_vec();
            dims.push(*classes as usize);
            typed(shape_of(name, &dims)?, Float)
        }
        TensorOp::LogicalNot => {
            let [input] = exactly(name, arguments)?;
            takes(name, "the input", input, &[Boolean])?;
            Ok(input)
        }
        TensorOp::Where => {
            let [condition, on_true, on_false] = exactly(name, arguments)?;
            takes(name, "the condition", condition, &[Boolean])?;
            let dtype = same_dtype(name, on_true, on_false, &[Float, Int, Boolean])?;
            let branches = broadcast(name, on_true.shape, on_false.shape)?;
            typed(broadcast(name, condition.shape, branches)?, dtype)
        }
        TensorOp::MaskedFill { .. } => {
            let [input, mask] = exactly(name, arguments)?;
            takes(name, "the input", input, &[Float])?;
            takes(name, "the mask", mask, &[Boolean])?;
            if broadcast(name, input.shape, mask.shape)? != input.shape {
                return Err(TensorError::new(
                    name,
                    format!("a mask of shape {} does not broadcast to {}", mask.shape, input.shape),
                ));
            }
            Ok(input)
        }
        TensorOp::Reshape { shape } => {
            let [input] = exactly(name, arguments)?;
            typed(reshaped(input.shape, shape)?, input.dtype)
        }
        TensorOp::Transpose { dim0, dim1 } => {
            let [input] = exactly(name, arguments)?;
            let first = dim(name, *dim0, input.shape.rank())?;
            let second = dim(name, *dim1, input.shape.rank())?;
            let (a, b) = (input.shape[first], input.shape[second]);
            typed(input.shape.with(first, b).with(second, a), input.dtype)
        }
        TensorOp::Slice { dim: along, start, end } => {
            let [input] = exactly(name, arguments)?;
            let along = dim(name, *along, input.shape.rank())?;
            let size = input.shape[along];
            if start >= end || *end as usize > size {
                return Err(TensorError::new(
                    name,
                    format!("{start}..{end} does not lie in dimension {along}, which has size {size}"),
                )
                .with_help("start < end <= size must hold"));
            }
            typed(input.shape.with(along, (end - start) as usize), input.dtype)
        }
        TensorOp::Concat { dim: along } => concatenated(*along, arguments),
        TensorOp::Matmul => {
            let [left, right] = exactly(name, arguments)?;
            same_dtype(name, left, right, &[Float])?;
            typed(product(left.shape, right.shape)?, Float)
        }
        TensorOp::ToFloat => {
            let [input] = exactly(name, arguments)?;
            typed(input.shape, Float)
        }
        TensorOp::ToInt => {
            let [input] = exactly(name, arguments)?;
            typed(input.shape, Int)
        }
        TensorOp::Detach => {
            let [input] = exactly(name, arguments)?;
            Ok(input)
        }
        TensorOp::WithGradient => {
            let [about, value, gradient] = exactly(name, arguments)?;
            for (what, operand) in [("the input", about), ("the value", value), ("the gradient", gradient)] {
                takes(name, what, operand, &[Float])?;
            }
            if value.shape != Shape::SCALAR {
                return Err(TensorError::new(
                    name,
                    format!("the value has shape {}; it must be [1]", value.shape),
                ));
            }
            if gradient.shape != about.shape {
                return Err(TensorError::new(
                    name,
                    format!(
                        "the gradient has shape {}, what it is about {}; they must be equal",
                        gradient.shape, about.shape
                    ),
                ));
            }
            Ok(value)
        }
    }
}

fn typed(shape: Shape, dtype: DType) -> Result<TensorType, TensorError> {
    Ok(TensorType { shape, dtype })
}

fn exactly<const N: usize>(
    op: &'static str,
    arguments: &[TensorType],
) -> Result<[TensorType; N], TensorError> {
    arguments
        .try_into()
        .map_err(|_| TensorError::new(op, format!("takes {N} tensors, got {}", arguments.len())))
}

fn takes(op: &'static str, what: &str, operand: TensorType, dtypes: &[DType]) -> Result<(), TensorError> {
    if dtypes.contains(&operand.dtype) {
        return Ok(());
    }
    let wanted = dtypes.iter().map(|dtype| dtype.name()).collect::<Vec<_>>().join(" or ");
    let error = TensorError::new(op, format!("{what} is {}; it must be {wanted}", operand.dtype.name()));
    Err(match dtypes {
        [Float] | [Float, Int] => error.with_help("convert it with `to-float`"),
        [Int] => error.with_help("convert it with `to-int`"),
        [Boolean] => error.with_help("make it with a comparison, such as `greater`"),
        _ => error,
    })
}

fn same_dtype(
    op: &'static str,
    left: TensorType,
    right: TensorType,
    dtypes: &[DType],
) -> Result<DType, TensorError> {
    if left.dtype != right.dtype {
        return Err(TensorError::new(
            op,
            format!(
                "one operand is {}, the other {}; they must be the same",
                left.dtype.name(),
                right.dtype.name()
            ),
        )
        .with_help("convert one with `to-float` or `to-int`"));
    }
    takes(op, "the operand", left, dtypes)?;
    Ok(left.dtype)
}

fn shape_of(op: &'static str, dims: &[usize]) -> Result<Shape, TensorError> {
    Shape::new(dims).ok_or_else(|| {
        let what = match dims.len() {
            0 => "a shape needs at least one dimension".to_owned(),
            rank if rank > MAX_RANK => format!("rank {rank} is above {MAX_RANK}"),
            _ => format!("shape {dims:?} has a dimension of size 0"),
        };
        TensorError::new(op, what).with_help("a scalar has shape [1]")
    })
}

fn too_large(op: &'static str, shape: Shape) -> TensorError {
    TensorError::new(op, format!("a tensor of shape {shape} would have more than {MAX_ELEMENTS} elements"))
}

fn reduction(op: &'static str, dims: &[i32], shape: Shape) -> Result<Shape, TensorError> {
    if dims.is_empty() {
        return Ok(Shape::SCALAR);
    }
    Ok(reduced(op, dims, shape.rank())?.into_iter().fold(shape, |shape, dim| shape.with(dim, 1)))
}

fn gather(along: i32, input: TensorType, indices: TensorType) -> Result<Shape, TensorError> {
    let op = "gather";
    takes(op, "the input", input, &[Float, Int])?;
    takes(op, "the index tensor", indices, &[Int])?;
    let (from, at) = (input.shape, indices.shape);
    let along = dim(op, along, from.rank())?;
    if from.rank() != at.rank() {
        return Err(TensorError::new(
            op,
            format!("index tensor has shape {at}, the input has shape {from}; they must have the same rank"),
        )
        .with_help("`reshape` the index tensor, for example from [B] to [B, 1]"));
    }
    match (0..from.rank()).find(|i| *i != along && from[*i] != at[*i]) {
        Some(differs) => Err(TensorError::new(
            op,
            format!(
                "index tensor has shape {at}, the input has shape {from}; they must be equal but for dimension {along}, and differ in dimension {differs}"
            ),
        )),
        None => Ok(at),
    }
}

fn reshaped(from: Shape, wanted: &[i32]) -> Result<Shape, TensorError> {
    let op = "reshape";
    let fail = |what: String| Err(TensorError::new(op, what));
    let total = from.elements();
    let inferred = wanted.iter().filter(|size| **size == -1).count();
    if inferred > 1 {
        return fail(format!("{wanted:?} has {inferred} entries of -1; one can be inferred"));
    }
    if wanted.iter().any(|size| *size < -1 || *size == 0) {
        return fail(format!("{wanted:?} has a size that is neither positive nor -1"));
    }
    let known = wanted
        .iter()
        .filter(|size| **size > 0)
        .fold(1usize, |product, size| product.saturating_mul(*size as usize));
    let fits = if inferred == 1 { total.is_multiple_of(known) } else { total == known };
    if !fits {
        return fail(format!("{total} elements of shape {from} do not fill {wanted:?}"));
    }
    let dims: Vec<usize> =
        wanted.iter().map(|size| if *size == -1 { total / known } else { *size as usize }).collect();
    shape_of(op, &dims)
}

fn concatenated(along: i32, parts: &[TensorType]) -> Result<TensorType, TensorError> {
    let op = "concat";
    let Some((first, rest)) = parts.split_first() else {
        return Err(TensorError::new(op, "there is nothing to join"));
    };
    let along = dim(op, along, first.shape.rank())?;
    let mut size = first.shape[along];
    for part in rest {
        same_dtype(op, *first, *part, &[Float, Int, Boolean])?;
        let agrees = part.shape.rank() == first.shape.rank()
            && part.shape.with(along, 1) == first.shape.with(along, 1);
        if !agrees {
            return Err(TensorError::new(
                op,
                format!("{} and {} must be equal but for dimension {along}", first.shape, part.shape),
            ));
        }
        size = size.saturating_add(part.shape[along]);
    }
    typed(first.shape.with(along, size), first.dtype)
}

fn product(left: Shape, right: Shape) -> Result<Shape, TensorError> {
    let op = "matmul";
    if left.rank() < 2 || right.rank() < 2 {
        return Err(TensorError::new(op, format!("{left} x {right}: both need a rank of at least 2"))
            .with_help("`reshape` a vector to [1, k] or [k, 1]"));
    }
    let (m, k) = (left[left.rank() - 2], left[left.rank() - 1]);
    let (k2, n) = (right[right.rank() - 2], right[right.rank() - 1]);
    if k != k2 {
        return Err(TensorError::new(
            op,
            format!("{left} x {right}: the inner dimensions {k} and {k2} must be equal"),
        ));
    }
    // Leading dimensions broadcast: with the matrix dimensions made equal, the whole shapes do.
    let lead = |shape: Shape| shape.with(shape.rank() - 2, 1).with(shape.rank() - 1, 1);
    let out = broadcast(op, lead(left), lead(right))?;
    let rank = out.rank();
    Ok(out.with(rank - 2, m).with(rank - 1, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(dtype: DType, dims: &[usize]) -> TensorType {
        TensorType { shape: Shape::new(dims).unwrap(), dtype }
    }

    fn f(dims: &[usize]) -> TensorType {
        t(Float, dims)
    }

    fn i(dims: &[usize]) -> TensorType {
        t(Int, dims)
    }

    fn b(dims: &[usize]) -> TensorType {
        t(Boolean, dims)
    }

    #[track_caller]
    fn gives(op: TensorOp, arguments: &[TensorType], out: TensorType) {
        assert_eq!(infer(&op, arguments), Ok(out), "{op:?}");
    }

    #[track_caller]
    fn fails(op: TensorOp, arguments: &[TensorType], with: &str) {
        let error = infer(&op, arguments).unwrap_err();
        assert!(error.to_string().contains(with), "{op:?} says: {error}");
        assert_eq!(error.operands, arguments);
    }

    #[test]
    fn arithmetic_broadcasts_as_numpy_does() {
        gives(TensorOp::Add, &[f(&[2, 3]), f(&[3])], f(&[2, 3]));
        gives(TensorOp::Mul, &[f(&[4, 1]), f(&[2, 1, 5])], f(&[2, 4, 5]));
        gives(TensorOp::Div, &[i(&[1]), i(&[7])], i(&[7]));
        gives(TensorOp::Less, &[i(&[1]), i(&[7])], b(&[7]));
        gives(TensorOp::Equal, &[b(&[7]), b(&[7])], b(&[7]));
        fails(TensorOp::Sub, &[f(&[2, 3]), f(&[2])], "do not broadcast: 3 meets 2");
        fails(TensorOp::Sub, &[f(&[2]), i(&[2])], "one operand is float, the other int");
        fails(TensorOp::Add, &[b(&[2]), b(&[2])], "must be float or int");
        fails(TensorOp::Greater, &[b(&[2]), b(&[2])], "must be float or int");
        fails(TensorOp::Pow, &[i(&[2]), i(&[2])], "must be float");
    }

    #[test]
    fn elementwise_takes_floats() {
        gives(TensorOp::Exp, &[f(&[2, 3])], f(&[2, 3]));
        gives(TensorOp::Neg, &[i(&[2, 3])], i(&[2, 3]));
        gives(TensorOp::LogicalNot, &[b(&[2])], b(&[2]));
        fails(TensorOp::Log, &[i(&[2])], "it must be float");
        fails(TensorOp::LogicalNot, &[f(&[2])], "must be boolean");
        fails(TensorOp::Clamp { low: 1.0, high: 0.0 }, &[f(&[2])], "low 1 is not at most high 0");
        fails(TensorOp::Clamp { low: f32::NAN, high: 0.0 }, &[f(&[2])], "NaN");
        fails(TensorOp::Exp, &[], "takes 1 tensors, got 0");
    }

    #[test]
    fn dimensions_count_from_either_end() {
        assert_eq!(dim("sum", -1, 3), Ok(2));
        assert_eq!(dim("sum", -3, 3), Ok(0));
        for wrong in [3, -4, i32::MIN, i32::MAX] {
            assert!(dim("sum", wrong, 3).is_err());
        }
        gives(TensorOp::Softmax { dim: -1 }, &[f(&[2, 3])], f(&[2, 3]));
        fails(TensorOp::Softmax { dim: 2 }, &[f(&[2, 3])], "no dimension 2 in a tensor of rank 2");
    }

    #[test]
    fn reductions_keep_dimensions_of_size_one() {
        gives(TensorOp::Sum { dims: vec![-1] }, &[i(&[2, 3])], i(&[2, 1]));
        gives(TensorOp::Mean { dims: vec![0, 2] }, &[f(&[2, 3, 4])], f(&[1, 3, 1]));
        gives(TensorOp::Max { dims: vec![] }, &[f(&[2, 3])], f(&[1]));
        gives(TensorOp::Argmax { dim: 1 }, &[f(&[2, 3])], i(&[2, 1]));
        fails(TensorOp::Sum { dims: vec![1, -1] }, &[f(&[2, 3])], "named twice");
        fails(TensorOp::Mean { dims: vec![] }, &[i(&[2])], "must be float");
    }

    #[test]
    fn gather_wants_equal_shapes_but_for_its_dimension() {
        gives(TensorOp::Gather { dim: 1 }, &[f(&[16, 77]), i(&[16, 1])], f(&[16, 1]));
        gives(TensorOp::Gather { dim: -1 }, &[i(&[2, 5]), i(&[2, 9])], i(&[2, 9]));
        fails(
            TensorOp::Gather { dim: 1 },
            &[f(&[16, 77]), i(&[32, 1])],
            "index tensor has shape [32, 1], the input has shape [16, 77]",
        );
        fails(TensorOp::Gather { dim: 1 }, &[f(&[16, 77]), i(&[16])], "same rank");
        fails(TensorOp::Gather { dim: 1 }, &[f(&[16, 77]), f(&[16, 1])], "must be int");
    }

    #[test]
    fn selection_checks_conditions_and_masks() {
        gives(TensorOp::OneHot { classes: 5 }, &[i(&[2, 3])], f(&[2, 3, 5]));
        gives(TensorOp::Where, &[b(&[2, 1]), f(&[3]), f(&[1])], f(&[2, 3]));
        gives(TensorOp::MaskedFill { value: 0.0 }, &[f(&[2, 3]), b(&[3])], f(&[2, 3]));
        fails(TensorOp::MaskedFill { value: 0.0 }, &[f(&[3]), b(&[2, 3])], "does not broadcast to");
        fails(TensorOp::Where, &[f(&[2]), f(&[2]), f(&[2])], "the condition is float");
        fails(TensorOp::OneHot { classes: 0 }, &[i(&[2])], "at least one class");
        fails(TensorOp::OneHot { classes: 2 }, &[i(&[1; 8])], "rank 9 is above 8");
    }

    #[test]
    fn reshape_infers_one_entry() {
        gives(TensorOp::Reshape { shape: vec![-1, 2] }, &[f(&[3, 4])], f(&[6, 2]));
        gives(TensorOp::Reshape { shape: vec![12] }, &[b(&[3, 4])], b(&[12]));
        fails(TensorOp::Reshape { shape: vec![-1, -1] }, &[f(&[4])], "2 entries of -1");
        fails(TensorOp::Reshape { shape: vec![-1, 3] }, &[f(&[4])], "do not fill");
        fails(TensorOp::Reshape { shape: vec![0] }, &[f(&[4])], "neither positive nor -1");
        fails(TensorOp::Reshape { shape: vec![] }, &[f(&[1])], "at least one dimension");
        fails(TensorOp::Reshape { shape: vec![i32::MAX; 4] }, &[f(&[4])], "do not fill");
    }

    #[test]
    fn other_shape_operations_check_their_ranges() {
        gives(TensorOp::Transpose { dim0: 0, dim1: -1 }, &[f(&[2, 3, 4])], f(&[4, 3, 2]));
        gives(TensorOp::Slice { dim: 1, start: 1, end: 3 }, &[f(&[2, 3])], f(&[2, 2]));
        gives(TensorOp::Concat { dim: 0 }, &[f(&[2, 3]), f(&[4, 3])], f(&[6, 3]));
        gives(TensorOp::Matmul, &[f(&[5, 1, 2, 3]), f(&[7, 3, 4])], f(&[5, 7, 2, 4]));
        fails(TensorOp::Slice { dim: 1, start: 2, end: 2 }, &[f(&[2, 3])], "2..2 does not lie");
        fails(TensorOp::Slice { dim: 1, start: 0, end: 4 }, &[f(&[2, 3])], "which has size 3");
        fails(TensorOp::Concat { dim: 0 }, &[], "nothing to join");
        fails(TensorOp::Concat { dim: 0 }, &[f(&[2, 3]), f(&[2, 4])], "equal but for dimension 0");
        fails(TensorOp::Concat { dim: 0 }, &[f(&[2]), i(&[2])], "must be the same");
        fails(TensorOp::Matmul, &[f(&[2, 3]), f(&[4, 5])], "inner dimensions 3 and 4");
        fails(TensorOp::Matmul, &[f(&[3]), f(&[3, 5])], "rank of at least 2");
    }

    #[test]
    fn a_loss_with_its_own_gradient_is_a_scalar() {
        gives(TensorOp::WithGradient, &[f(&[2, 3]), f(&[1]), f(&[2, 3])], f(&[1]));
        fails(TensorOp::WithGradient, &[f(&[2, 3]), f(&[2]), f(&[2, 3])], "must be [1]");
        fails(TensorOp::WithGradient, &[f(&[2, 3]), f(&[1]), f(&[3, 2])], "must be equal");
    }

    #[test]
    fn tensors_that_would_fill_the_device_are_refused() {
        fails(TensorOp::Add, &[f(&[1 << 20, 1]), f(&[1, 1 << 20])], "more than 1073741824 elements");
        assert!(created("full", &[u32::MAX, u32::MAX, u32::MAX, u32::MAX], None).is_err());
        assert!(created("from-floats", &[2, 3], Some(5)).is_err());
        assert!(created("from-floats", &[], Some(1)).is_err());
        assert_eq!(created("from-floats", &[2, 3], Some(6)), Ok(Shape::new(&[2, 3]).unwrap()));
    }
}
