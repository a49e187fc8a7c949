//! Parameters that a plugin may set. The host keeps threads, determinism and seeds for itself.

use super::{MAX_DEPTH, MAX_FEATURES, MAX_LEAVES};

/// Most boosting rounds of one training.
pub const MAX_ROUNDS: u32 = 10_000;

/// What a plugin may train for: one number per row.
pub(super) const OBJECTIVES: &[&str] =
    &["regression", "regression_l1", "huber", "fair", "poisson", "quantile", "mape", "gamma", "tweedie"];

/// Names that a plugin may set, each with what its value must be. Anything that names a file, a device, a network
/// or a thread is not here.
const ALLOWED: &[(&str, Value)] = &[
    ("objective", Value::OneOf(OBJECTIVES)),
    ("num_iterations", Value::Int(1, MAX_ROUNDS as i64)),
    ("learning_rate", Value::Float(1e-6, 10.0)),
    ("num_leaves", Value::Int(2, MAX_LEAVES)),
    ("max_depth", Value::Int(-1, MAX_DEPTH as i64)),
    ("min_data_in_leaf", Value::Int(0, i32::MAX as i64)),
    ("min_sum_hessian_in_leaf", Value::Float(0.0, f64::MAX)),
    ("min_gain_to_split", Value::Float(0.0, f64::MAX)),
    ("lambda_l1", Value::Float(0.0, f64::MAX)),
    ("lambda_l2", Value::Float(0.0, f64::MAX)),
    ("linear_lambda", Value::Float(0.0, f64::MAX)),
    ("bagging_fraction", Value::Float(1e-6, 1.0)),
    ("bagging_freq", Value::Int(0, 10_000)),
    ("feature_fraction", Value::Float(1e-6, 1.0)),
    ("feature_fraction_bynode", Value::Float(1e-6, 1.0)),
    ("extra_trees", Value::Bool),
    ("max_bin", Value::Int(2, 65_535)),
    ("min_data_in_bin", Value::Int(1, i32::MAX as i64)),
    ("max_delta_step", Value::Float(0.0, f64::MAX)),
    ("path_smooth", Value::Float(0.0, f64::MAX)),
    ("alpha", Value::Float(1e-6, 1.0)),
    ("fair_c", Value::Float(1e-6, f64::MAX)),
    ("poisson_max_delta_step", Value::Float(1e-6, f64::MAX)),
    ("tweedie_variance_power", Value::Float(1.0, 1.999_999)),
    ("reg_sqrt", Value::Bool),
    ("boost_from_average", Value::Bool),
    ("use_missing", Value::Bool),
    ("zero_as_missing", Value::Bool),
    ("categorical_feature", Value::Columns),
    ("cat_l2", Value::Float(0.0, f64::MAX)),
    ("cat_smooth", Value::Float(0.0, f64::MAX)),
    ("max_cat_threshold", Value::Int(1, i32::MAX as i64)),
    ("max_cat_to_onehot", Value::Int(1, i32::MAX as i64)),
    ("min_data_per_group", Value::Int(1, i32::MAX as i64)),
];

#[derive(Debug, Clone, Copy)]
enum Value {
    Int(i64, i64),
    Float(f64, f64),
    Bool,
    OneOf(&'static [&'static str]),
    /// Columns by number, ascending, with commas between.
    Columns,
}

impl Value {
    fn accepts(self, text: &str) -> bool {
        match self {
            Self::Int(least, most) => text.parse::<i64>().is_ok_and(|v| (least..=most).contains(&v)),
            Self::Float(least, most) => text.parse::<f64>().is_ok_and(|v| (least..=most).contains(&v)),
            Self::Bool => matches!(text, "true" | "false"),
            Self::OneOf(values) => values.contains(&text),
            Self::Columns => columns(text).is_some(),
        }
    }

    fn expected(self) -> String {
        match self {
            Self::Int(least, most) => format!("an integer from {least} to {most}"),
            Self::Float(least, most) => format!("a number from {least} to {most}"),
            Self::Bool => "true or false".to_owned(),
            Self::OneOf(values) => format!("one of {}", values.join(", ")),
            Self::Columns => {
                format!("columns by number from 0 to {}, ascending, as in 8,9,10", MAX_FEATURES - 1)
            }
        }
    }
}

/// The columns of a list, if it is one. LightGBM reads names and files there too; this takes numbers alone.
fn columns(text: &str) -> Option<Vec<usize>> {
    let number =
        |word: &str| word.parse().ok().filter(|n: &usize| *n < MAX_FEATURES && n.to_string() == word);
    let columns: Vec<usize> = text.split(',').map(number).collect::<Option<_>>()?;
    columns.is_sorted_by(|a, b| a < b).then_some(columns)
}

/// Why parameters are refused, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// A name that is not allowed, or a value out of range.
    #[error("{0}")]
    Invalid(String),
    /// More rounds than the host trains.
    #[error("{0}")]
    Unsupported(String),
}

/// Checked parameters in LightGBM's own notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    /// Boosting rounds.
    pub rounds: u32,
    /// Columns that hold codes, ascending.
    pub categorical: Vec<usize>,
    text: String,
}

impl Params {
    /// Checks the plugin's parameters and adds the host's. The error says which one is refused and what it may be.
    pub fn new(given: &[(String, String)], seed: u64) -> Result<Self, ParamError> {
        // Seeds are 32-bit integers in LightGBM. Threads are the host's (`threads.rs`), and 0 leaves them to it: the
        // same data gives the same trees, and the same text, whatever their number is.
        let seed = (seed & 0x7fff_ffff) as u32;
        let mut text = format!(
            "verbosity=-1 num_threads=0 deterministic=true force_row_wise=true seed={seed} data_random_seed={seed}"
        );
        let mut rounds = 100;
        let mut leaves: u32 = 31;
        let mut depth = MAX_DEPTH;
        let mut categorical = Vec::new();
        let invalid = ParamError::Invalid;
        for (name, value) in given {
            let Some((_, allowed)) = ALLOWED.iter().find(|(allowed, _)| allowed == name) else {
                let names: Vec<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
                let names = names.join(", ");
                return Err(invalid(format!(
                    "LightGBM parameter `{name}` is not allowed; allowed are {names}"
                )));
            };
            // The contract tells a number that nobody could train from one that this host does not.
            if name == "num_iterations"
                && value.parse::<i64>().is_ok_and(|rounds| rounds > i64::from(MAX_ROUNDS))
            {
                return Err(ParamError::Unsupported(format!(
                    "LightGBM parameter `{name}` = `{value}`: this host trains at most {MAX_ROUNDS} rounds"
                )));
            }
            if !allowed.accepts(value) {
                let expected = allowed.expected();
                return Err(invalid(format!("LightGBM parameter `{name}` = `{value}` must be {expected}")));
            }
            match name.as_str() {
                "num_iterations" => {
                    rounds = value.parse().map_err(|_| invalid(format!("`{value}` rounds")))?;
                }
                "num_leaves" => leaves = value.parse().map_err(|_| invalid(format!("`{value}` leaves")))?,
                // -1 and 0 are no limit for LightGBM; the host has one.
                "max_depth" => depth = value.parse().ok().filter(|depth| *depth > 0).unwrap_or(MAX_DEPTH),
                "categorical_feature" => {
                    categorical = columns(value).unwrap_or_default();
                    text.extend([" ", name, "=", value]);
                }
                _ => text.extend([" ", name, "=", value]),
            }
        }
        // Both, because LightGBM warns on standard output of a depth without a number of leaves.
        Ok(Self { rounds, categorical, text: format!("{text} num_leaves={leaves} max_depth={depth}") })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn takes_what_is_allowed() {
        let params = Params::new(&given("num_iterations", "7"), 42).unwrap();
        assert_eq!(params.rounds, 7);
        assert!(
            Params::new(&given("learning_rate", "0.05"), 42).unwrap().text().contains("learning_rate=0.05")
        );
    }

    #[test]
    fn categorical_columns_are_read() {
        let params = Params::new(&given("categorical_feature", "0,8,10"), 42).unwrap();
        assert_eq!(params.categorical, [0, 8, 10]);
        assert!(params.text().contains(" categorical_feature=0,8,10 "));
    }

    #[test]
    fn refuses_files_threads_and_smuggled_parameters() {
        for (name, value) in [
            ("output_model", "/tmp/x"),
            ("num_threads", "64"),
            ("device_type", "gpu"),
            ("learning_rate", "0.1 num_threads=64"),
            ("num_iterations", "0"),
            ("objective", "binary"),
            ("learning_rate", "NaN"),
            ("categorical_feature", "name:store"),
            ("categorical_feature", "2,1"),
            ("categorical_feature", "1,1"),
            ("categorical_feature", "01"),
            ("categorical_feature", "1,"),
            ("categorical_feature", "10000"),
        ] {
            let refusal = Params::new(&given(name, value), 42).unwrap_err();
            assert!(matches!(&refusal, ParamError::Invalid(text) if text.contains(name)), "{refusal}");
        }
    }

    #[test]
    fn more_rounds_than_the_host_trains_are_unsupported_and_not_invalid() {
        let refusal = Params::new(&given("num_iterations", "10001"), 42).unwrap_err();
        assert!(
            matches!(&refusal, ParamError::Unsupported(text) if text.contains("10000 rounds")),
            "{refusal}"
        );
    }

    #[test]
    fn trees_are_never_deeper_than_the_host_can_recurse() {
        for (given, text) in [
            (vec![], "max_depth=1000"),
            (given("max_depth", "-1"), "max_depth=1000"),
            (given("max_depth", "0"), "max_depth=1000"),
            (given("max_depth", "6"), "max_depth=6"),
        ] {
            assert!(Params::new(&given, 42).unwrap().text().ends_with(text), "{given:?}");
        }
    }
}
