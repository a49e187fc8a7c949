//! What becomes of nulls before anything is computed (`featuresets.md`, "0. Imputation").

use super::config::{ImputationConfig, Strategy};
use super::input::{InputFrame, NumberColumn};

/// Applies the strategies, in their order; those of columns that do not exist are skipped.
pub(super) fn impute(frame: &mut InputFrame, config: &ImputationConfig) {
    let strategies = config.strategies.iter();
    for (column, strategy) in strategies.filter_map(|(name, s)| Some((NumberColumn::named(name)?, *s))) {
        if strategy == Strategy::Drop {
            frame.drop_nulls(column);
            continue;
        }
        for group in frame.groups() {
            fill(&mut frame.column_mut(column)[group], strategy);
        }
    }
}

fn fill(values: &mut [f64], strategy: Strategy) {
    match strategy {
        Strategy::Zero => constant(values, 0.0),
        Strategy::Ffill => carry(values.iter_mut()),
        Strategy::Bfill => carry(values.iter_mut().rev()),
        Strategy::Mean => constant(values, Mean::default().of(values)),
        Strategy::ExpandingMean => expanding_mean(values),
        Strategy::Drop => {} // acts on rows, not on values
    }
}

fn constant(values: &mut [f64], constant: f64) {
    values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = constant);
}

/// Every null becomes the value that came before it.
fn carry<'v>(values: impl Iterator<Item = &'v mut f64>) {
    let mut last = f64::NAN;
    for value in values {
        if value.is_nan() {
            *value = last;
        } else {
            last = *value;
        }
    }
}

fn expanding_mean(values: &mut [f64]) {
    let mut mean = Mean::default();
    for value in values {
        if value.is_nan() {
            *value = mean.value();
        } else {
            mean.add(*value);
        }
    }
}

/// The mean of the values so far; NaN without any.
#[derive(Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    fn value(&self) -> f64 {
        self.sum / self.count
    }

    fn of(mut self, values: &[f64]) -> f64 {
        values.iter().filter(|value| !value.is_nan()).for_each(|value| self.add(*value));
        self.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    #[track_caller]
    fn check(strategy: Strategy, before: &[f64], after: &[f64]) {
        let mut values = before.to_vec();
        fill(&mut values, strategy);
        let bits = |values: &[f64]| {
            values.iter().map(|v| if v.is_nan() { None } else { Some(v.to_bits()) }).collect::<Vec<_>>()
        };
        assert_eq!(bits(&values), bits(after), "{strategy:?}: {values:?}");
    }

    #[test]
    fn each_strategy_on_a_column_with_nulls() {
        let column = [NAN, 2.0, NAN, NAN, 5.0, NAN];
        check(Strategy::Zero, &column, &[0.0, 2.0, 0.0, 0.0, 5.0, 0.0]);
        check(Strategy::Ffill, &column, &[NAN, 2.0, 2.0, 2.0, 5.0, 5.0]);
        check(Strategy::Bfill, &column, &[2.0, 2.0, 5.0, 5.0, 5.0, NAN]);
        check(Strategy::Mean, &column, &[3.5, 2.0, 3.5, 3.5, 5.0, 3.5]);
        check(Strategy::ExpandingMean, &column, &[NAN, 2.0, 2.0, 2.0, 5.0, 3.5]);
    }

    #[test]
    fn nothing_comes_of_nothing() {
        for strategy in [Strategy::Ffill, Strategy::Bfill, Strategy::Mean, Strategy::ExpandingMean] {
            check(strategy, &[NAN, NAN], &[NAN, NAN]);
        }
    }
}
