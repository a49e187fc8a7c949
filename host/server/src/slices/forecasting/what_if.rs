//! Forecasts from a model file under changed inputs: what a planner's scenario is made of.

use retailcast_core::frame::{Exogenous, RowInputs};
use retailcast_core::{Day, Statics};
use retailcast_runtime::{Input, Lane};

use super::error::ForecastError;
use super::panel::Ahead;
use super::predict::{LoadedModel, Point, launch, origin};
use super::service::Forecasting;
use super::store::{self, Pair};
use crate::artifacts::{Bundle, Metadata};
use crate::compute;

/// Days from the first to the second, both included; none when the first is after the second.
pub type Window = (Day, Day);

/// What a planner changes of the inputs that feature models read. The default is no change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Unit price over the usual one, while the window lasts.
    pub price: Option<(f64, Window)>,
    /// A promotion.
    pub promotion: Option<Window>,
    /// Holidays beside those of the calendar.
    pub holidays: Vec<Day>,
}

/// A forecast, and for models that read features the same under the changes.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIf {
    /// The series that the model was trained on.
    pub store_id: i32,
    /// The series that the model was trained on.
    pub product_id: i32,
    /// Model type.
    pub model_type: String,
    /// Without changes: the usual price, no promotion, the calendar's holidays.
    pub baseline: Vec<Point>,
    /// With them; `None` for models that read the series alone and so cannot be asked.
    pub changed: Option<Vec<Point>>,
}

impl Forecasting {
    /// Forecasts twice from the model file of a training: once as if nothing changed, once under the changes.
    ///
    /// Beside the model file, which ends at its forecast origin, it reads the calendar of the days to come and nothing
    /// else: no sale after the origin can have a part in it, and recorded promotions have none.
    pub async fn what_if(
        &self,
        run_id: &str,
        horizon: usize,
        changes: Changes,
        request_id: &str,
    ) -> Result<WhatIf, ForecastError> {
        let bundle = self.models.read(&self.models.path_of_run(run_id)).await?;
        let model = self.model_of(&bundle)?;
        let origin = origin(&bundle)?;
        let known = match &bundle.metadata.feature_columns {
            Some(columns) => self.calendar_ahead(&bundle, columns, origin, horizon).await?,
            None => Exogenous::default(),
        };
        let call = self.call(request_id, origin);
        let lane = Lane::plugin(&bundle.plugin.name);
        compute::run(&self.compute, &lane, &call.clone(), move || {
            let mut loaded = LoadedModel::open(&*model, &bundle, &call)?;
            let ahead = |changes: &Changes| ahead(&bundle.metadata, &known, changes, origin + 1, horizon);
            let baseline = loaded.forecast(&bundle, ahead(&Changes::default()), horizon)?.0;
            let asked_again = match loaded.input {
                Input::Table { .. } => Some(loaded.forecast(&bundle, ahead(&changes), horizon)?.0),
                Input::Series => None,
            };
            Ok(WhatIf {
                store_id: bundle.metadata.store_id,
                product_id: bundle.metadata.product_id,
                model_type: bundle.plugin.name.clone(),
                baseline,
                changed: asked_again,
            })
        })
        .await?
    }

    /// The holidays of the horizon, and what does not change about the series.
    async fn calendar_ahead(
        &self,
        bundle: &Bundle,
        columns: &[String],
        origin: Day,
        horizon: usize,
    ) -> Result<Exogenous, ForecastError> {
        let Metadata { store_id, product_id, .. } = bundle.metadata;
        let holidays = store::calendar(&self.pool, origin + 1, origin + horizon as i32).await?.holidays;
        let statics = if columns.iter().any(|column| column == "category") {
            store::statics(&self.pool, Pair { store_id, product_id }).await?
        } else {
            Statics::of(store_id, product_id, None)
        };
        Ok(Exogenous {
            promotions: Vec::new(),
            holidays,
            statics: Statics { launch: launch(bundle)?, ..statics },
        })
    }
}

/// What the model reads of the days to come. Of sales it has those that the model file kept.
fn ahead(metadata: &Metadata, known: &Exogenous, changes: &Changes, start: Day, horizon: usize) -> Ahead {
    let covers = |(first, last): Window, day: Day| (first..=last).contains(&day);
    let row = |day: Day| RowInputs {
        day,
        price_factor: changes
            .price
            .filter(|(_, window)| covers(*window, day))
            .map_or(1.0, |(factor, _)| factor),
        promo_active: changes.promotion.is_some_and(|window| covers(window, day)),
        is_holiday: known.is_holiday(day) || changes.holidays.contains(&day),
    };
    Ahead {
        start,
        tail: metadata.history_tail.clone().unwrap_or_default(),
        gap: 0,
        rows: (0..horizon as i32).map(|j| row(start + j)).collect(),
        statics: known.statics,
    }
}

#[cfg(test)]
mod tests {
    use retailcast_core::frame::{CONTRACT_FRAME, Feature, Frame, LeakClass, future_frame};

    use super::*;

    const ORIGIN: Day = Day(20_000);
    const HORIZON: usize = 40;

    fn metadata() -> Metadata {
        Metadata {
            store_id: 1,
            product_id: 2,
            train_start_date: (ORIGIN + -89).to_string(),
            train_end_date: Some(ORIGIN.to_string()),
            n_observations: 90,
            feature_columns: Some(CONTRACT_FRAME.iter().map(Feature::name).collect()),
            history_tail: Some((1..=90).map(|i| f64::from(i) + 0.5).collect()),
            history_tail_dates: None,
            launch_date: Some(None),
        }
    }

    fn known() -> Exogenous {
        Exogenous { holidays: vec![ORIGIN + 3], ..Exogenous::default() }
    }

    fn frame(changes: &Changes) -> Frame {
        let ahead = ahead(&metadata(), &known(), changes, ORIGIN + 1, HORIZON);
        future_frame(&CONTRACT_FRAME, &ahead.tail, ahead.gap, &ahead.rows, &ahead.statics)
    }

    fn everything(first: i32, last: i32) -> Changes {
        let window = (ORIGIN + first, ORIGIN + last);
        Changes { price: Some((0.8, window)), promotion: Some(window), holidays: vec![ORIGIN + first] }
    }

    fn column(frame: &Frame, name: &str) -> Vec<f64> {
        let at = CONTRACT_FRAME.iter().position(|feature| feature.name() == name).unwrap();
        frame.column(at).to_vec()
    }

    /// NaN equals NaN.
    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn only_price_promotion_and_holiday_can_change() {
        let (without, with) = (frame(&Changes::default()), frame(&everything(2, 5)));
        for (at, feature) in CONTRACT_FRAME.iter().enumerate() {
            let same = bits(without.column(at)) == bits(with.column(at));
            let planned =
                feature.leak_class() == LeakClass::UnsafeUnlessSupplied || *feature == Feature::IsHoliday;
            assert_eq!(same, !planned, "{}", feature.name());
        }
        let days = |name: &str, frame: &Frame, wanted: f64| -> Vec<usize> {
            let column = column(frame, name);
            (0..HORIZON).filter(|j| column[*j].to_bits() == wanted.to_bits()).map(|j| j + 1).collect()
        };
        assert_eq!(days("price_factor", &with, 0.8), [2, 3, 4, 5]);
        assert_eq!(days("promo_active", &with, 1.0), [2, 3, 4, 5]);
        assert_eq!(days("is_holiday", &with, 1.0), [2, 3]);
        assert_eq!(days("is_holiday", &without, 1.0), [3]);
        assert_eq!(days("price_factor", &without, 1.0).len(), HORIZON);
    }

    #[test]
    fn a_window_that_ends_by_the_origin_changes_nothing() {
        assert_eq!(bits(&frame(&everything(-9, 0)).values), bits(&frame(&Changes::default()).values));
    }

    #[test]
    fn every_lag_is_of_the_tail_or_missing() {
        let tail = metadata().history_tail.unwrap();
        for (name, lag) in [("lag_1", 1), ("lag_7", 7), ("lag_14", 14), ("lag_28", 28)] {
            for (j, value) in (1..).zip(column(&frame(&everything(1, 40)), name)) {
                // Source position m + j - k, counted from 1.
                let expected = if j <= lag { tail[tail.len() + j - lag - 1] } else { f64::NAN };
                assert_eq!(value.to_bits(), expected.to_bits(), "{name} on day {j}");
            }
        }
    }
}
