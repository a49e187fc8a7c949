//! Which texts LightGBM may be given to read.
//!
//! LightGBM's parser trusts its input: it takes counts, strides, feature numbers and child numbers as they stand, so
//! that a forged text makes it read and write outside its arrays or walk in circles. A plugin hands such texts to the
//! host (`booster.load`), so they are checked here first, against the only writer there is: [`super::Booster::save`]
//! of this host, which is `GBDT::SaveModelToString` and `Tree::ToString` of LightGBM's format `v4`.
//!
//! What is checked must be what LightGBM reads. LightGBM looks keys up in a map (the last of two wins), skips keys that
//! it does not know, takes CR for a line's end and stops at a NUL. Nothing of that can differ here, because nothing
//! is looked up: every line stands at its place with its key, ends with LF, and holds printable ASCII; every
//! number is written as LightGBM writes it, one space apart; every tree is as long as the header says; nothing follows
//! the last line.

mod lines;
mod tree;

use lines::{Lines, integer, list, number, shorten};

use super::params::OBJECTIVES;
use super::{MAX_CODES, MAX_FEATURES, MAX_ROUNDS};

/// Longest text, in bytes. 10,000 trees of 31 leaves have 35 MB.
const MAX_LENGTH: usize = 256 << 20;

/// Most lines of the section `parameters`; LightGBM has about 150 parameters.
const MAX_PARAMETERS: usize = 1_000;

/// What a text that passed holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Feature columns.
    pub(super) features: usize,
    /// Trees.
    pub(super) trees: usize,
}

/// Checks a text with these categorical columns, which hold small positions and nothing else. The error is a sentence that says where it is not what this host writes.
pub(super) fn check(text: &str, categorical: &[usize]) -> Result<Shape, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("the model has {} bytes, at most {MAX_LENGTH} are read", text.len()));
    }
    if let Some(at) = text.bytes().position(|byte| byte != b'\n' && !(b' '..=b'~').contains(&byte)) {
        return Err(format!(
            "the model has byte {:#04x} at position {at}; it is text in ASCII",
            text.as_bytes()[at]
        ));
    }
    let mut lines = Lines::new(text);
    let (features, sizes) = header(&mut lines, categorical)?;
    let is_categorical: Vec<bool> = (0..features).map(|column| categorical.contains(&column)).collect();
    for (index, size) in sizes.iter().enumerate() {
        let before = lines.position();
        lines.exactly(&format!("Tree={index}"))?;
        tree::check(&mut lines, &is_categorical)?;
        let found = lines.position() - before;
        if found != *size {
            return Err(format!("tree {index} has {found} bytes, the header says {size}"));
        }
    }
    trailer(&mut lines, features)?;
    Ok(Shape { features, trees: sizes.len() })
}

/// Everything before the first tree: number of features, and the length of every tree.
fn header(lines: &mut Lines<'_>, categorical: &[usize]) -> Result<(usize, Vec<usize>), String> {
    lines.exactly("tree")?;
    lines.exactly("version=v4")?;
    // One class and one tree per round: the strides of every prediction.
    lines.exactly("num_class=1")?;
    lines.exactly("num_tree_per_iteration=1")?;
    lines.exactly("label_index=0")?;
    let last = integer(lines.value("max_feature_idx")?, 0, MAX_FEATURES as i64 - 1)?;
    let features = last as usize + 1;
    if let Some(column) = categorical.iter().find(|column| **column >= features) {
        return Err(format!("column {column} is categorical, the last one is {last}"));
    }
    let objective = lines.value("objective")?;
    if !OBJECTIVES.contains(&objective.strip_suffix(" sqrt").unwrap_or(objective)) {
        return Err(format!("the objective `{}` is not one that this host trains", shorten(objective)));
    }
    // The host gives LightGBM no names, so these are LightGBM's own.
    for (i, name) in list("feature_names", lines.value("feature_names")?, features)?.enumerate() {
        if name.strip_prefix("Column_").is_none_or(|number| number != i.to_string()) {
            return Err(format!("feature {i} is called `{}` instead of `Column_{i}`", shorten(name)));
        }
    }
    for (i, info) in list("feature_infos", lines.value("feature_infos")?, features)?.enumerate() {
        if info != "none" {
            feature_info(info, categorical.contains(&i))?;
        }
    }
    let sizes = lines.value("tree_sizes")?;
    let sizes: Vec<usize> = sizes
        .split(' ')
        .map(|size| integer(size, 1, MAX_LENGTH as i64).map(|size| size as usize))
        .collect::<Result<_, _>>()?;
    if sizes.len() > MAX_ROUNDS as usize {
        return Err(format!("the model has {} trees, at most {MAX_ROUNDS} are read", sizes.len()));
    }
    lines.exactly("")?;
    Ok((features, sizes))
}

/// What values a column has: a range, or positions of categories by number of rows (-1 is a missing one).
fn feature_info(info: &str, categorical: bool) -> Result<(), String> {
    let range = info.strip_prefix('[').and_then(|info| info.strip_suffix(']')?.split_once(':'));
    let (known, expected) = if categorical {
        let positions = info.split(':').all(|word| integer(word, -1, MAX_CODES as i64 - 1).is_ok());
        (positions, "categories")
    } else {
        (range.is_some_and(|(low, high)| number(low).and(number(high)).is_ok()), "a range")
    };
    if known {
        Ok(())
    } else {
        Err(format!("`{}` in `feature_infos` is neither `none` nor {expected}", shorten(info)))
    }
}

/// Everything after the last tree. LightGBM reads of it whether trees are linear, and keeps the rest as text.
fn trailer(lines: &mut Lines<'_>, features: usize) -> Result<(), String> {
    lines.exactly("end of trees")?;
    lines.exactly("")?;
    lines.exactly("feature_importances:")?;
    let mut named = vec![false; features];
    loop {
        let line = lines.next()?;
        if line.is_empty() {
            break;
        }
        let (name, importance) = line.split_once('=').unwrap_or((line, ""));
        integer(importance, 1, i64::MAX)?;
        let seen = name.strip_prefix("Column_").and_then(|index| {
            let index = integer(index, 0, features as i64 - 1).ok()?;
            named.get_mut(index as usize)
        });
        match seen {
            Some(seen) if !*seen => *seen = true,
            _ => {
                return Err(format!(
                    "`{}` in `feature_importances` is no feature, or is twice",
                    shorten(name)
                ));
            }
        }
    }
    lines.exactly("parameters:")?;
    for _ in 0..MAX_PARAMETERS {
        let line = lines.next()?;
        if line.is_empty() {
            lines.exactly("end of parameters")?;
            return lines.end();
        }
        parameter(line)?;
    }
    Err(format!("the model has more than {MAX_PARAMETERS} parameters"))
}

/// One line `[name: value]`.
fn parameter(line: &str) -> Result<(), String> {
    let inner = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
    let (name, value) = inner
        .and_then(|inner| inner.split_once(':'))
        .ok_or_else(|| format!("`{}` is not a parameter in square brackets", shorten(line)))?;
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(format!("`{}` is not the name of a parameter", shorten(name)));
    }
    // LightGBM believes this line, whatever the trees are.
    if name == "linear_tree" && value.trim() != "0" {
        return Err("linear trees are not supported".to_owned());
    }
    Ok(())
}
