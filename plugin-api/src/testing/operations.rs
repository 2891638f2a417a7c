//! The contract's operations, forwards only.

use pegbox_plugin_abi::tensors::DType::{Boolean, Float, Int};
use pegbox_plugin_abi::tensors::{DType, TensorOp};

use super::values::{Checked, Values};

pub fn apply(op: &TensorOp, arguments: &[Values]) -> Checked<Values> {
    match (op, arguments) {
        (TensorOp::Concat { dim }, [first, ..]) => concat(arguments, first.dim(*dim)?),
        (_, [x]) => of_one(op, x),
        (_, [a, b]) => of_two(op, a, b),
        (TensorOp::Where, [condition, a, b]) => choose(condition, a, b),
        (TensorOp::WithGradient, [about, value, gradient]) => {
            if value.shape == [1] && gradient.shape == about.shape {
                Ok(value.clone())
            } else {
                Err(format!("a loss {value} with a gradient {gradient} about {about}"))
            }
        }
        _ => Err(format!("{} arguments", arguments.len())),
    }
}

fn of_one(op: &TensorOp, x: &Values) -> Checked<Values> {
    let float = |f: &dyn Fn(f64) -> f64| {
        x.expect(&[Float])?;
        Ok(x.map(f))
    };
    match op {
        TensorOp::AddScalar(value) => float(&|x| x + f64::from(*value)),
        TensorOp::MulScalar(value) => float(&|x| x * f64::from(*value)),
        TensorOp::PowScalar(exponent) => float(&|x| x.powf(f64::from(*exponent))),
        TensorOp::Neg => x.expect(&[Float, Int]).map(|()| x.map(|x| -x)),
        TensorOp::Exp => float(&f64::exp),
        TensorOp::Log => float(&f64::ln),
        TensorOp::Sqrt => float(&f64::sqrt),
        TensorOp::Abs => float(&f64::abs),
        TensorOp::Clamp { low, high } if low <= high => {
            float(&|x| x.clamp(f64::from(*low), f64::from(*high)))
        }
        TensorOp::Relu => float(&|x| x.max(0.0)),
        TensorOp::Gelu => float(&|x| x * normal_distribution(x)),
        TensorOp::Sigmoid => float(&|x| 1.0 / (1.0 + (-x).exp())),
        TensorOp::Tanh => float(&f64::tanh),
        TensorOp::LogicalNot => x.expect(&[Boolean]).map(|()| x.map(|x| 1.0 - x)),
        TensorOp::Softmax { dim } => Ok(of_one(&TensorOp::LogSoftmax { dim: *dim }, x)?.map(f64::exp)),
        TensorOp::LogSoftmax { dim } => {
            x.expect(&[Float])?;
            Ok(x.along(x.dim(*dim)?, |run| {
                let most = largest(run);
                let total: f64 = run.iter().map(|x| (x - most).exp()).sum();
                run.iter().map(|x| x - most - total.ln()).collect()
            }))
        }
        TensorOp::Sum { dims } => reduce(x, dims, &[Float, Int], |run| run.iter().sum()),
        TensorOp::Mean { dims } => {
            reduce(x, dims, &[Float], |run| run.iter().sum::<f64>() / run.len() as f64)
        }
        TensorOp::Max { dims } => reduce(x, dims, &[Float, Int], largest),
        TensorOp::Argmax { dim } => {
            x.expect(&[Float, Int])?;
            let found = x.along(x.dim(*dim)?, |run| {
                let most = largest(run);
                vec![run.iter().position(|x| *x == most).unwrap_or(0) as f64]
            });
            Ok(Values { dtype: Int, ..found })
        }
        TensorOp::OneHot { classes } => one_hot(x, *classes as usize),
        TensorOp::Reshape { shape } => reshape(x, shape),
        TensorOp::Transpose { dim0, dim1 } => Ok(transpose(x, x.dim(*dim0)?, x.dim(*dim1)?)),
        TensorOp::Slice { dim, start, end } => {
            let dim = x.dim(*dim)?;
            let (start, end) = (*start as usize, *end as usize);
            if start >= end || end > x.shape[dim] {
                return Err(format!("{start} to {end} of {x}"));
            }
            Ok(x.along(dim, |run| run[start..end].to_vec()))
        }
        TensorOp::ToFloat => Ok(Values { dtype: Float, ..x.clone() }),
        TensorOp::ToInt => Ok(Values { dtype: Int, ..x.map(f64::trunc) }),
        TensorOp::Detach => Ok(x.clone()),
        _ => Err(format!("of {x}")),
    }
}

fn of_two(op: &TensorOp, a: &Values, b: &Values) -> Checked<Values> {
    let same = |allowed: &[DType]| {
        a.expect(allowed)?;
        if a.dtype == b.dtype { Ok(()) } else { Err(format!("{a} and {b} are of different dtypes")) }
    };
    let arithmetic = |f: fn(f64, f64) -> f64| {
        same(&[Float, Int])?;
        a.zip(b, f)
    };
    let compare = |allowed: &[DType], f: fn(f64, f64) -> bool| {
        same(allowed)?;
        Ok(Values { dtype: Boolean, ..a.zip(b, |a, b| f64::from(u8::from(f(a, b))))? })
    };
    match op {
        TensorOp::Add => arithmetic(|a, b| a + b),
        TensorOp::Sub => arithmetic(|a, b| a - b),
        TensorOp::Mul => arithmetic(|a, b| a * b),
        TensorOp::Div if a.dtype == Int && b.data.contains(&0.0) => Err("a division by 0".to_owned()),
        TensorOp::Div if a.dtype == Int => arithmetic(|a, b| (a / b).trunc()),
        TensorOp::Div => arithmetic(|a, b| a / b),
        TensorOp::Pow => {
            same(&[Float])?;
            a.zip(b, f64::powf)
        }
        TensorOp::Equal => compare(&[Float, Int, Boolean], |a, b| a == b),
        TensorOp::Greater => compare(&[Float, Int], |a, b| a > b),
        TensorOp::GreaterEqual => compare(&[Float, Int], |a, b| a >= b),
        TensorOp::Less => compare(&[Float, Int], |a, b| a < b),
        TensorOp::LessEqual => compare(&[Float, Int], |a, b| a <= b),
        TensorOp::MaskedFill { value } => {
            a.expect(&[Float])?;
            b.expect(&[Boolean])?;
            let mask = b.broadcast(&a.shape)?;
            a.zip(&mask, |x, fill| if fill == 1.0 { f64::from(*value) } else { x })
        }
        TensorOp::Gather { dim } => gather(a, a.dim(*dim)?, b),
        TensorOp::Matmul => matmul(a, b),
        _ => Err(format!("of {a} and {b}")),
    }
}

fn reduce(x: &Values, dims: &[i32], allowed: &[DType], f: fn(&[f64]) -> f64) -> Checked<Values> {
    x.expect(allowed)?;
    if dims.is_empty() {
        return Ok(Values { shape: vec![1], dtype: x.dtype, data: vec![f(&x.data)] });
    }
    let mut places = dims.iter().map(|dim| x.dim(*dim)).collect::<Checked<Vec<_>>>()?;
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(format!("a dimension twice in {dims:?}"));
    }
    // Sums, means and maxima of equal parts can be taken one dimension at a time.
    Ok(places.into_iter().fold(x.clone(), |x, place| x.along(place, |run| vec![f(run)])))
}

fn largest(run: &[f64]) -> f64 {
    run.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn choose(condition: &Values, a: &Values, b: &Values) -> Checked<Values> {
    condition.expect(&[Boolean])?;
    if a.dtype != b.dtype {
        return Err(format!("{a} and {b} are of different dtypes"));
    }
    // Which of the two, and both, in their common shape.
    let first = a.zip(b, |a, _| a)?;
    let second = a.zip(b, |_, b| b)?;
    let takes = condition.zip(&first, |takes, _| takes)?;
    let (first, second) = (first.broadcast(&takes.shape)?, second.broadcast(&takes.shape)?);
    let either = |at: usize| if takes.data[at] == 1.0 { first.data[at] } else { second.data[at] };
    let data = (0..takes.data.len()).map(either).collect();
    Values::new(takes.shape.clone(), a.dtype, data)
}

fn gather(x: &Values, dim: usize, indices: &Values) -> Checked<Values> {
    x.expect(&[Float, Int])?;
    indices.expect(&[Int])?;
    let fits = x.shape.len() == indices.shape.len()
        && x.shape.iter().zip(&indices.shape).enumerate().all(|(place, (a, b))| place == dim || a == b);
    if !fits {
        return Err(format!("{indices} of {x} along {dim}"));
    }
    let (_, size, after) = x.around(dim);
    let new = indices.shape[dim];
    let data = indices.data.iter().enumerate().map(|(at, index)| {
        if !(0.0..size as f64).contains(index) {
            return Err(format!("index {index} of {size}"));
        }
        Ok(x.data[(at / (new * after) * size + *index as usize) * after + at % after])
    });
    Values::new(indices.shape.clone(), x.dtype, data.collect::<Checked<_>>()?)
}

fn one_hot(x: &Values, classes: usize) -> Checked<Values> {
    x.expect(&[Int])?;
    if let Some(wrong) = x.data.iter().find(|value| !(0.0..classes as f64).contains(*value)) {
        return Err(format!("value {wrong} of {classes} classes"));
    }
    let hot = |value: &f64| (0..classes).map(|class| f64::from(u8::from(class as f64 == *value))).collect();
    let data: Vec<Vec<f64>> = x.data.iter().map(hot).collect();
    Values::new([x.shape.as_slice(), &[classes]].concat(), Float, data.concat())
}

fn reshape(x: &Values, shape: &[i32]) -> Checked<Values> {
    let known: usize = shape.iter().filter(|size| **size != -1).map(|size| *size as usize).product();
    let size = |size: &i32| match size {
        -1 => x.data.len() / known.max(1),
        size => *size as usize,
    };
    Values::new(shape.iter().map(size).collect(), x.dtype, x.data.clone())
        .map_err(|error| format!("{x} to {shape:?}: {error}"))
}

fn transpose(x: &Values, a: usize, b: usize) -> Values {
    let (low, high) = (a.min(b), a.max(b));
    if low == high {
        return x.clone();
    }
    let mut shape = x.shape.clone();
    shape.swap(low, high);
    let product = |sizes: &[usize]| -> usize { sizes.iter().product() };
    let (middle, after) = (product(&x.shape[low + 1..high]), product(&x.shape[high + 1..]));
    let (old_low, old_high) = (x.shape[low], x.shape[high]);
    let data = (0..x.data.len())
        .map(|at| {
            let (rest, tail) = (at / after, at % after);
            let (rest, i) = (rest / old_low, rest % old_low);
            let (rest, between) = (rest / middle, rest % middle);
            let (head, j) = (rest / old_high, rest % old_high);
            x.data[(((head * old_low + i) * middle + between) * old_high + j) * after + tail]
        })
        .collect();
    Values { shape, dtype: x.dtype, data }
}

fn concat(parts: &[Values], dim: usize) -> Checked<Values> {
    let first = &parts[0];
    let mut shape = first.shape.clone();
    shape[dim] = 0;
    for part in parts {
        let agrees = part.dtype == first.dtype
            && part.shape.len() == shape.len()
            && (0..shape.len()).all(|place| place == dim || part.shape[place] == shape[place]);
        if !agrees {
            return Err(format!("{part} beside {first}"));
        }
        shape[dim] += part.shape[dim];
    }
    let (before, _, after) = first.around(dim);
    let mut data = Vec::new();
    for outer in 0..before {
        for part in parts {
            let run = part.shape[dim] * after;
            data.extend_from_slice(&part.data[outer * run..(outer + 1) * run]);
        }
    }
    Values::new(shape, first.dtype, data)
}

fn matmul(a: &Values, b: &Values) -> Checked<Values> {
    a.expect(&[Float])?;
    b.expect(&[Float])?;
    let ([lead_a @ .., m, k], [lead_b @ .., other, n]) = (a.shape.as_slice(), b.shape.as_slice()) else {
        return Err(format!("{a} times {b}"));
    };
    if k != other {
        return Err(format!("{a} times {b}"));
    }
    let lead = super::values::broadcast_shape(lead_a, lead_b)?;
    let (a, b) = (
        a.broadcast(&[lead.as_slice(), &[*m, *k]].concat())?,
        b.broadcast(&[lead.as_slice(), &[*k, *n]].concat())?,
    );
    let batches: usize = lead.iter().product();
    let mut data = Vec::with_capacity(batches * m * n);
    for batch in 0..batches {
        for row in 0..*m {
            for column in 0..*n {
                let product =
                    |i: usize| a.data[(batch * m + row) * k + i] * b.data[(batch * k + i) * n + column];
                data.push((0..*k).map(product).sum());
            }
        }
    }
    Values::new([lead.as_slice(), &[*m, *n]].concat(), Float, data)
}

/// The normal distribution function, by numerical integration: exact enough for tests, and short.
fn normal_distribution(x: f64) -> f64 {
    const PARTS: u32 = 2000;
    let width = x / f64::from(PARTS);
    let density = |at: f64| (-at * at / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let middle = |part: u32| density(width * (f64::from(part) + 0.5));
    0.5 + (0..PARTS).map(middle).sum::<f64>() * width
}
