//! The file format of a fitted model.
//!
//! `RCMODEL1`, the length of the header (8 bytes, little-endian), the header as JSON, the plugin's state as it saved
//! it, and the SHA-256 of everything before. It decodes without executing code; a damaged file is told apart from
//! one of another format.
//!
//! Format 2 (`RCMODEL2`) adds `calibration` to the header. A model without it is still written as format 1, which older
//! programs read; they refuse format 2 rather than forecast without its intervals.

use retailcast_core::hash::free_form_hash;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Calibration;

const MAGIC: &[u8; 7] = b"RCMODEL";
/// Version of the format without a calibration; the eighth byte of a file.
const PLAIN: u8 = b'1';
/// Version of the format with one.
const CALIBRATED: u8 = b'2';
const CHECKSUM: usize = 32;
const PREFIX: usize = MAGIC.len() + 1 + 8;

/// Why bytes are not a usable bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Not one of our files, or of a format that this program does not know.
    #[error("is not a model file of format {} or {}", char::from(PLAIN), char::from(CALIBRATED))]
    Format,
    /// The checksum does not match, or the file ends early.
    #[error("is damaged: {0}")]
    Damaged(String),
    /// The file is whole, and what it says of the model is not enough to use it.
    #[error(
        "lacks `{0}` in its metadata, which every model file has that this program writes; train the model again"
    )]
    Incomplete(&'static str),
}

/// Which plugin fitted the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginStamp {
    /// Its name, the model type.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its component.
    pub digest: String,
    /// Version of the plugin contract.
    pub contract: String,
}

/// Which program wrote the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runtime {
    /// `retailcast`.
    pub program: String,
    /// Its version.
    pub version: String,
}

/// What was trained on; the members that the contract lists and hashes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// The series.
    pub store_id: i32,
    /// The series.
    pub product_id: i32,
    /// Requested first day, ISO.
    pub train_start_date: String,
    /// Requested last day, the forecast origin, ISO. Files of this program have it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub train_end_date: Option<String>,
    /// Values trained on.
    pub n_observations: usize,
    /// Feature models: names of the columns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub feature_columns: Option<Vec<String>>,
    /// Feature models: the last quantities, oldest first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub history_tail: Option<Vec<f64>>,
    /// Feature models: their days, ISO.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub history_tail_dates: Option<Vec<String>>,
    /// Feature models: launch of the product, ISO; present and null without one.
    #[serde(skip_serializing_if = "Option::is_none", default, with = "present_or_null")]
    pub launch_date: Option<Option<String>>,
}

/// Tells an absent member from one that is null.
mod present_or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, clippy::option_option, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(value: &Option<Option<String>>, s: S) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(s)
    }

    #[expect(clippy::option_option, reason = "absent, null and a value are three things here")]
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Option<String>>, D::Error> {
        Option::deserialize(d).map(Some)
    }
}

/// A fitted model with everything that forecasting needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    /// Who fitted it.
    pub plugin: PluginStamp,
    /// The full configuration, in declared order.
    pub config: Map<String, Value>,
    /// Schema hash of the configuration.
    pub config_hash: String,
    /// What it was trained on.
    pub metadata: Metadata,
    /// How days without a row were taken.
    pub missing_days: String,
    /// The seed that the model was given.
    pub random_state: u64,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// Which program wrote it.
    pub runtime: Runtime,
    /// See [`Bundle::content_hash`].
    pub bundle_hash: String,
    /// Prediction intervals, when it was trained with them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub calibration: Option<Calibration>,
    /// The plugin's state.
    #[serde(skip)]
    pub state: Vec<u8>,
}

impl Bundle {
    /// The hash of what was trained, on what and how: equal for two trainings on the same data.
    pub fn content_hash(&self) -> String {
        let metadata = serde_json::to_value(&self.metadata).unwrap_or_default();
        free_form_hash(&json!({
            "config_hash": self.config_hash,
            "metadata": metadata,
            "model_params": self.model_params(),
        }))
    }

    /// The hyper-parameters and the seed. `feature_config_hash` is a client's note and no parameter.
    fn model_params(&self) -> Value {
        let notes = ["schema_version", "model_type", "feature_config_hash"];
        let mut params: Map<String, Value> = self
            .config
            .iter()
            .filter(|(key, _)| !notes.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        params.insert("random_state".to_owned(), json!(self.random_state));
        Value::Object(params)
    }

    /// The file's bytes.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let header = serde_json::to_vec(self)?;
        let mut bytes = Vec::with_capacity(PREFIX + header.len() + self.state.len() + CHECKSUM);
        bytes.extend_from_slice(MAGIC);
        bytes.push(if self.calibration.is_some() { CALIBRATED } else { PLAIN });
        bytes.extend_from_slice(&(header.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(&self.state);
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        Ok(bytes)
    }

    /// Reads a file's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        let damaged = |what: &str| BundleError::Damaged(what.to_owned());
        match bytes.strip_prefix(MAGIC) {
            Some([PLAIN | CALIBRATED, ..]) => {}
            _ => return Err(BundleError::Format),
        }
        let (body, checksum) = bytes
            .split_at_checked(bytes.len().saturating_sub(CHECKSUM))
            .ok_or_else(|| damaged("it is too short"))?;
        if Sha256::digest(body).as_slice() != checksum {
            return Err(damaged("its checksum does not match"));
        }
        let length = body.get(MAGIC.len() + 1..PREFIX).and_then(|length| length.try_into().ok());
        let length = u64::from_le_bytes(length.ok_or_else(|| damaged("it has no header"))?);
        let (header, state) = usize::try_from(length)
            .ok()
            .and_then(|length| body[PREFIX..].split_at_checked(length))
            .ok_or_else(|| damaged("its header is longer than the file"))?;
        let mut bundle: Self = serde_json::from_slice(header).map_err(|e| {
            missing_series(header).unwrap_or_else(|| BundleError::Damaged(format!("its header: {e}")))
        })?;
        if let Some(fault) = bundle.calibration.as_ref().and_then(Calibration::fault) {
            return Err(damaged(fault));
        }
        bundle.state = state.to_vec();
        Ok(bundle)
    }
}

/// Whether a header cannot be read because it does not say whose model it is.
fn missing_series(header: &[u8]) -> Option<BundleError> {
    let header: Value = serde_json::from_slice(header).ok()?;
    let lacks = |member: &&str| header["metadata"].get(member).is_none_or(Value::is_null);
    ["store_id", "product_id"].into_iter().find(lacks).map(BundleError::Incomplete)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bundle() -> Bundle {
        let Value::Object(config) = json!({"schema_version": "1.0", "model_type": "naive"}) else { panic!() };
        let mut bundle = Bundle {
            plugin: PluginStamp {
                name: "naive".to_owned(),
                version: "0.1.0".to_owned(),
                digest: "00".to_owned(),
                contract: "0.1.0".to_owned(),
            },
            config,
            config_hash: "d9f8003eacfc9599".to_owned(),
            metadata: Metadata {
                store_id: 1,
                product_id: 2,
                train_start_date: "2024-01-01".to_owned(),
                train_end_date: Some("2024-03-30".to_owned()),
                n_observations: 90,
                feature_columns: None,
                history_tail: None,
                history_tail_dates: None,
                launch_date: None,
            },
            missing_days: "zero".to_owned(),
            random_state: 42,
            created_at: "2024-03-31T00:00:00Z".to_owned(),
            runtime: Runtime { program: "retailcast".to_owned(), version: "0.1.0".to_owned() },
            bundle_hash: String::new(),
            calibration: None,
            state: vec![1, 2, 3],
        };
        bundle.bundle_hash = bundle.content_hash();
        bundle
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let mut with_launch = bundle();
        for launch in [None, Some(None), Some(Some("2023-12-01".to_owned()))] {
            with_launch.metadata.launch_date = launch;
            let bytes = with_launch.encode().unwrap();
            assert_eq!(Bundle::decode(&bytes).as_ref(), Ok(&with_launch));
        }
    }

    #[test]
    fn a_calibration_is_a_format_of_its_own() {
        let calibration =
            Calibration { levels: vec![80.0], radii: vec![vec![1.5, 0.1 + 0.2]], errors_per_step: 60 };
        let mut calibrated = bundle();
        calibrated.calibration = Some(calibration);
        let bytes = calibrated.encode().unwrap();
        assert_eq!((&bytes[..8], &bundle().encode().unwrap()[..8]), (&b"RCMODEL2"[..], &b"RCMODEL1"[..]));
        assert_eq!(Bundle::decode(&bytes).as_ref(), Ok(&calibrated));
        assert_eq!(calibrated.content_hash(), bundle().bundle_hash);
        calibrated.calibration.as_mut().unwrap().radii[0][0] = -1.0;
        assert!(matches!(Bundle::decode(&calibrated.encode().unwrap()), Err(BundleError::Damaged(_))));
    }

    #[test]
    fn the_hash_covers_the_contract_s_parts_only() {
        let mut other = bundle();
        other.created_at = "2025-01-01T00:00:00Z".to_owned();
        other.state.clear();
        assert_eq!(other.content_hash(), bundle().bundle_hash);
        other.metadata.n_observations = 91;
        assert_ne!(other.content_hash(), bundle().bundle_hash);
        // The text that is hashed, by hand.
        let text = json!({
            "config_hash": "d9f8003eacfc9599",
            "metadata": {"store_id": 1, "product_id": 2, "train_start_date": "2024-01-01",
                         "train_end_date": "2024-03-30", "n_observations": 90},
            "model_params": {"random_state": 42},
        });
        assert_eq!(bundle().bundle_hash, free_form_hash(&text));
    }

    #[test]
    fn another_format_is_told_apart() {
        let mut bytes = bundle().encode().unwrap();
        bytes[7] = b'9';
        assert_eq!(Bundle::decode(&bytes), Err(BundleError::Format));
        assert_eq!(Bundle::decode(b"PK\x03\x04"), Err(BundleError::Format));
    }

    proptest! {
        #[test]
        fn every_flipped_bit_and_every_cut_is_noticed(at in 0_usize..400, bit in 0_u8..8) {
            let bytes = bundle().encode().unwrap();
            let at = at % bytes.len();
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            prop_assert!(Bundle::decode(&flipped).is_err());
            prop_assert!(Bundle::decode(&bytes[..at]).is_err());
        }
    }
}
