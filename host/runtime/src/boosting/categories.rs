//! Codes of categorical columns.
//!
//! LightGBM keeps a split on categories as a bit per number up to the largest, and a key of a database may be
//! two thousand million. So it is given positions: a code's place in the sorted list of those that training saw. The
//! list travels behind the model's text, as LightGBM's own Python package keeps its `pandas_categorical` there.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{BoosterError, MAX_CODES, MAX_FEATURES};

/// The categorical columns of a model, ascending by column: number of the column, and its codes, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Categories(Vec<(usize, Vec<u32>)>);

/// What the line begins with.
const KEY: &str = "categories:";

impl Categories {
    /// The codes that these columns of a matrix (column after column) hold.
    pub(super) fn learn(columns: &[f64], rows: usize, categorical: &[usize]) -> Result<Self, BoosterError> {
        let features = columns.len() / rows.max(1);
        let learn = |column: &usize| {
            if *column >= features {
                return Err(BoosterError::Codes(format!(
                    "categorical_feature names column {column}, the last one is {}",
                    features.saturating_sub(1)
                )));
            }
            Ok((*column, codes(*column, &columns[column * rows..(column + 1) * rows])?))
        };
        categorical.iter().map(learn).collect::<Result<_, _>>().map(Self)
    }

    /// Number of the categorical columns.
    pub(super) fn columns(&self) -> Vec<usize> {
        self.0.iter().map(|(column, _)| *column).collect()
    }

    /// The matrix with positions for codes, and NaN for codes that training has not seen.
    pub(super) fn encode<'a>(&self, columns: &'a [f64], rows: usize) -> Cow<'a, [f64]> {
        if self.0.is_empty() {
            return Cow::Borrowed(columns);
        }
        let mut encoded = columns.to_vec();
        for (column, codes) in &self.0 {
            // Rows of one series stand together and share their codes.
            let mut last = (f64::NAN, f64::NAN);
            for cell in &mut encoded[column * rows..(column + 1) * rows] {
                if cell.to_bits() != last.0.to_bits() {
                    let position = code(*cell).and_then(|code| codes.binary_search(&code).ok());
                    last = (*cell, position.map_or(f64::NAN, |position| position as f64));
                }
                *cell = last.1;
            }
        }
        Cow::Owned(encoded)
    }

    /// The line behind the model's text; nothing without categorical columns.
    pub(super) fn line(&self) -> String {
        if self.0.is_empty() { String::new() } else { format!("{KEY}{}\n", serde_json::json!(self.0)) }
    }

    /// Parts a saved model into LightGBM's text and what stands behind it. The error says what is wrong with the line.
    pub(super) fn split(saved: &str) -> Result<(&str, Self), String> {
        let start = saved.strip_suffix('\n').and_then(|text| text.rfind('\n')).map_or(0, |at| at + 1);
        let (text, line) = saved.split_at(start);
        let Some(json) = line.strip_prefix(KEY) else { return Ok((saved, Self::default())) };
        let read = serde_json::from_str(json.trim_end()).map(Self);
        let categories = read.map_err(|e| format!("the line `{KEY}` cannot be read: {e}"))?;
        // Written in any other way it is not what this host wrote.
        if categories.line() == line && categories.is_sound() {
            Ok((text, categories))
        } else {
            Err(format!("the line `{KEY}` does not list columns and codes in ascending order"))
        }
    }

    fn is_sound(&self) -> bool {
        self.0.is_sorted_by(|a, b| a.0 < b.0)
            && self.0.iter().all(|(column, codes)| {
                *column < MAX_FEATURES && codes.len() <= MAX_CODES && codes.is_sorted_by(|a, b| a < b)
            })
    }
}

/// The codes of one column.
fn codes(column: usize, cells: &[f64]) -> Result<Vec<u32>, BoosterError> {
    let mut codes = BTreeSet::new();
    let mut last = f64::NAN;
    for cell in cells.iter().copied().filter(|cell| !cell.is_nan()) {
        if cell.to_bits() == last.to_bits() {
            continue;
        }
        last = cell;
        let code = code(cell).ok_or_else(|| {
            BoosterError::Codes(format!(
                "column {column} is categorical and holds {cell}; codes are whole numbers from 0 to {}",
                u32::MAX
            ))
        })?;
        codes.insert(code);
    }
    if codes.len() > MAX_CODES {
        return Err(BoosterError::Codes(format!(
            "column {column} has {} codes, a categorical column has at most {MAX_CODES}",
            codes.len()
        )));
    }
    Ok(codes.into_iter().collect())
}

/// A cell as a code, if it is one.
fn code(cell: f64) -> Option<u32> {
    // A cast that changes the number (fraction, sign, size, NaN) shows.
    let code = cell as u32;
    (f64::from(code).to_bits() == cell.to_bits()).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_positions_and_strangers_nan() {
        let matrix = [0.5, 0.5, 0.5, 7.0, 4_000_000_000.0, f64::NAN];
        let categories = Categories::learn(&matrix, 3, &[1]).unwrap();
        assert_eq!(categories.columns(), [1]);
        assert_eq!(categories.encode(&matrix, 3)[..5], [0.5, 0.5, 0.5, 0.0, 1.0]);
        let strangers = categories.encode(&[0.5, 0.5, 8.0, 7.5], 2);
        assert!(strangers[2..].iter().all(|cell| cell.is_nan()));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for cell in [-1.0, 0.5, 4_294_967_296.0, f64::INFINITY, -0.0] {
            assert!(Categories::learn(&[1.0, cell], 2, &[0]).is_err(), "{cell}");
        }
        assert!(Categories::learn(&[1.0, 1.0], 2, &[1]).is_err(), "no such column");
    }

    #[test]
    fn the_line_is_read_as_it_was_written_and_in_no_other_way() {
        let categories = Categories(vec![(1, vec![7, 9]), (3, vec![])]);
        let saved = format!("tree\nend\n{}", categories.line());
        assert_eq!(Categories::split(&saved), Ok(("tree\nend\n", categories)));
        assert_eq!(Categories::split("tree\nend\n"), Ok(("tree\nend\n", Categories::default())));
        for line in [
            "[[1,[9,7]]]",
            "[[1,[7,7]]]",
            "[[3,[]],[1,[]]]",
            "[[1,[7]],[1,[7]]]",
            "[[1, [7]]]",
            "[]",
            "[[1,[-1]]]",
            "[[10000,[1]]]",
            "[[1,[4294967296]]]",
            "7",
            "",
        ] {
            assert!(Categories::split(&format!("tree\n{KEY}{line}\n")).is_err(), "{line}");
        }
    }
}
