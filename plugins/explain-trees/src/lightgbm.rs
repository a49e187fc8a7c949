//! What `lightgbm` saves: the SDK's header, then either its models (one text per series, postcard) or a byte 0 and the
//! text of one model across series. The text is LightGBM's format `v4`, and behind it the host's line of categories.
//!
//! The host has checked a text to the last byte before it forecast from it; here it is read for what trees need, and
//! what does not fit is refused.

use std::collections::HashMap;
use std::str::{FromStr, Lines};

use retailcast_sdk::{Error, state};

use crate::tree::{Ensemble, Kind, Missing, Node, Test, Tree};

/// Whose state it is.
pub const NAME: &str = "lightgbm";
const FORMAT: u32 = 1;
/// Where a state of local models has the number of its series, which is never 0.
const GLOBAL: u8 = 0;

/// Objectives whose forecast is the sum of the trees.
const SUMS: [&str; 6] = ["regression", "regression_l1", "huber", "fair", "quantile", "mape"];

/// Trees, and what a row has to be turned into before they are asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The trees.
    pub ensemble: Ensemble,
    /// Codes of the categorical columns; the trees know their positions.
    categories: Vec<(usize, Vec<u32>)>,
}

impl Saved {
    /// A row as the trees know it: positions for codes, NaN for codes that training has not seen.
    pub fn encode(&self, row: &[f64]) -> Vec<f64> {
        let mut row = row.to_vec();
        for (column, codes) in &self.categories {
            let position = codes.iter().position(|code| f64::from(*code).to_bits() == row[*column].to_bits());
            row[*column] = position.map_or(f64::NAN, |position| position as f64);
        }
        row
    }
}

/// Reads the state of a model of one series, or across series, that was fitted on so many columns.
pub fn read(bytes: &[u8], features: usize) -> Result<Saved, Error> {
    let (format, body) = state::open(NAME, bytes)?;
    if format != FORMAT {
        return Err(refused(format!("has format {format}, explained is format {FORMAT}")));
    }
    let text = match body {
        [GLOBAL, text @ ..] => text.to_vec(),
        models => crate::one_series(NAME, state::read::<Vec<Result<Vec<u8>, Error>>>(NAME, models)?)?,
    };
    read_text(std::str::from_utf8(&text).map_err(|e| refused(format!("is no text: {e}")))?, features)
}

fn refused(what: impl std::fmt::Display) -> Error {
    Error::artifact_mismatch(format!("the state of {NAME} {what}"))
}

/// Reads a model's text.
pub fn read_text(text: &str, features: usize) -> Result<Saved, Error> {
    let mut lines = text.lines();
    let header = section(&mut lines);
    let columns = number::<usize>(&header, "max_feature_idx")?.saturating_add(1);
    if columns != features {
        return Err(refused(format!("was fitted on {columns} columns, given are {features}")));
    }
    // Forests of LightGBM average their trees instead of adding them.
    if header.contains_key("average_output") {
        return Err(refused("averages its trees, which is not explained"));
    }
    let objective = value(&header, "objective")?;
    let mut trees = Vec::new();
    while let Some(line) = lines.next() {
        if line == "end of trees" {
            let link = (!SUMS.contains(&objective)).then(|| objective.to_owned());
            let categories = categories(text, features)?;
            return Ok(Saved { ensemble: Ensemble { start: 0.0, trees, link }, categories });
        }
        if line.starts_with("Tree=") {
            trees.push(tree(&section(&mut lines), features)?);
        }
    }
    Err(refused("ends within its trees"))
}

/// Lines up to the next empty one, by key.
fn section<'a>(lines: &mut Lines<'a>) -> HashMap<&'a str, &'a str> {
    lines.take_while(|line| !line.is_empty()).map(|line| line.split_once('=').unwrap_or((line, ""))).collect()
}

fn tree(section: &HashMap<&str, &str>, features: usize) -> Result<Tree, Error> {
    if number::<u8>(section, "is_linear")? != 0 {
        return Err(refused("has linear trees, which are not explained"));
    }
    let splits = number::<usize>(section, "num_leaves")?
        .checked_sub(1)
        .ok_or_else(|| refused("has a tree without leaves"))?;
    let values: Vec<f64> = list(section, "leaf_value", splits + 1)?;
    // A tree that is one leaf has nobody's rows counted.
    if splits == 0 {
        return Tree::new(vec![Node { kind: Kind::Leaf(values[0]), rows: 1 }], features);
    }
    let tests = tests(section, splits)?;
    let split_on: Vec<usize> = list(section, "split_feature", splits)?;
    let children: [Vec<i64>; 2] =
        [list(section, "left_child", splits)?, list(section, "right_child", splits)?];
    let (inner, outer) = (list(section, "internal_count", splits)?, list(section, "leaf_count", splits + 1)?);
    // Splits first, then leaves; leaf i is written as -(i + 1).
    let position = |child: i64| if child < 0 { splits + !child as usize } else { child as usize };
    let split = |(i, test): (usize, Test)| Kind::Split {
        feature: split_on[i],
        test,
        left: position(children[0][i]),
        right: position(children[1][i]),
    };
    let kinds = tests.into_iter().enumerate().map(split).chain(values.into_iter().map(Kind::Leaf));
    let rows = inner.into_iter().chain(outer);
    Tree::new(kinds.zip(rows).map(|(kind, rows)| Node { kind, rows }).collect(), features)
}

/// What every split asks. Bits of `decision_type`: 1 is a categorical split, 2 sends missing values left, 4 and 8 say
/// what is missing (nothing, 0, NaN).
fn tests(section: &HashMap<&str, &str>, splits: usize) -> Result<Vec<Test>, Error> {
    let thresholds: Vec<f64> = list(section, "threshold", splits)?;
    let decisions: Vec<u8> = list(section, "decision_type", splits)?;
    let sets = category_sets(section)?;
    let test = |(threshold, decision): (f64, u8)| {
        let left = decision & 2 != 0;
        let missing = match decision >> 2 {
            _ if decision & 1 != 0 => {
                let set = sets.get(threshold as usize).cloned();
                return set
                    .map(Test::OneOf)
                    .ok_or_else(|| refused("splits on categories that it does not list"));
            }
            0 => Missing::IsZero,
            1 => Missing::ZeroToo { left },
            2 => Missing::Nan { left },
            _ => return Err(refused(format!("has the decision type {decision}"))),
        };
        Ok(Test::UpTo(threshold, missing))
    };
    thresholds.into_iter().zip(decisions).map(test).collect()
}

/// Sets of categories as bits: set i is the words from `cat_boundaries[i]` to `cat_boundaries[i + 1]`.
fn category_sets(section: &HashMap<&str, &str>) -> Result<Vec<Vec<u32>>, Error> {
    let sets = number::<usize>(section, "num_cat")?;
    if sets == 0 {
        return Ok(Vec::new());
    }
    let boundaries: Vec<usize> = list(section, "cat_boundaries", sets.saturating_add(1))?;
    let words: Vec<u32> = list(section, "cat_threshold", *boundaries.last().unwrap_or(&0))?;
    let set = |pair: &[usize]| words.get(pair[0]..pair[1]).map(<[u32]>::to_vec);
    boundaries
        .windows(2)
        .map(|pair| set(pair).ok_or_else(|| refused("has sets of categories that overlap")))
        .collect()
}

/// The host's last line: column and codes, ascending, of every categorical column.
fn categories(text: &str, features: usize) -> Result<Vec<(usize, Vec<u32>)>, Error> {
    let Some(json) = text.lines().last().and_then(|line| line.strip_prefix("categories:")) else {
        return Ok(Vec::new());
    };
    let listed: Vec<(usize, Vec<u32>)> = serde_json::from_str(json)
        .map_err(|e| refused(format!("has a line of categories that cannot be read: {e}")))?;
    if listed.iter().any(|(column, _)| *column >= features) {
        return Err(refused("has categories of a column that does not exist"));
    }
    Ok(listed)
}

fn value<'a>(section: &HashMap<&str, &'a str>, key: &str) -> Result<&'a str, Error> {
    section.get(key).copied().ok_or_else(|| refused(format!("lacks `{key}`")))
}

fn number<T: FromStr>(section: &HashMap<&str, &str>, key: &str) -> Result<T, Error> {
    parse(key, value(section, key)?)
}

fn list<T: FromStr>(section: &HashMap<&str, &str>, key: &str, count: usize) -> Result<Vec<T>, Error> {
    let found: Vec<T> = value(section, key)?
        .split_ascii_whitespace()
        .map(|word| parse(key, word))
        .collect::<Result<_, _>>()?;
    if found.len() == count {
        Ok(found)
    } else {
        Err(refused(format!("has {} values in `{key}` instead of {count}", found.len())))
    }
}

fn parse<T: FromStr>(key: &str, word: &str) -> Result<T, Error> {
    word.parse().map_err(|_| refused(format!("has `{word}` in `{key}`")))
}
