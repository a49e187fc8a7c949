//! One tree of a model text.

use super::lines::{Lines, finite, integer, list, number};
use crate::boosting::{MAX_CODES, MAX_DEPTH, MAX_LEAVES};

/// Bits of `decision_type`: 1 is a categorical split, 2 sends missing values left, 4 and 8 are the kind of missing
/// values (0, 1 or 2).
const NUMERICAL: [i32; 6] = [0, 2, 4, 6, 8, 10];
/// A categorical split sends missing values right, always.
const CATEGORICAL: [i32; 3] = [1, 5, 9];

/// Words of 32 bits that a set of categories may have.
const MAX_WORDS: usize = MAX_CODES / 32;

/// Reads a tree after its line `Tree=`, up to and with the two empty lines behind it. `categorical` says of every
/// feature whether it is.
pub(super) fn check(lines: &mut Lines<'_>, categorical: &[bool]) -> Result<(), String> {
    let leaves = integer(lines.value("num_leaves")?, 1, MAX_LEAVES)? as usize;
    let splits = leaves - 1;
    let sets = integer(lines.value("num_cat")?, 0, splits as i64)? as usize;
    let split_on = integers(lines, "split_feature", splits, 0, categorical.len() as i64 - 1)?;
    numbers(lines, "split_gain", splits, number)?;
    // A split of missing against all other values has an infinite threshold.
    let thresholds = lines.value("threshold")?;
    all_numbers("threshold", thresholds, splits, |text| number(text).and_then(not_nan))?;
    let decisions = integers(lines, "decision_type", splits, 0, 10)?;
    let on_categories: Vec<bool> = split_on.iter().map(|feature| categorical[*feature as usize]).collect();
    decision_types(&decisions, &on_categories)?;
    set_numbers(list("threshold", thresholds, splits)?, &on_categories, sets)?;
    // Leaf i is written as -(i + 1).
    let left = integers(lines, "left_child", splits, -(leaves as i64), splits as i64 - 1)?;
    let right = integers(lines, "right_child", splits, -(leaves as i64), splits as i64 - 1)?;
    numbers(lines, "leaf_value", leaves, finite)?;
    // LightGBM reads no weight of a tree that is one leaf, and so writes none when it saves it again.
    let weights = lines.value("leaf_weight")?;
    if !(leaves == 1 && weights.is_empty()) {
        all_numbers("leaf_weight", weights, leaves, number)?;
    }
    integers(lines, "leaf_count", leaves, 0, i64::from(i32::MAX))?;
    numbers(lines, "internal_value", splits, number)?;
    numbers(lines, "internal_weight", splits, number)?;
    integers(lines, "internal_count", splits, 0, i64::from(i32::MAX))?;
    if sets > 0 {
        category_sets(lines, sets)?;
    }
    lines.exactly("is_linear=0")?;
    finite(lines.value("shrinkage")?)?;
    lines.exactly("")?;
    lines.exactly("")?;
    if splits == 0 { Ok(()) } else { is_binary_tree(&left, &right) }
}

/// A split on a categorical feature is categorical, any other numerical.
fn decision_types(decisions: &[i32], on_categories: &[bool]) -> Result<(), String> {
    for (decision, categorical) in decisions.iter().zip(on_categories) {
        let (allowed, kind) =
            if *categorical { (&CATEGORICAL[..], "categorical") } else { (&NUMERICAL[..], "numerical") };
        if !allowed.contains(decision) {
            return Err(format!("decision type {decision} is not one of a {kind} feature"));
        }
    }
    Ok(())
}

/// The threshold of a categorical split is the number of its set, and LightGBM counts them from 0 in order of splits.
fn set_numbers<'a>(
    thresholds: impl Iterator<Item = &'a str>,
    on_categories: &[bool],
    sets: usize,
) -> Result<(), String> {
    let numbers = thresholds.zip(on_categories).filter(|(_, categorical)| **categorical);
    let mut found = 0;
    for (threshold, _) in numbers {
        if threshold != found.to_string() {
            return Err(format!("in `threshold`: categorical split {found} has set `{threshold}`"));
        }
        found += 1;
    }
    if found == sets {
        Ok(())
    } else {
        Err(format!("`num_cat` is {sets}, and {found} splits are categorical"))
    }
}

/// Sets of categories as bits: set i is the words from `cat_boundaries[i]` to `cat_boundaries[i + 1]`, at least one.
fn category_sets(lines: &mut Lines<'_>, sets: usize) -> Result<(), String> {
    let most = sets.saturating_mul(MAX_WORDS).min(i32::MAX as usize);
    let boundaries = integers(lines, "cat_boundaries", sets + 1, 0, most as i64)?;
    let sound = |pair: &[i32]| (1..=MAX_WORDS as i32).contains(&(pair[1] - pair[0]));
    if boundaries[0] != 0 || !boundaries.windows(2).all(sound) {
        return Err(format!("`cat_boundaries` do not cut words into sets of 1 to {MAX_WORDS}"));
    }
    all_integers(
        "cat_threshold",
        lines.value("cat_threshold")?,
        boundaries[sets] as usize,
        0,
        u32::MAX.into(),
    )
}

fn integers(
    lines: &mut Lines<'_>,
    key: &str,
    count: usize,
    least: i64,
    most: i64,
) -> Result<Vec<i32>, String> {
    let words = list(key, lines.value(key)?, count)?;
    words
        .map(|word| integer(word, least, most).map(|value| value as i32))
        .collect::<Result<_, _>>()
        .map_err(|e| format!("in `{key}`: {e}"))
}

fn all_integers(key: &str, text: &str, count: usize, least: i64, most: i64) -> Result<(), String> {
    for word in list(key, text, count)? {
        integer(word, least, most).map_err(|e| format!("in `{key}`: {e}"))?;
    }
    Ok(())
}

fn numbers(
    lines: &mut Lines<'_>,
    key: &str,
    count: usize,
    read: impl Fn(&str) -> Result<f64, String>,
) -> Result<(), String> {
    all_numbers(key, lines.value(key)?, count, read)
}

fn all_numbers(
    key: &str,
    text: &str,
    count: usize,
    read: impl Fn(&str) -> Result<f64, String>,
) -> Result<(), String> {
    for word in list(key, text, count)? {
        read(word).map_err(|e| format!("in `{key}`: {e}"))?;
    }
    Ok(())
}

fn not_nan(value: f64) -> Result<f64, String> {
    if value.is_nan() { Err("NaN is no threshold".to_owned()) } else { Ok(value) }
}

/// From the root, every node and every leaf is reached exactly once, so that a walk ends and no leaf is shared; and
/// no leaf is deeper than LightGBM's recursion may go.
fn is_binary_tree(left: &[i32], right: &[i32]) -> Result<(), String> {
    let mut node_reached = vec![false; left.len()];
    let mut leaf_reached = vec![false; left.len() + 1];
    let mut open = vec![(0_i32, 0_usize)];
    let mut reached = 0;
    while let Some((child, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return Err(format!("a tree is deeper than {MAX_DEPTH} splits"));
        }
        // A child below zero is a leaf: !(-1) = 0.
        let (mark, index) = if child < 0 { (&mut leaf_reached, !child) } else { (&mut node_reached, child) };
        let index = index as usize;
        match mark.get_mut(index) {
            Some(mark) if !*mark => *mark = true,
            _ => return Err("the children of a tree do not form a tree: one is reached twice".to_owned()),
        }
        reached += 1;
        if child >= 0 {
            open.push((left[index], depth + 1));
            open.push((right[index], depth + 1));
        }
    }
    if reached == node_reached.len() + leaf_reached.len() {
        Ok(())
    } else {
        Err("the children of a tree do not form a tree: not all are reached".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_must_form_a_tree() {
        assert!(is_binary_tree(&[-1], &[-2]).is_ok());
        assert!(is_binary_tree(&[1, -1], &[-3, -2]).is_ok());
        for (left, right, why) in [
            (vec![0], vec![-1], "the root is its own child"),
            (vec![1, 0], vec![-3, -2], "a circle"),
            (vec![-1], vec![-1], "a leaf twice"),
            (vec![-1, -2], vec![-3, 1], "an island that is its own child"),
            (vec![1, -1], vec![1, -2], "a node twice"),
        ] {
            assert!(is_binary_tree(&left, &right).is_err(), "{why}");
        }
        // A chain as deep as allowed, and one deeper.
        let chain = |splits: i32| {
            let left: Vec<i32> = (1..=splits).map(|i| if i < splits { i } else { -splits - 1 }).collect();
            let right: Vec<i32> = (1..=splits).map(|i| -i).collect();
            is_binary_tree(&left, &right)
        };
        assert!(chain(MAX_DEPTH as i32).is_ok());
        assert!(chain(MAX_DEPTH as i32 + 1).is_err());
    }
}
