//! The body of `POST /seeder/generate`. A field that is absent takes the preset's value, one that is present wins.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use indexmap::IndexMap;
use retailcast_core::Day;
use retailcast_core::config_schema::FieldError;
use retailcast_core::seeder::channels::{Channel, ChannelOptions};
use retailcast_core::seeder::parameters::{Changepoint, Features, MarkdownTrigger, Substitution};
use retailcast_core::seeder::{Scenario, Window};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::service::SeedOrder;
use crate::http::fields::{self, Fields, Reading};

/// What to generate. Every field is optional.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"scenario": "stockout_heavy", "seed": 7, "stores": 4, "products": 12,
    "start_date": "2026-01-01", "end_date": "2026-03-31", "enable_returns": true}))]
pub(super) struct GenerateBody {
    /// A preset; `GET /seeder/scenarios` lists them.
    #[schema(default = "retail_standard")]
    scenario: Option<String>,
    /// The same seed and parameters on the same database give the same data.
    #[schema(default = 42, minimum = 0)]
    seed: Option<u64>,
    /// Stores to make; the preset's number when absent.
    #[schema(minimum = 1, maximum = 100)]
    stores: Option<u32>,
    /// Products to make; the preset's number when absent.
    #[schema(minimum = 1, maximum = 500)]
    products: Option<u32>,
    /// First day; the preset's when absent.
    start_date: Option<NaiveDate>,
    /// Last day; the preset's when absent.
    end_date: Option<NaiveDate>,
    /// Share of store and product pairs without sales; 0 keeps the preset's.
    #[schema(default = 0.0, minimum = 0, maximum = 1)]
    sparsity: Option<f64>,
    /// Only report.
    #[schema(default = false)]
    dry_run: Option<bool>,
    /// Weather and macro signals.
    #[schema(default = false)]
    enable_exogenous: Option<bool>,
    /// Relative change of demand per degree Celsius.
    #[schema(minimum = -1, maximum = 1)]
    weather_temperature_sensitivity: Option<f64>,
    /// Amplitude of a yearly wave.
    #[schema(minimum = 0, maximum = 1)]
    yearly_seasonality_amplitude: Option<f64>,
    /// Demand shocks.
    changepoints: Option<Vec<ChangepointBody>>,
    /// Returns.
    #[schema(default = false)]
    enable_returns: Option<bool>,
    /// Demand moves to products in stock.
    #[schema(default = false)]
    enable_substitution: Option<bool>,
    /// Groups of product ids that stand in for each other.
    substitute_groups: Option<Vec<Vec<i32>>>,
    /// What one missing product adds to the others; 0.5 when absent.
    #[schema(minimum = 0, maximum = 10)]
    substitution_lift_on_stockout: Option<f64>,
    /// A channel per sales row.
    #[schema(default = false)]
    enable_multichannel: Option<bool>,
    /// Weights by channel.
    #[schema(value_type = Option<std::collections::HashMap<String, f64>>, example = json!({"in_store": 0.7, "online": 0.2, "click_collect": 0.1}))]
    channel_mix: Option<IndexMap<String, f64>>,
    /// Quantity factor of online rows on promotion days; 1 when absent.
    #[schema(minimum = 0, maximum = 10)]
    online_promo_uplift: Option<f64>,
    /// What moves from the store to online on promotion days; 0 when absent.
    #[schema(minimum = 0, maximum = 1)]
    online_substitution_to_instore: Option<f64>,
    /// Launch and discontinue dates, and demand that follows them.
    #[schema(default = false)]
    enable_lifecycle: Option<bool>,
    /// Probability that a product is discontinued; 0 when absent.
    #[schema(minimum = 0, maximum = 1)]
    lifecycle_discontinue_probability: Option<f64>,
    /// Turns some promotions into bundles.
    #[schema(default = false)]
    enable_bundles: Option<bool>,
    /// How many; 0.2 when absent.
    #[schema(minimum = 0, maximum = 1)]
    bundle_probability: Option<f64>,
    /// Clearance.
    #[schema(default = false)]
    enable_markdowns: Option<bool>,
    /// `lifecycle_decline` (when absent) or `stockout_risk`.
    markdown_trigger: Option<String>,
    /// Deliveries.
    #[schema(default = false)]
    enable_lead_time: Option<bool>,
    /// Mean lead time; 7 when absent.
    #[schema(minimum = 0, maximum = 365)]
    mean_lead_time_days: Option<u32>,
}

/// A demand shock that wears off.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
pub(super) struct ChangepointBody {
    /// When.
    date: NaiveDate,
    /// Demand factor on that day.
    #[schema(minimum = 0)]
    demand_multiplier: f64,
    /// Days after which 1/e of the effect is left; 0: only that day.
    #[schema(default = 30, minimum = 0, maximum = 3650)]
    decay_days: Option<u32>,
}

const TRIGGERS: [&str; 2] = ["lifecycle_decline", "stockout_risk"];

/// Reads the body; `today` is where presets end.
pub fn read(body: &Map<String, Value>, today: Day) -> Result<SeedOrder, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let scenario = fields.optional("scenario", scenario).unwrap_or(Scenario::RetailStandard);
    let mut parameters = scenario.parameters(today);
    let seed = fields.optional("seed", fields::lax_int(0, i64::MAX)).unwrap_or(42);
    if let Some(stores) = fields.optional("stores", fields::lax_int(1, 100)) {
        parameters.stores = stores as usize;
    }
    if let Some(products) = fields.optional("products", fields::lax_int(1, 500)) {
        parameters.products = products as usize;
    }
    let start = fields.optional("start_date", fields::date).map(Day::from_date);
    let end = fields.optional("end_date", fields::date).map(Day::from_date);
    let (first, last) = (start.unwrap_or(parameters.window.first()), end.unwrap_or(parameters.window.last()));
    match Window::new(first, last) {
        Some(window) => parameters.window = window,
        None => fields.refuse("end_date", format!("must not be before the first day, {first}; is {last}")),
    }
    if let Some(share) =
        fields.optional("sparsity", fields::lax_number(0.0, 1.0)).filter(|share| *share > 0.0)
    {
        parameters.sparsity.missing_combinations = share;
    }
    let dry_run = flag(&mut fields, "dry_run");
    parameters.features = features(&mut fields);
    fields.finish(Some(SeedOrder { seed: seed as u64, parameters, dry_run }))
}

fn flag(fields: &mut Fields<'_>, name: &str) -> bool {
    fields.optional(name, fields::lax_flag).unwrap_or(false)
}

/// A detail of a feature, which acts only when the feature is on but must fit in any case.
fn number(fields: &mut Fields<'_>, name: &str, most: f64, default: f64) -> f64 {
    fields.nullable(name, fields::lax_number(0.0, most)).unwrap_or(default)
}

fn features(fields: &mut Fields<'_>) -> Features {
    let exogenous = flag(fields, "enable_exogenous");
    let sensitivity = fields.nullable("weather_temperature_sensitivity", fields::lax_number(-1.0, 1.0));
    let yearly_amplitude = number(fields, "yearly_seasonality_amplitude", 1.0, 0.0);
    let changepoints = fields.nullable_nested("changepoints", changepoints).unwrap_or_default();
    let returns = flag(fields, "enable_returns");
    let substitution = flag(fields, "enable_substitution");
    let groups = fields.nullable_nested("substitute_groups", groups).unwrap_or_default();
    let lift = number(fields, "substitution_lift_on_stockout", 10.0, 0.5);
    let multichannel = flag(fields, "enable_multichannel");
    let mix = fields.nullable_nested("channel_mix", channel_mix).unwrap_or([0.1, 0.7, 0.2, 0.0]);
    let channels = ChannelOptions {
        mix,
        online_promo_uplift: number(fields, "online_promo_uplift", 10.0, 1.0),
        online_substitution_to_instore: number(fields, "online_substitution_to_instore", 1.0, 0.0),
    };
    let lifecycle = flag(fields, "enable_lifecycle");
    let discontinue = number(fields, "lifecycle_discontinue_probability", 1.0, 0.0);
    let bundles = flag(fields, "enable_bundles");
    let bundle = number(fields, "bundle_probability", 1.0, 0.2);
    let markdowns = flag(fields, "enable_markdowns");
    let trigger = match fields.nullable("markdown_trigger", fields::one_of(&TRIGGERS)) {
        Some("stockout_risk") => MarkdownTrigger::StockoutRisk,
        _ => MarkdownTrigger::LifecycleDecline,
    };
    let lead_time = flag(fields, "enable_lead_time");
    let mean = fields.nullable("mean_lead_time_days", fields::lax_int(0, 365)).unwrap_or(7);
    Features {
        temperature_sensitivity: exogenous.then_some(sensitivity.unwrap_or(0.0)),
        yearly_amplitude,
        changepoints,
        returns,
        substitution: substitution.then_some(Substitution { groups, lift }),
        channels: multichannel.then_some(channels),
        lifecycle: lifecycle.then_some(discontinue),
        bundles: bundles.then_some(bundle),
        markdowns: markdowns.then_some(trigger),
        lead_time: lead_time.then_some(mean as u32),
    }
}

fn scenario(value: &Value) -> Reading<Scenario> {
    let Value::String(name) = value else {
        return Err(("string_type", format!("must be a string, got {}", fields::short(value))));
    };
    Scenario::named(name).ok_or_else(|| {
        let names: Vec<&str> = Scenario::ALL.iter().map(|scenario| scenario.name()).collect();
        ("literal_error", format!("must be one of {}, got {}", names.join(", "), fields::short(value)))
    })
}

/// Reads the items of an array, with their positions in the locations of errors.
fn items<'v, T>(
    name: &str,
    value: &'v Value,
    read: impl Fn(&'v Value) -> Result<T, Vec<FieldError>>,
) -> Result<Vec<T>, Vec<FieldError>> {
    let items = fields::list(0, usize::MAX)(value)
        .map_err(|(kind, message)| vec![FieldError::new(name, kind, message)])?;
    let (mut made, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
    for (i, item) in items.iter().enumerate() {
        match read(item) {
            Ok(item) => made.push(item),
            Err(found) => errors.extend(found.into_iter().map(|mut error| {
                let dot = if error.field.is_empty() { "" } else { "." };
                error.field = format!("{name}.{i}{dot}{}", error.field);
                error
            })),
        }
    }
    if errors.is_empty() { Ok(made) } else { Err(errors) }
}

fn changepoints(value: &Value) -> Result<Vec<Changepoint>, Vec<FieldError>> {
    items("changepoints", value, |item| {
        let mut fields = Fields::of(object("", item)?);
        let date = fields.required("date", fields::date);
        let multiplier = fields.required("demand_multiplier", fields::lax_number(0.0, f64::MAX));
        let decay = fields.optional("decay_days", fields::lax_int(0, 3_650)).unwrap_or(30);
        fields.finish(date.zip(multiplier).map(|(date, multiplier)| Changepoint {
            day: Day::from_date(date),
            multiplier,
            decay_days: decay as u32,
        }))
    })
}

fn groups(value: &Value) -> Result<Vec<BTreeSet<i32>>, Vec<FieldError>> {
    let key = |value: &Value| {
        let key = fields::lax_int(i64::from(i32::MIN), i64::from(i32::MAX))(value);
        key.map(|key| key as i32).map_err(|(kind, message)| vec![FieldError::new("", kind, message)])
    };
    let groups = items("substitute_groups", value, |group| {
        // The name of the inner array is its position, which the outer one adds.
        let keys = items("", group, key).map_err(|errors| {
            let inner = |error: FieldError| FieldError {
                field: error.field.trim_start_matches('.').to_owned(),
                ..error
            };
            errors.into_iter().map(inner).collect::<Vec<_>>()
        })?;
        Ok(keys.into_iter().collect::<BTreeSet<i32>>())
    })?;
    Ok(groups)
}

fn channel_mix(value: &Value) -> Result<[f64; 4], Vec<FieldError>> {
    let members = object("channel_mix", value)?;
    let mut mix = [0.0; 4];
    let mut errors = Vec::new();
    for (name, weight) in members {
        let field = format!("channel_mix.{name}");
        match (Channel::named(name), fields::lax_number(0.0, f64::MAX)(weight)) {
            (Some(channel), Ok(weight)) => mix[channel as usize] = weight,
            (Some(_), Err((kind, message))) => errors.push(FieldError::new(field, kind, message)),
            (None, _) => {
                let names: Vec<&str> = Channel::ALL.iter().map(|channel| channel.name()).collect();
                let message = format!("is no channel; they are {}", names.join(", "));
                errors.push(FieldError::new(field, "literal_error", message));
            }
        }
    }
    let sum: f64 = mix.iter().sum();
    if members.is_empty() {
        errors.push(FieldError::new("channel_mix", "too_short", "must have at least 1 channel, has 0"));
    } else if errors.is_empty() && !(sum > 0.0 && sum.is_finite()) {
        errors.push(FieldError::new("channel_mix", "value_error", "the weights must have a sum above 0"));
    }
    if errors.is_empty() { Ok(mix) } else { Err(errors) }
}

fn object<'v>(field: &str, value: &'v Value) -> Result<&'v Map<String, Value>, Vec<FieldError>> {
    value.as_object().ok_or_else(|| {
        let message = format!("must be an object, got {}", fields::short(value));
        vec![FieldError::new(field, "dict_type", message)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_core::seeder::Parameters;
    use serde_json::json;

    const TODAY: Day = Day(20_545); // 2026-04-02

    fn read_json(body: Value) -> Result<SeedOrder, Vec<(String, &'static str)>> {
        read(body.as_object().unwrap(), TODAY)
            .map_err(|errors| errors.into_iter().map(|e| (e.field, e.kind)).collect())
    }

    fn parameters(body: Value) -> Parameters {
        read_json(body).unwrap().parameters
    }

    #[test]
    fn what_is_absent_is_the_presets_and_what_is_present_wins() {
        let order = read_json(json!({})).unwrap();
        assert_eq!((order.seed, order.dry_run), (42, false));
        assert_eq!(order.parameters, Scenario::RetailStandard.parameters(TODAY));
        for scenario in Scenario::ALL {
            let preset = scenario.parameters(TODAY);
            assert_eq!(parameters(json!({"scenario": scenario.name(), "unknown": 1})), preset);
        }
        let rush = parameters(json!({"scenario": "holiday_rush", "stores": "3", "end_date": "2024-12-25"}));
        assert_eq!((rush.stores, rush.products, rush.holidays.len()), (3, 50, 4));
        assert_eq!(rush.window.first().to_string(), "2024-10-01");
        let sparse = parameters(json!({"scenario": "sparse", "sparsity": 0.25}));
        assert_eq!((sparse.sparsity.missing_combinations, sparse.sparsity.gaps_per_series), (0.25, 3));
        assert!(
            (parameters(json!({"scenario": "sparse", "sparsity": 0})).sparsity.missing_combinations - 0.5)
                .abs()
                < 1e-12
        );
    }

    #[test]
    fn details_act_only_with_their_switch() {
        let details = json!({
            "weather_temperature_sensitivity": -0.5, "substitute_groups": [[1, 2]], "substitution_lift_on_stockout": 2,
            "channel_mix": {"online": 1}, "lifecycle_discontinue_probability": 1, "bundle_probability": 1,
            "markdown_trigger": "stockout_risk", "mean_lead_time_days": 3
        });
        assert_eq!(parameters(details.clone()).features, Features::default());
        let mut on = details.as_object().unwrap().clone();
        for name in [
            "exogenous",
            "returns",
            "substitution",
            "multichannel",
            "lifecycle",
            "bundles",
            "markdowns",
            "lead_time",
        ] {
            on.insert(format!("enable_{name}"), json!("yes"));
        }
        let features = parameters(Value::Object(on)).features;
        assert_eq!(features.temperature_sensitivity, Some(-0.5));
        assert_eq!(
            features.substitution,
            Some(Substitution { groups: vec![BTreeSet::from([1, 2])], lift: 2.0 })
        );
        assert_eq!(
            features.channels.map(|c| (c.mix, c.online_promo_uplift)),
            Some(([0.0, 0.0, 1.0, 0.0], 1.0))
        );
        assert_eq!((features.lifecycle, features.bundles), (Some(1.0), Some(1.0)));
        assert_eq!((features.markdowns, features.lead_time), (Some(MarkdownTrigger::StockoutRisk), Some(3)));
        assert!(features.returns);
        let nulls = json!({"enable_bundles": true, "bundle_probability": null, "changepoints": null, "channel_mix": null,
            "yearly_seasonality_amplitude": null, "enable_lead_time": 1, "mean_lead_time_days": null});
        let features = parameters(nulls).features;
        assert_eq!(
            (features.bundles, features.lead_time, features.yearly_amplitude),
            (Some(0.2), Some(7), 0.0)
        );
    }

    #[test]
    fn errors_name_the_place_in_the_order_of_the_schema() {
        let errors = read_json(json!({
            "mean_lead_time_days": 366,
            "scenario": "nothing", "seed": -1, "stores": 0, "products": 501, "start_date": "2026-01-02",
            "end_date": "2026-01-01", "sparsity": 1.1, "dry_run": "perhaps",
            "changepoints": [{"date": "2026-01-01", "demand_multiplier": 1}, {"decay_days": 3651}, 7,
                             {"date": "x", "demand_multiplier": -1, "decay_days": null}],
            "substitute_groups": [[1, "2"], 5, ["x", 1.5]],
            "channel_mix": {"shop": 1, "online": -1, "in_store": "much"},
            "markdown_trigger": "age_days"
        }))
        .unwrap_err();
        let found: Vec<(&str, &str)> = errors.iter().map(|(field, kind)| (field.as_str(), *kind)).collect();
        assert_eq!(
            found,
            [
                ("scenario", "literal_error"),
                ("seed", "greater_than_equal"),
                ("stores", "greater_than_equal"),
                ("products", "less_than_equal"),
                ("end_date", "value_error"),
                ("sparsity", "less_than_equal"),
                ("dry_run", "bool_parsing"),
                ("changepoints.1.date", "missing"),
                ("changepoints.1.demand_multiplier", "missing"),
                ("changepoints.1.decay_days", "less_than_equal"),
                ("changepoints.2", "dict_type"),
                ("changepoints.3.date", "date_from_datetime_parsing"),
                ("changepoints.3.demand_multiplier", "greater_than_equal"),
                ("changepoints.3.decay_days", "int_type"),
                ("substitute_groups.1", "list_type"),
                ("substitute_groups.2.0", "int_parsing"),
                ("substitute_groups.2.1", "int_from_float"),
                ("channel_mix.shop", "literal_error"),
                ("channel_mix.online", "greater_than_equal"),
                ("channel_mix.in_store", "float_parsing"),
                ("markdown_trigger", "literal_error"),
                ("mean_lead_time_days", "less_than_equal"),
            ]
        );
        for (mix, kind) in [
            (json!({}), "too_short"),
            (json!({"online": 0, "in_store": 0}), "value_error"),
            (json!([]), "dict_type"),
        ] {
            assert_eq!(
                read_json(json!({"channel_mix": mix})).unwrap_err(),
                [("channel_mix".to_owned(), kind)]
            );
        }
        assert_eq!(
            read_json(json!({"substitute_groups": 5})).unwrap_err(),
            [("substitute_groups".to_owned(), "list_type")]
        );
        // Absent days are the preset's: 2026-04-02 is its last.
        assert_eq!(
            read_json(json!({"start_date": "2026-04-03"})).unwrap_err(),
            [("end_date".to_owned(), "value_error")]
        );
    }

    #[test]
    fn both_ends_of_every_bound() {
        for (field, least, most) in [
            ("weather_temperature_sensitivity", -1.0, 1.0),
            ("yearly_seasonality_amplitude", 0.0, 1.0),
            ("substitution_lift_on_stockout", 0.0, 10.0),
            ("online_promo_uplift", 0.0, 10.0),
            ("online_substitution_to_instore", 0.0, 1.0),
            ("lifecycle_discontinue_probability", 0.0, 1.0),
            ("bundle_probability", 0.0, 1.0),
            ("sparsity", 0.0, 1.0),
        ] {
            for value in [least, most] {
                assert!(read_json(json!({field: value})).is_ok(), "{field} {value}");
            }
            for (value, kind) in [(least - 0.01, "greater_than_equal"), (most + 0.01, "less_than_equal")] {
                assert_eq!(read_json(json!({field: value})).unwrap_err(), [(field.to_owned(), kind)]);
            }
            assert_eq!(read_json(json!({field: "inf"})).unwrap_err()[0].1, "finite_number");
        }
        for (field, least, most) in
            [("stores", 1, 100), ("products", 1, 500), ("mean_lead_time_days", 0, 365)]
        {
            assert!(read_json(json!({field: least})).is_ok() && read_json(json!({field: most})).is_ok());
            assert_eq!(read_json(json!({field: least - 1})).unwrap_err()[0].1, "greater_than_equal");
            assert_eq!(read_json(json!({field: most + 1})).unwrap_err()[0].1, "less_than_equal");
        }
    }
}
