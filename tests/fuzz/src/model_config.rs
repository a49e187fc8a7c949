//! Model configurations: the schema is a plugin's, the values are a client's.

use retailcast_core::config_schema::ModelConfigSchema;
use serde_json::{Map, Value};

/// A schema and a configuration, both JSON, with a zero byte between them.
pub fn model_config(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (Some(schema), Some(config)) = (parts.next(), parts.next()) else { return };
    let Ok(schema) = serde_json::from_slice::<Value>(schema) else { return };
    let Ok(schema) = ModelConfigSchema::compile("fuzzed", &schema) else { return };
    let Ok(config) = serde_json::from_slice::<Map<String, Value>>(config) else { return };
    let Ok(once) = schema.normalise(&config, "config") else { return };
    // What was normalised is normal: a stored model's configuration is read again as it was written.
    let twice = schema.normalise(&once.full, "config").expect("what was taken once is taken again");
    assert_eq!(once, twice);
}
