//! Reads the `params` of a job. What does not fit is a [`Failure`] with the names of the contract.

use retailcast_core::Day;
use retailcast_core::config_schema::{FieldError, NormalisedConfig};
use retailcast_runtime::Catalogue;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use crate::http::fields;
use crate::slices::forecasting::{SeriesWindow, read_config};

/// The parameters of one job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Params<'a>(pub &'a Map<String, Value>);

impl<'a> Params<'a> {
    fn required(self, key: &str) -> Result<&'a Value, Failure> {
        self.0.get(key).ok_or_else(|| Failure::missing(key))
    }

    /// A database key. One that no row can have finds nothing later.
    fn id(self, key: &str) -> Result<i32, Failure> {
        let value = self.required(key)?;
        let id = integer(value).ok_or_else(|| wrong_kind(key, "an integer", value))?;
        i32::try_from(id).map_err(|_| Failure::value(format!("No data found: no {key} is {id}")))
    }

    fn day(self, key: &str) -> Result<Day, Failure> {
        let value = self.required(key)?;
        if !value.is_string() {
            return Err(wrong_kind(key, "a date as \"YYYY-MM-DD\"", value));
        }
        fields::date(value)
            .map(Day::from_date)
            .map_err(|(_, message)| Failure::value(format!("{key}: {message}")))
    }

    /// Series and window of a train or backtest job.
    pub(super) fn window(self) -> Result<SeriesWindow, Failure> {
        let (store_id, product_id) = (self.id("store_id")?, self.id("product_id")?);
        let (start, end) = (self.day("start_date")?, self.day("end_date")?);
        if end <= start {
            return Err(Failure::value(format!("end_date must be after start_date {start}, is {end}")));
        }
        Ok(SeriesWindow { store_id, product_id, start, end })
    }

    /// The model: its type, and those of the parameters that it declares.
    pub(super) fn model(self, catalogue: &Catalogue) -> Result<(String, NormalisedConfig), Failure> {
        let naive = json!("naive");
        let name = self.0.get("model_type").unwrap_or(&naive);
        let unsupported = || {
            let loaded = catalogue.model_types().join(", ");
            Failure::value(format!("unsupported model_type {}; loaded are {loaded}", fields::short(name)))
        };
        let model_type = name.as_str().ok_or_else(unsupported)?;
        let model = catalogue.model(model_type).map_err(|_| unsupported())?;
        let mut config = Map::from_iter([("model_type".to_owned(), name.clone())]);
        for field in model.config_schema().field_names() {
            if let Some(value) = self.0.get(field) {
                config.insert(field.to_owned(), value.clone());
            }
        }
        read_config(&Value::Object(config), "", catalogue).map_err(|errors| {
            let place = format!(".{model_type}.");
            let here = |error: FieldError| FieldError {
                field: error.field.strip_prefix(&place).map(str::to_owned).unwrap_or(error.field),
                ..error
            };
            Failure::invalid(&errors.into_iter().map(here).collect::<Vec<_>>())
        })
    }

    /// The id of a trained model.
    pub(super) fn run_id(self) -> Result<&'a str, Failure> {
        let value = self.required("run_id")?;
        value.as_str().ok_or_else(|| wrong_kind("run_id", "a string", value))
    }

    /// Days to forecast, 1 to `most`.
    pub(super) fn horizon(self, default: usize, most: usize) -> Result<usize, Failure> {
        let Some(value) = self.0.get("horizon") else { return Ok(default) };
        let days = integer(value).ok_or_else(|| wrong_kind("horizon", "an integer", value))?;
        let fitting = usize::try_from(days).ok().filter(|days| (1..=most).contains(days));
        fitting.ok_or_else(|| Failure::value(format!("horizon must be 1 to {most}, is {days}")))
    }
}

fn wrong_kind(key: &str, wanted: &str, value: &Value) -> Failure {
    Failure::kind(key, &format!("must be {wanted}, got {}", fields::short(value)))
}

/// A JSON integer; one of more than 64 bits saturates, and is out of every range.
fn integer(value: &Value) -> Option<i64> {
    let number = value.as_number()?;
    match number.as_i64() {
        Some(integer) => Some(integer),
        None if number.is_u64() => Some(i64::MAX),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_the_contract_s_name_and_names_its_key() {
        let good =
            json!({"store_id": 1, "product_id": 2, "start_date": "2024-01-01", "end_date": "2024-02-01"});
        assert!(Params(good.as_object().unwrap()).window().is_ok());
        for (key, value, error_type) in [
            ("store_id", None, "KeyError"),
            ("product_id", None, "KeyError"),
            ("start_date", None, "KeyError"),
            ("end_date", None, "KeyError"),
            ("store_id", Some(json!("1")), "TypeError"),
            ("store_id", Some(json!(null)), "TypeError"),
            ("store_id", Some(json!(true)), "TypeError"),
            ("product_id", Some(json!(1.5)), "TypeError"),
            ("product_id", Some(json!(u64::MAX)), "ValueError"),
            ("start_date", Some(json!(2024)), "TypeError"),
            ("start_date", Some(json!("01.02.2024")), "ValueError"),
            ("end_date", Some(json!("2024-01-01")), "ValueError"),
        ] {
            let mut params = good.clone();
            match value {
                Some(value) => params[key] = value,
                None => drop(params.as_object_mut().unwrap().remove(key)),
            }
            let failure = Params(params.as_object().unwrap()).window().unwrap_err();
            assert_eq!(failure.error_type, error_type, "{params}");
            assert!(failure.message.contains(key), "{failure:?}");
        }
    }

    #[test]
    fn horizons() {
        let read = |params: Value| Params(params.as_object().unwrap()).horizon(14, 90);
        assert_eq!(read(json!({})), Ok(14));
        assert_eq!(read(json!({"horizon": 90})), Ok(90));
        for (value, error_type) in [
            (json!(0), "ValueError"),
            (json!(91), "ValueError"),
            (json!("7"), "TypeError"),
            (json!(null), "TypeError"),
        ] {
            assert_eq!(read(json!({"horizon": value})).unwrap_err().error_type, error_type);
        }
    }
}
