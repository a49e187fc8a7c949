//! The file of `retailcast seed generate --parameters`.

use std::collections::BTreeMap;
use std::path::Path;

use retailcast_core::Day;
use retailcast_core::seeder::parameters::{SpecialHoliday, StockoutBehavior, Trend};
use retailcast_core::seeder::{Parameters, Window};
use serde::Deserialize;

use crate::cli::CliError;

/// What a file may say; what it does not say stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    stores: Option<usize>,
    products: Option<usize>,
    start_date: Option<String>,
    end_date: Option<String>,
    lists: Lists,
    time_series: TimeSeries,
    retail: Retail,
    sparsity: Sparsity,
    holidays: Option<Vec<Holiday>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Lists {
    regions: Option<Vec<String>>,
    store_types: Option<Vec<String>>,
    categories: Option<Vec<String>>,
    brands: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TimeSeries {
    base_demand: Option<f64>,
    trend: Option<TrendName>,
    trend_slope: Option<f64>,
    weekly: Option<[f64; 7]>,
    monthly: BTreeMap<String, f64>,
    noise_sigma: Option<f64>,
    anomaly_probability: Option<f64>,
    anomaly_magnitude: Option<f64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TrendName {
    None,
    Linear,
    Exponential,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Retail {
    promotion_lift: Option<f64>,
    stockout_behavior: Option<BehaviorName>,
    price_elasticity: Option<f64>,
    new_product_ramp_days: Option<u32>,
    promotion_probability: Option<f64>,
    stockout_probability: Option<f64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BehaviorName {
    Zero,
    Backlog,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sparsity {
    missing_combinations_pct: Option<f64>,
    random_gaps_per_series: Option<u32>,
    gap_min_days: Option<u32>,
    gap_max_days: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    date: String,
    name: String,
    multiplier: f64,
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<File, CliError> {
    let refuse =
        |e: &dyn std::fmt::Display| CliError::Refused(format!("--parameters {}: {e}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| refuse(&e))?;
    toml::from_str(&text).map_err(|e| refuse(&e))
}

fn day(key: &str, text: &str) -> Result<Day, String> {
    text.parse().map_err(|_| format!("`{key}`: `{text}` is not a date as \"YYYY-MM-DD\""))
}

/// Takes a value over when the file has it and it is within bounds.
fn set<T: Copy + PartialOrd + std::fmt::Display>(
    key: &str,
    value: Option<T>,
    least: T,
    most: T,
    to: &mut T,
) -> Result<(), String> {
    let Some(value) = value else { return Ok(()) };
    // Written so that NaN is outside.
    if !(value >= least && value <= most) {
        return Err(format!("`{key}`: {value} is out of range, allowed is {least} to {most}"));
    }
    *to = value;
    Ok(())
}

fn names(key: &str, names: Option<Vec<String>>, most: usize, to: &mut Vec<String>) -> Result<(), String> {
    let Some(names) = names else { return Ok(()) };
    if names.is_empty() {
        return Err(format!("`{key}`: must have at least one name"));
    }
    if let Some(long) = names.iter().find(|name| name.chars().count() > most || name.contains('\0')) {
        return Err(format!("`{key}`: `{long}` is not a text of at most {most} characters"));
    }
    *to = names;
    Ok(())
}

impl File {
    /// Puts what the file says into the parameters.
    pub(super) fn apply(self, to: &mut Parameters) -> Result<(), String> {
        set("stores", self.stores, 1, 100, &mut to.stores)?;
        set("products", self.products, 1, 500, &mut to.products)?;
        let first = self.start_date.map_or(Ok(to.window.first()), |text| day("start_date", &text))?;
        let last = self.end_date.map_or(Ok(to.window.last()), |text| day("end_date", &text))?;
        to.window = Window::new(first, last)
            .ok_or_else(|| format!("`end_date`: {last} is before the first day, {first}"))?;
        // As long as the columns; brands stand in product names as well.
        names("lists.regions", self.lists.regions, 50, &mut to.lists.regions)?;
        names("lists.store_types", self.lists.store_types, 30, &mut to.lists.store_types)?;
        names("lists.categories", self.lists.categories, 100, &mut to.lists.categories)?;
        names("lists.brands", self.lists.brands, 100, &mut to.lists.brands)?;
        self.time_series.apply(&mut to.time_series)?;
        self.retail.apply(&mut to.retail)?;
        self.sparsity.apply(&mut to.sparsity)?;
        if let Some(holidays) = self.holidays {
            let holiday = |h: Holiday| {
                let mut multiplier = 1.0;
                set("holidays.multiplier", Some(h.multiplier), 0.0, 1e6, &mut multiplier)?;
                if h.name.chars().count() > 100 {
                    return Err(format!("`holidays.name`: `{}` has more than 100 characters", h.name));
                }
                Ok(SpecialHoliday { day: day("holidays.date", &h.date)?, name: h.name, multiplier })
            };
            to.holidays = holidays.into_iter().map(holiday).collect::<Result<_, String>>()?;
        }
        Ok(())
    }
}

impl TimeSeries {
    fn apply(self, to: &mut retailcast_core::seeder::parameters::TimeSeries) -> Result<(), String> {
        set("time_series.base_demand", self.base_demand, 0.0, 1e9, &mut to.base_demand)?;
        if let Some(trend) = self.trend {
            to.trend = match trend {
                TrendName::None => Trend::None,
                TrendName::Linear => Trend::Linear,
                TrendName::Exponential => Trend::Exponential,
            };
        }
        set("time_series.trend_slope", self.trend_slope, -10.0, 10.0, &mut to.trend_slope)?;
        if let Some(weekly) = self.weekly {
            for (factor, to) in weekly.into_iter().zip(&mut to.weekly) {
                set("time_series.weekly", Some(factor), 0.0, 1e6, to)?;
            }
        }
        for (month, factor) in self.monthly {
            let to = month.parse::<usize>().ok().and_then(|month| to.monthly.get_mut(month.checked_sub(1)?));
            let to =
                to.ok_or_else(|| format!("`time_series.monthly`: `{month}` is no month, which are 1 to 12"))?;
            set("time_series.monthly", Some(factor), 0.0, 1e6, to)?;
        }
        set("time_series.noise_sigma", self.noise_sigma, 0.0, 10.0, &mut to.noise_sigma)?;
        set(
            "time_series.anomaly_probability",
            self.anomaly_probability,
            0.0,
            1.0,
            &mut to.anomaly_probability,
        )?;
        set("time_series.anomaly_magnitude", self.anomaly_magnitude, 0.001, 1e6, &mut to.anomaly_magnitude)
    }
}

impl Retail {
    fn apply(self, to: &mut retailcast_core::seeder::parameters::Retail) -> Result<(), String> {
        set("retail.promotion_lift", self.promotion_lift, 0.0, 1e6, &mut to.promotion_lift)?;
        if let Some(behavior) = self.stockout_behavior {
            to.stockout_behavior = match behavior {
                BehaviorName::Zero => StockoutBehavior::Zero,
                BehaviorName::Backlog => StockoutBehavior::Backlog,
            };
        }
        set("retail.price_elasticity", self.price_elasticity, -100.0, 100.0, &mut to.price_elasticity)?;
        let ramp = &mut to.new_product_ramp_days;
        set("retail.new_product_ramp_days", self.new_product_ramp_days, 0, 3_650, ramp)?;
        set(
            "retail.promotion_probability",
            self.promotion_probability,
            0.0,
            1.0,
            &mut to.promotion_probability,
        )?;
        set("retail.stockout_probability", self.stockout_probability, 0.0, 1.0, &mut to.stockout_probability)
    }
}

impl Sparsity {
    fn apply(self, to: &mut retailcast_core::seeder::parameters::Sparsity) -> Result<(), String> {
        let missing = &mut to.missing_combinations;
        set("sparsity.missing_combinations_pct", self.missing_combinations_pct, 0.0, 1.0, missing)?;
        let gaps = &mut to.gaps_per_series;
        set("sparsity.random_gaps_per_series", self.random_gaps_per_series, 0, 10_000, gaps)?;
        set("sparsity.gap_min_days", self.gap_min_days, 1, 36_500, &mut to.gap_days.0)?;
        set("sparsity.gap_max_days", self.gap_max_days, 1, 36_500, &mut to.gap_days.1)?;
        if to.gap_days.0 > to.gap_days.1 {
            return Err(format!(
                "`sparsity.gap_max_days`: {} is less than gap_min_days, {}",
                to.gap_days.1, to.gap_days.0
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_core::seeder::Scenario;

    fn applied(text: &str) -> Result<Parameters, String> {
        let mut parameters = Scenario::RetailStandard.parameters(Day(20_545));
        toml::from_str::<File>(text).map_err(|e| e.to_string())?.apply(&mut parameters)?;
        Ok(parameters)
    }

    #[test]
    fn what_a_file_says_wins_and_the_rest_stays() {
        let found = applied(
            "stores = 3\nstart_date = \"2026-01-01\"\n[lists]\nregions = [\"Nord\"]\n[time_series]\ntrend = \"exponential\"\n\
             weekly = [1, 1, 1, 1, 1, 1, 2]\nmonthly = { 11 = 1.3 }\n[retail]\nstockout_behavior = \"backlog\"\n\
             [sparsity]\ngap_max_days = 9\n[[holidays]]\ndate = \"2026-02-01\"\nname = \"Fair\"\nmultiplier = 2",
        )
        .unwrap();
        assert_eq!(
            (found.stores, found.products, found.lists.regions.as_slice()),
            (3, 50, &["Nord".to_owned()][..])
        );
        assert_eq!((found.time_series.trend, found.time_series.monthly[10]), (Trend::Exponential, 1.3));
        assert_eq!((found.sparsity.gap_days, found.holidays.len()), ((1, 9), 1));
        assert_eq!(found.retail.stockout_behavior, StockoutBehavior::Backlog);
        assert!((found.time_series.noise_sigma - 0.15).abs() < 1e-12);
    }

    #[test]
    fn refusals_name_the_key() {
        for (text, word) in [
            ("stores = 0", "stores"),
            ("shops = 1", "shops"),
            ("end_date = \"2020-01-01\"", "end_date"),
            ("start_date = \"1.1.2020\"", "start_date"),
            ("[time_series]\nmonthly = { 13 = 1.0 }", "monthly"),
            ("[time_series]\nnoise_sigma = nan", "noise_sigma"),
            ("[retail]\nstockout_behavior = \"none\"", "backlog"),
            ("[sparsity]\ngap_min_days = 8", "gap_max_days"),
            ("[lists]\nbrands = []", "brands"),
        ] {
            let said = applied(text).unwrap_err();
            assert!(said.contains(word), "{said}");
        }
    }
}
