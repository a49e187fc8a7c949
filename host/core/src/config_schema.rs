//! Model configurations against the JSON Schema that a plugin declares: coercion, defaults, order, errors.

use serde_json::{Map, Value, json};

use crate::hash::schema_hash;

/// One thing that does not fit, in the words of the contract (`README.md` §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Dotted location.
    pub field: String,
    /// For people.
    pub message: String,
    /// Machine reason.
    pub kind: &'static str,
}

impl FieldError {
    /// An error at a location.
    pub fn new(field: impl Into<String>, kind: &'static str, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), kind }
    }
}

/// Why a declared schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Not a valid JSON Schema.
    #[error("the JSON Schema of the configuration is not valid: {0}")]
    Invalid(String),
    /// A member that belongs to the host.
    #[error("the configuration declares `{0}`, which belongs to the host")]
    Reserved(String),
    /// A default that the schema itself refuses.
    #[error("the defaults of the configuration do not fit its schema: {0}")]
    Default(String),
}

/// A configuration that fits, with its defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalisedConfig {
    /// `schema_version`, `model_type`, then the plugin's fields in declared order.
    pub full: Map<String, Value>,
    /// The plugin's fields alone.
    pub own: Map<String, Value>,
}

impl NormalisedConfig {
    /// The schema hash (contract `README.md` §8 A, nulls kept).
    pub fn hash(&self) -> String {
        schema_hash(&Value::Object(self.full.clone()))
    }

    /// What the plugin gets.
    pub fn json(&self) -> String {
        Value::Object(self.own.clone()).to_string()
    }
}

/// The schema of one model type, compiled.
#[derive(Debug)]
pub struct ModelConfigSchema {
    model_type: String,
    fields: Vec<Field>,
    additional: bool,
    validator: jsonschema::Validator,
}

#[derive(Debug)]
struct Field {
    name: String,
    kinds: Vec<Kind>,
    default: Option<Value>,
    required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Number,
    Boolean,
    String,
    Null,
    Other,
}

impl ModelConfigSchema {
    /// Reads a declared schema: an object schema whose `properties` stand in hashing order.
    pub fn compile(model_type: &str, schema: &Value) -> Result<Self, SchemaError> {
        let validator = jsonschema::validator_for(schema).map_err(|e| SchemaError::Invalid(e.to_string()))?;
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut fields = Vec::new();
        for (name, declared) in schema["properties"].as_object().into_iter().flatten() {
            if name == "schema_version" || name == "model_type" {
                return Err(SchemaError::Reserved(name.clone()));
            }
            fields.push(Field {
                name: name.clone(),
                kinds: kinds(declared),
                default: declared.get("default").cloned(),
                required: required.contains(&name.as_str()),
            });
        }
        let additional = schema.get("additionalProperties").is_some_and(|a| *a != json!(false));
        let compiled = Self { model_type: model_type.to_owned(), fields, additional, validator };
        compiled.check_defaults()?;
        Ok(compiled)
    }

    /// Names of the declared fields, in hashing order.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// Every default must be a value that a client could send.
    fn check_defaults(&self) -> Result<(), SchemaError> {
        let given: Map<String, Value> = self
            .fields
            .iter()
            .filter_map(|field| field.default.clone().map(|default| (field.name.clone(), default)))
            .collect();
        // What has no default must be sent: only that may be missing here.
        let errors = self.normalise(&given, "config").err().unwrap_or_default();
        let refused: Vec<String> = errors
            .into_iter()
            .filter(|e| e.kind != "missing")
            .map(|e| format!("{}: {}", e.field.trim_start_matches("config."), e.message))
            .collect();
        if refused.is_empty() { Ok(()) } else { Err(SchemaError::Default(refused.join("; "))) }
    }

    /// Checks and completes a submitted configuration. `location` is where it stands, with the tag
    /// (`config.seasonal_naive`). Errors come in declared order, unknown keys last.
    pub fn normalise(
        &self,
        submitted: &Map<String, Value>,
        location: &str,
    ) -> Result<NormalisedConfig, Vec<FieldError>> {
        let mut errors = Vec::new();
        let version = schema_version(submitted.get("schema_version"), location, &mut errors);
        let mut own = Map::new();
        for field in &self.fields {
            let at = format!("{location}.{}", field.name);
            match (submitted.get(&field.name), &field.default) {
                (Some(value), _) => match coerce(value, &field.kinds) {
                    Ok(value) => {
                        own.insert(field.name.clone(), value);
                    }
                    Err((kind, message)) => errors.push(FieldError::new(at, kind, message)),
                },
                (None, Some(default)) => {
                    own.insert(
                        field.name.clone(),
                        coerce(default, &field.kinds).unwrap_or_else(|_| default.clone()),
                    );
                }
                (None, None) if field.required => {
                    errors.push(FieldError::new(at, "missing", "is required"));
                }
                (None, None) => {}
            }
        }
        errors.extend(self.schema_errors(&own, location, &errors));
        self.sort(&mut errors, location);
        errors.extend(self.unknown_keys(submitted, location, &mut own));
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut full = Map::new();
        full.insert("schema_version".to_owned(), version);
        full.insert("model_type".to_owned(), json!(self.model_type));
        full.extend(own.clone());
        Ok(NormalisedConfig { full, own })
    }

    /// What the declared schema says of the coerced values; one error per field, and none for a field that has one.
    fn schema_errors(
        &self,
        own: &Map<String, Value>,
        location: &str,
        known: &[FieldError],
    ) -> Vec<FieldError> {
        let instance = Value::Object(own.clone());
        let mut found: Vec<FieldError> = Vec::new();
        for error in self.validator.iter_errors(&instance) {
            let (kind, message) = explain(&error);
            if kind == "missing" {
                continue; // found by hand, with the field's own location
            }
            let path: String = error.instance_path().as_str().replace('/', ".");
            let field = format!("{location}{path}");
            if !known.iter().chain(&found).any(|e| e.field == field) {
                found.push(FieldError::new(field, kind, message));
            }
        }
        found
    }

    fn sort(&self, errors: &mut [FieldError], location: &str) {
        errors.sort_by_key(|error| {
            let name = error.field.strip_prefix(location).unwrap_or_default();
            let name = name.trim_start_matches('.').split('.').next().unwrap_or_default();
            self.fields.iter().position(|field| field.name == name).map_or(0, |at| at + 1)
        });
    }

    fn unknown_keys(
        &self,
        submitted: &Map<String, Value>,
        location: &str,
        own: &mut Map<String, Value>,
    ) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for (key, value) in submitted {
            if key == "schema_version" || key == "model_type" || self.fields.iter().any(|f| f.name == *key) {
                continue;
            }
            if self.additional {
                own.insert(key.clone(), value.clone());
                continue;
            }
            let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
            let known = if names.is_empty() { "no fields".to_owned() } else { names.join(", ") };
            let message = format!("is not a field of {}, which has {known}", self.model_type);
            errors.push(FieldError::new(format!("{location}.{key}"), "extra_forbidden", message));
        }
        errors
    }
}

fn schema_version(given: Option<&Value>, location: &str, errors: &mut Vec<FieldError>) -> Value {
    let Some(given) = given else { return json!("1.0") };
    if let Err((kind, message)) = version(given) {
        errors.push(FieldError::new(format!("{location}.schema_version"), kind, message));
    }
    given.clone()
}

/// The version of a schema: `digits.digits` or `digits.digits.digits`.
pub fn version(value: &Value) -> Result<&str, Refusal> {
    match value {
        Value::String(text) if is_version(text) => Ok(text),
        Value::String(text) => {
            Err(("string_pattern_mismatch", format!("`{text}` is not digits.digits or digits.digits.digits")))
        }
        other => Err(("string_type", format!("must be a string, got {}", short(other)))),
    }
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    (2..=3).contains(&parts.len())
        && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// The types that a property schema allows; `anyOf` and `oneOf` are joined.
fn kinds(declared: &Value) -> Vec<Kind> {
    let one = |name: &str| match name {
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        "string" => Kind::String,
        "null" => Kind::Null,
        _ => Kind::Other,
    };
    match &declared["type"] {
        Value::String(name) => vec![one(name)],
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(one).collect(),
        _ => {
            let branches = ["anyOf", "oneOf"].iter().filter_map(|key| declared[*key].as_array()).flatten();
            branches.flat_map(kinds).collect()
        }
    }
}

type Refusal = (&'static str, String);

/// Lax coercion: the first declared type that takes the value; the refusal is that of the first type.
fn coerce(value: &Value, kinds: &[Kind]) -> Result<Value, Refusal> {
    let mut refusal = None;
    for kind in kinds {
        match coerce_to(value, *kind) {
            Ok(value) => return Ok(value),
            Err(e) => refusal = refusal.or(Some(e)),
        }
    }
    refusal.map_or_else(|| Ok(value.clone()), Err)
}

fn coerce_to(value: &Value, kind: Kind) -> Result<Value, Refusal> {
    match kind {
        Kind::Integer => lax_integer(value).map(Value::from),
        Kind::Number => lax_float(value).map(Value::from),
        Kind::Boolean => lax_bool(value).map(Value::from),
        Kind::String if value.is_string() => Ok(value.clone()),
        Kind::String => Err(("string_type", format!("must be a string, got {}", short(value)))),
        Kind::Null if value.is_null() => Ok(Value::Null),
        Kind::Null => Err(("value_error", format!("must be null, got {}", short(value)))),
        Kind::Other => Ok(value.clone()),
    }
}

/// Largest whole number that a float holds exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Beyond 64 bits an integer is beyond every bound that a field may have.
fn out_of_range(value: &Value, above: bool) -> Refusal {
    let (kind, word) = if above { ("less_than_equal", "large") } else { ("greater_than_equal", "small") };
    (kind, format!("{} is too {word}", short(value)))
}

/// A value for a message, cut to a readable length.
pub fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// An integer, also as `"5"`, `"5.0"`, `5.0` or `true`.
pub fn lax_integer(value: &Value) -> Result<i64, Refusal> {
    let whole = |float: f64, refusal: Refusal| match float {
        float if float.abs() > EXACT && float.is_finite() => Err(out_of_range(value, float > 0.0)),
        float if float.fract() == 0.0 => Ok(float as i64),
        _ => Err(refusal),
    };
    match value {
        Value::Bool(on) => Ok(i64::from(*on)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Ok(integer),
            (None, Some(float)) if number.is_f64() => {
                whole(float, ("int_from_float", format!("{number} has a fractional part")))
            }
            _ => Err(out_of_range(value, true)),
        },
        Value::String(text) => {
            let text = text.trim();
            let (digits, zeros) = text.split_once('.').unwrap_or((text, "0"));
            let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
            let all =
                |text: &str, wanted: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|b| wanted(&b));
            if !all(unsigned, u8::is_ascii_digit) || !all(zeros, |b| *b == b'0') {
                return Err(("int_parsing", format!("{} is not a whole number", short(value))));
            }
            // Digits that do not parse are too many.
            digits.parse::<i64>().map_err(|_| out_of_range(value, !digits.starts_with('-')))
        }
        other => Err(("int_type", format!("must be a whole number, got {}", short(other)))),
    }
}

/// A number, also as a numeric string.
pub fn lax_float(value: &Value) -> Result<f64, Refusal> {
    match value {
        Value::Bool(on) => Ok(f64::from(u8::from(*on))),
        Value::Number(number) => {
            number.as_f64().ok_or_else(|| ("float_parsing", format!("{number} is too large")))
        }
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(float),
            Ok(_) => Err(("finite_number", format!("`{text}` is not a finite number"))),
            Err(_) => Err(("float_parsing", format!("`{text}` is not a number"))),
        },
        other => Err(("float_type", format!("must be a number, got {}", short(other)))),
    }
}

/// A boolean, also as 0, 1 or one of the usual words.
pub fn lax_bool(value: &Value) -> Result<bool, Refusal> {
    let parsed = match value {
        Value::Bool(on) => Some(*on),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "t" | "y" | "1" => Some(true),
            "false" | "no" | "off" | "f" | "n" | "0" => Some(false),
            _ => None,
        },
        other => return Err(("bool_type", format!("must be true or false, got {}", short(other)))),
    };
    parsed.ok_or_else(|| ("bool_parsing", format!("{value} is not true or false")))
}

fn explain(error: &jsonschema::ValidationError<'_>) -> Refusal {
    use jsonschema::error::ValidationErrorKind as K;
    let kind = match error.kind() {
        K::Minimum { .. } => "greater_than_equal",
        K::Maximum { .. } => "less_than_equal",
        K::ExclusiveMinimum { .. } => "greater_than",
        K::ExclusiveMaximum { .. } => "less_than",
        K::MinLength { .. } => "string_too_short",
        K::MaxLength { .. } => "string_too_long",
        K::MinItems { .. } => "too_short",
        K::MaxItems { .. } => "too_long",
        K::Pattern { .. } => "string_pattern_mismatch",
        K::Enum { .. } | K::Constant { .. } => "literal_error",
        K::Required { .. } => "missing",
        K::AdditionalProperties { .. } => "extra_forbidden",
        _ => "value_error",
    };
    (kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn integer(least: i64, most: i64, default: i64) -> Value {
        json!({"type": "integer", "minimum": least, "maximum": most, "default": default})
    }

    fn schema(model_type: &str) -> ModelConfigSchema {
        let rate =
            |default: f64| json!({"type": "number", "minimum": 0.001, "maximum": 1.0, "default": default});
        let hash = json!({"type": ["string", "null"], "default": null});
        let properties = match model_type {
            "seasonal_naive" => json!({"season_length": integer(1, 365, 7)}),
            "moving_average" => json!({"window_size": integer(1, 90, 7)}),
            "lightgbm" => json!({"n_estimators": integer(10, 1000, 100), "max_depth": integer(1, 20, 6),
                                 "learning_rate": rate(0.1), "feature_config_hash": hash}),
            "regression" => json!({"max_iter": integer(10, 1000, 200), "learning_rate": rate(0.05),
                                   "max_depth": integer(1, 20, 6), "feature_config_hash": hash}),
            _ => json!({}),
        };
        ModelConfigSchema::compile(model_type, &json!({"type": "object", "properties": properties})).unwrap()
    }

    fn normalise(model_type: &str, config: Value) -> Result<NormalisedConfig, Vec<FieldError>> {
        let Value::Object(config) = config else { panic!("an object") };
        schema(model_type).normalise(&config, &format!("config.{model_type}"))
    }

    #[test]
    fn defaults_and_declared_order_give_the_contract_s_hashes() {
        for (model_type, hash) in [
            ("naive", "d9f8003eacfc9599"),
            ("seasonal_naive", "a9baf055e83a554f"),
            ("moving_average", "c221092145a157cb"),
            ("lightgbm", "f2fcd44619ba5fec"),
            ("regression", "2476880df7bad7cc"),
        ] {
            let config = normalise(model_type, json!({"model_type": model_type})).unwrap();
            assert_eq!(config.hash(), hash, "{model_type}");
        }
        let reordered =
            json!({"max_depth": "6", "learning_rate": 1, "model_type": "regression", "max_iter": 200.0});
        assert_eq!(normalise("regression", reordered).unwrap().hash(), "d1263e92e041d26c");
    }

    #[test]
    fn all_errors_in_declared_order_with_the_contract_s_reasons() {
        let errors = normalise(
            "regression",
            json!({"surprise": 1, "feature_config_hash": 5, "max_depth": 5.5, "learning_rate": "much",
                   "max_iter": 5, "schema_version": "one"}),
        )
        .unwrap_err();
        let found: Vec<(&str, &str)> = errors.iter().map(|e| (e.field.as_str(), e.kind)).collect();
        assert_eq!(
            found,
            [
                ("config.regression.schema_version", "string_pattern_mismatch"),
                ("config.regression.max_iter", "greater_than_equal"),
                ("config.regression.learning_rate", "float_parsing"),
                ("config.regression.max_depth", "int_from_float"),
                ("config.regression.feature_config_hash", "string_type"),
                ("config.regression.surprise", "extra_forbidden"),
            ]
        );
    }

    #[test]
    fn null_is_no_integer() {
        let errors = normalise("seasonal_naive", json!({"season_length": null})).unwrap_err();
        assert_eq!(errors[0].kind, "int_type");
    }

    #[test]
    fn lax_forms() {
        for value in [json!("5"), json!("5.0"), json!(5.0), json!(5)] {
            assert_eq!(lax_integer(&value), Ok(5), "{value}");
        }
        assert_eq!(lax_integer(&json!(true)), Ok(1));
        for (value, kind) in
            [(json!(5.5), "int_from_float"), (json!("five"), "int_parsing"), (json!([]), "int_type")]
        {
            assert_eq!(lax_integer(&value).unwrap_err().0, kind);
        }
        for (value, kind) in [
            (json!(u64::MAX), "less_than_equal"),
            (json!(1e20), "less_than_equal"),
            (json!("99999999999999999999"), "less_than_equal"),
            (json!("-99999999999999999999"), "greater_than_equal"),
            (json!(-1e20), "greater_than_equal"),
            (json!("5."), "int_parsing"),
            (json!("5.5"), "int_parsing"),
            (json!(""), "int_parsing"),
        ] {
            assert_eq!(lax_integer(&value).unwrap_err().0, kind, "{value}");
        }
        assert_eq!(lax_integer(&json!("+5.00")), Ok(5));
        assert_eq!(lax_float(&json!("1e-2")), Ok(0.01));
        assert_eq!(lax_float(&json!("inf")).unwrap_err().0, "finite_number");
        assert_eq!(lax_bool(&json!("Yes")), Ok(true));
        assert_eq!(lax_bool(&json!(2)).unwrap_err().0, "bool_parsing");
    }

    #[test]
    fn refuses_schemas_that_cannot_be_used() {
        let compile = |schema: Value| ModelConfigSchema::compile("x", &schema).unwrap_err();
        let reserved = json!({"properties": {"model_type": {"type": "string"}}});
        assert!(matches!(compile(reserved), SchemaError::Reserved(_)));
        assert!(matches!(compile(json!({"type": 7})), SchemaError::Invalid(_)));
        let bad_default = json!({"properties": {"n": {"type": "integer", "minimum": 5, "default": 1}}});
        assert!(matches!(compile(bad_default), SchemaError::Default(_)));
        let beside_a_required_one = json!({"required": ["m"], "properties": {
            "m": {"type": "integer"}, "n": {"type": "integer", "minimum": 5, "default": 1}}});
        assert!(matches!(compile(beside_a_required_one), SchemaError::Default(_)));
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(season in 1..=365_i64, text in any::<bool>()) {
            let value = if text { json!(season.to_string()) } else { json!(season) };
            let once = normalise("seasonal_naive", json!({"season_length": value})).unwrap();
            let again = schema("seasonal_naive").normalise(&once.full, "config").unwrap();
            prop_assert_eq!(once, again);
        }
    }
}
